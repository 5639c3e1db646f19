-- The rows of `posts` that live: the newest of each, those that have left their CSV too.
-- One row a post.
select *
from posts
