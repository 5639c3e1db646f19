-- Why rows of a source's CSV of products or posts were refused, the commonest reason first.
-- One row per reason.
-- params: $kind (product or post), $source
select
    reason,
    count(*) as refused,
    min(line) as first_line
from rejects
where kind = $kind and source = $source
group by reason
order by refused desc, reason
