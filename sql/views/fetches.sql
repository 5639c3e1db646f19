-- What is known about the locations of pictures.
-- One row a location: the newest attempt to get its picture.
with

newest as (

    select location, max(fetched_at) as fetched_at
    from history.fetches
    group by location

)

select fetches.*
from history.fetches as fetches
semi join newest using (location, fetched_at)
