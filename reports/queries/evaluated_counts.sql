-- How many labelled products of a source a model can be measured on, and how many it has seen.
-- One row per head.
-- params: $source, $model
select
    head,
    count(*) filter (where not trained_on) as held_out,
    count(*) filter (where trained_on) as trained_on
from evaluations
where source = $source and model = $model
group by head
