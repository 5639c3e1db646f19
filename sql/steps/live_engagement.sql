-- The rows of `engagement` that live: the newest of each post, also of one that has left its CSV and may
-- come back.
-- One row a post.
with

later as materialized (

    select *
    from parts.engagement_later

),

newest as (

    select source, id, max(decided_at) as decided_at
    from later
    group by source, id

)

select first.*
from parts.engagement_first as first
anti join newest using (source, id)

union all by name

select later.*
from later
semi join newest using (source, id, decided_at)
