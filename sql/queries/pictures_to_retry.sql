-- Which pictures will be asked for again, and when?
-- One row a location that failed and is not dead, the next one first.
-- $top (whole number, default 20): at most so many rows
select
    location,
    host,
    stage,
    reason,
    any_value(attempts) as attempts,
    any_value(next_try) as next_try,
    count(*) filter (where kind = 'product') as products,
    count(*) filter (where kind = 'post') as posts
from failures
where not dead and next_try is not null
group by location, host, stage, reason
order by next_try, location
limit $top
