-- Posts that are still in their CSV, told high or low: by their likes, and by their picture.
-- One row a post: source and id.
with

present as (

    select source, id
    from posts
    where not gone

),

-- Read once: over a year of nights it is the many small files that take the time.
later as materialized (

    select *
    from parts.engagement_later

),

newest as (

    select source, id, max(decided_at) as decided_at
    from later
    group by source, id

),

known as (

    select first.*
    from parts.engagement_first as first
    anti join newest using (source, id)

    union all by name

    select later.*
    from later
    semi join newest using (source, id, decided_at)

)

select known.*
from known
semi join present using (source, id)
