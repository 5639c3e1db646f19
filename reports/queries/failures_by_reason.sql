-- Why pictures of a source can't be had or read now, the commonest reason first.
-- One row per stage and reason.
-- params: $source
select
    stage,
    reason,
    count(*) as pictures,
    count(*) filter (where dead or stage = 'decode') as to_replace,
    count(distinct host) as hosts
from failures
where source = $source
group by stage, reason
order by pictures desc, stage, reason
