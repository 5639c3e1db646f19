-- How many of the staged posts have a score, and how many a label.
-- One row.
-- params: $source
select
    count(*) filter (where engagement.score is not null) as scored,
    count(*) filter (where engagement.label is not null) as labelled
from staged
join engagement on engagement.source = $source and engagement.id = staged.id
