-- Locations whose picture a store goes on knowing: products and posts that are in their CSV, or
-- left it lately, name them; a model was trained, validated or tested on their picture; or they
-- were asked lately.
-- One row a location.
-- params: $since (what is later is late)
select unnest(pictures) as location
from products
where not gone or seen_at >= $since

union

select unnest(pictures) as location
from posts
where not gone or seen_at >= $since

union

select location
from fetches
where fetched_at >= $since or picture in (select picture from history.splits)
