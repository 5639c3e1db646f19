-- What simpler predictors reach on the same posts, by the newest run that measured it.
-- One row a source and rung.
with

newest as (

    select source, max(evaluated_at) as evaluated_at
    from history.engagement_ladder
    group by source

)

select ladder.*
from history.engagement_ladder as ladder
semi join newest using (source, evaluated_at)
