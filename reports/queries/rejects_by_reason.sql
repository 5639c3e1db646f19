-- Why rows of a source's CSV were refused, the commonest reason first.
-- One row per reason.
-- params: $source
select
    reason,
    count(*) as refused,
    min(line) as first_line
from rejects
where source = $source
group by reason
order by refused desc, reason
