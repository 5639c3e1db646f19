-- Posts as their CSV last had them, those that have left it (gone) too.
-- One row a post: source and id.
with

-- A join on the newest time, as for products.
newest as (

    select source, id, max(seen_at) as seen_at
    from history.posts
    group by source, id

)

select posts.*
from history.posts as posts
semi join newest using (source, id, seen_at)
