-- How the locations that the staged products name ended: readable or not, fetched since $since
-- or had before.
-- One row.
-- params: $since
with

wanted as (

    select distinct unnest(pictures) as location
    from staged

)

select
    count(*) as pictures,
    count(*) filter (where images.outcome = 'ok' and fetched_now) as fetched,
    count(*) filter (where images.outcome = 'ok' and not fetched_now) as cached,
    count(*) filter (where images.outcome is distinct from 'ok') as failed
from (
    select
        wanted.location,
        fetches.picture,
        coalesce(fetches.outcome = 'fetched' and fetches.fetched_at >= $since, false) as fetched_now
    from wanted
    left join fetches using (location)
)
left join images using (picture)
