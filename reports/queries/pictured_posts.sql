-- How many posts of a source come with a picture, be it looked at or not.
-- One row.
-- params: $source
select count(*) filter (where len(pictures) > 0) as posts
from posts
where source = $source and not gone
