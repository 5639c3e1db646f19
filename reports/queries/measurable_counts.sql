-- How many measurable products the model can be measured on, and how many it has seen.
-- One row per head.
select
    head,
    count(*) filter (where not trained_on) as held_out,
    count(*) filter (where trained_on) as trained_on
from measurable
group by head
