-- How the locations that the staged products or posts name ended: with a readable picture or
-- not, got since $since or had before. One that was asked and failed counts as failed, even where
-- an earlier picture of it still serves.
-- One row.
-- params: $since
with

wanted as (

    select distinct unnest(pictures) as location
    from staged

),

ended as (

    select
        images.outcome is not distinct from 'ok'
            and not coalesce(fetches.outcome = 'failed' and fetches.fetched_at >= $since, false)
            as had,
        coalesce(fetches.outcome = 'fetched' and fetches.fetched_at >= $since, false) as got
    from wanted
    left join fetches using (location)
    left join images using (picture)

)

select
    count(*) as pictures,
    count(*) filter (where had and got) as fetched,
    count(*) filter (where had and not got) as cached,
    count(*) filter (where not had) as failed
from ended
