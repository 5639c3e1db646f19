-- Posts that are still in their CSV, told high or low: by their likes, and by their picture.
-- One row a post: source and id.
with

newest as (

    select source, id, max(decided_at) as decided_at
    from history.engagement
    group by source, id

),

present as (

    select source, id
    from posts
    where not gone

)

select engagement.*
from history.engagement as engagement
semi join newest using (source, id, decided_at)
semi join present using (source, id)
