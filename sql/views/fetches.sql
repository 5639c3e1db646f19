-- What is known about the locations of pictures.
-- One row a location: the newest attempt to get its picture.
with

-- Read once: over a year of nights it is the many small files that take the time.
later as materialized (

    select *
    from parts.fetches_later

),

newest as (

    select location, max(fetched_at) as fetched_at
    from later
    group by location

)

select first.*
from parts.fetches_first as first
anti join newest using (location)

union all by name

select later.*
from later
semi join newest using (location, fetched_at)
