-- How the locations that the staged products or posts name ended: with a readable picture or
-- not, got since $since or had before. One that was asked and failed counts as failed, even where
-- an earlier picture of it still serves. `reasons` says why those failed, the most frequent first;
-- it is null where none did.
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
        reason,
        outcome = 'failed' and fetched_at >= $since as missed,
        outcome = 'fetched' and fetched_at >= $since as got
    from fetches

),

readable as (

    select hash(picture) as picture
    from images
    where outcome = 'ok'

),

unreadable as (

    select
        hash(picture) as picture,
        reason
    from images
    where outcome = 'failed'

),

ended as (

    select
        readable.picture is not null and not coalesce(fetched.missed, false) as had,
        coalesce(fetched.got, false) as got,
        coalesce(fetched.reason, unreadable.reason, 'not_looked_at') as reason
    from wanted
    left join fetched using (key)
    left join readable using (picture)
    left join unreadable using (picture)

),

why as (

    select
        reason,
        count(*) as pictures
    from ended
    where not had
    group by reason

)

select
    count(*) as pictures,
    count(*) filter (where had and got) as fetched,
    count(*) filter (where had and not got) as cached,
    count(*) filter (where not had) as failed,
    (select list(why order by pictures desc, reason) from why) as reasons
from ended
