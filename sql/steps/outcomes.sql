-- How the locations that the staged products or posts name ended: with a readable picture or
-- not, got since $since or had before. One that was asked and failed counts as failed, even where
-- an earlier picture of it still serves.
-- One row.
-- params: $since
with

-- Hashes of 64 bits stand for texts: those of millions fit into memory.
wanted as (

    select distinct hash(location) as key
    from (
        select unnest(pictures) as location
        from staged
    )

),

fetched as (

    select
        hash(location) as key,
        hash(picture) as picture,
        outcome = 'failed' and fetched_at >= $since as missed,
        outcome = 'fetched' and fetched_at >= $since as got
    from fetches

),

readable as (

    select hash(picture) as picture
    from images
    where outcome = 'ok'

),

ended as (

    select
        readable.picture is not null and not coalesce(fetched.missed, false) as had,
        coalesce(fetched.got, false) as got
    from wanted
    left join fetched using (key)
    left join readable using (picture)

)

select
    count(*) as pictures,
    count(*) filter (where had and got) as fetched,
    count(*) filter (where had and not got) as cached,
    count(*) filter (where not had) as failed
from ended
