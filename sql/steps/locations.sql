-- What is known of each location that the staged products or posts name.
-- One row a location.
-- params: $model (the model that looks, null when decoding alone is wanted), $now, $stale (before
-- it a picture that was fetched is asked for again), $refetch, $passing (reasons for which a
-- picture may be decoded again after a day, as they are not in its bytes)
with

wanted as (

    select distinct unnest(pictures) as location
    from staged

),

scored as (

    select distinct picture
    from history.scores as scores
    where model = $model

)

select
    wanted.location,
    fetches.picture,
    fetches.outcome,
    fetches.reason,
    fetches.etag,
    fetches.last_modified,
    fetches.size,
    fetches.mtime_ns,
    images.outcome as decoded,
    case
        when images.outcome = 'failed' then
            not list_contains($passing, images.reason)
            or images.decoded_at > $now::timestamptz - interval 1 day
        when $model is null then images.picture is not null
        else scored.picture is not null
    end as looked_at,
    coalesce(fetches.fetched_at < $stale, false) as old,
    wanted.location like '/%' as local,
    case
        when fetches.location is null then true
        when $refetch then true
        when fetches.outcome <> 'failed' or fetches.dead then fetches.fetched_at < $stale
        else fetches.next_try <= $now
    end as due
from wanted
left join fetches using (location)
left join images using (picture)
left join scored using (picture)
