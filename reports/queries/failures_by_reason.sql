-- Why pictures of the products or posts of a source can't be had or read now, the commonest
-- reason first.
-- One row per stage and reason.
-- params: $kind (product or post), $source
select
    stage,
    reason,
    count(*) as pictures,
    count(*) filter (where dead or stage = 'decode') as to_replace,
    count(distinct host) as hosts
from failures
where kind = $kind and source = $source
group by stage, reason
order by pictures desc, stage, reason
