-- Which hosts fail to give pictures, and for what reasons?
-- One row a host and reason (null: local files), those that the most locations fail by first.
-- $top (whole number, default 20): at most so many rows
select
    host,
    stage,
    reason,
    count(distinct location) as locations,
    count(distinct (source, id)) filter (where kind = 'product') as products,
    count(distinct (source, id)) filter (where kind = 'post') as posts,
    count(distinct location) filter (where dead) as dead,
    min(next_try) as next_try
from failures
group by host, stage, reason
order by locations desc, host, stage, reason
limit $top
