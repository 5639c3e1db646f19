-- How well scores tell high from low, by the newest run that measured it.
-- One row a source and metric.
with

newest as (

    select source, max(evaluated_at) as evaluated_at
    from history.engagement_evaluation
    group by source

)

select evaluation.*
from history.engagement_evaluation as evaluation
semi join newest using (source, evaluated_at)
