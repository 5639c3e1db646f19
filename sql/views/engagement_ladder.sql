-- What simpler predictors reach on the same posts, by the newest run of the source.
-- One row a source and rung.
with

newest as (

    select source, max(evaluated_at) as evaluated_at
    -- Every run writes posts_measured, also one that could measure nothing.
    from history.engagement_evaluation
    group by source

)

select ladder.*
from history.engagement_ladder as ladder
semi join newest using (source, evaluated_at)
