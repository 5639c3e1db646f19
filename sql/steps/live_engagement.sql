-- The rows of `engagement` that live: the newest of each post, also of one that has left its CSV and may
-- come back.
-- One row a post.
with

newest as (

    select source, id, max(decided_at) as decided_at
    from history.engagement
    group by source, id

)

select engagement.*
from history.engagement as engagement
semi join newest using (source, id, decided_at)
