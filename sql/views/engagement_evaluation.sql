-- How well scores tell high from low, by the newest run of the source.
-- One row a source and metric.
with

newest as (

    select source, max(evaluated_at) as evaluated_at
    -- Every run writes posts_measured, also one that could measure nothing.
    from history.engagement_evaluation
    group by source

)

select evaluation.*
from history.engagement_evaluation as evaluation
semi join newest using (source, evaluated_at)
