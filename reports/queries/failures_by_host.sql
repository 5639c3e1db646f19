-- Which hosts fail to give the pictures of the products or posts of a source now, and why: those
-- that the most pictures fail by first.
-- One row per host (null: local files), stage and reason.
-- params: $kind (product or post), $source
select
    host,
    stage,
    reason,
    count(*) as pictures,
    count(*) filter (where dead or stage = 'decode') as to_replace
from failures
where kind = $kind and source = $source
group by host, stage, reason
order by pictures desc, host nulls first, stage, reason
