-- Pictures of products and posts that can't be had or read now.
-- One row per product or post and location; `total` is how many there are in all.
-- params: $top
select
    kind,
    source,
    id,
    stage,
    reason,
    strftime(next_try at time zone 'UTC', '%Y-%m-%d %H:%M') as next_try,
    attempts,
    location,
    count(*) over () as total
from failures
order by source, kind, id, location
limit $top
