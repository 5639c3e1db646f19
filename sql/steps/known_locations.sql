-- What the store knows of locations, as narrow as can be: texts are hashes of 64 bits here, so that
-- what is known of millions fits into memory.
-- One row a location: key, and
--   picture: its picture's hash, null where it has none
--   scored: whether the model has scored that picture
--   looked_at: whether that picture needs no look: it has been scored, or can't be decoded
--   steady, moment: got, or given up on, then (true); or to be tried again then (false)
--   special: what is known is checked otherwise than by that: a file, or settled by rules
-- params: $model (the model that looks, null when decoding alone is wanted), $now, $passing
-- (reasons for which a picture may be decoded again after a day, as they are not in its bytes),
-- $settled_by_rules (reasons that another setting changes at once)
with

-- The view `fetches`, but with nothing wide on the way.
later as materialized (

    select
        hash(location) as key,
        picture is not null as had,
        hash(picture) as picture,
        outcome <> 'failed' or dead as steady,
        if(outcome <> 'failed' or dead, fetched_at, next_try) as moment,
        location like '/%' or coalesce(list_contains($settled_by_rules, reason), false) as special,
        fetched_at
    from parts.fetches_later

),

newest as (

    select
        key,
        max(fetched_at) as fetched_at
    from later
    group by key

),

fetched as (

    select
        hash(location) as key,
        picture is not null as had,
        hash(picture) as picture,
        outcome <> 'failed' or dead as steady,
        if(outcome <> 'failed' or dead, fetched_at, next_try) as moment,
        location like '/%' or coalesce(list_contains($settled_by_rules, reason), false) as special
    from parts.fetches_first
    anti join newest on newest.key = hash(location)

    union all

    select * exclude (fetched_at)
    from later
    semi join newest using (key, fetched_at)

),

scored as (

    select distinct hash(picture) as picture
    from history.scores as scores
    where model = $model

),

-- Where the model has scored it, that it was decoded says nothing more.
decoded as (

    select
        hash(picture) as picture,
        outcome <> 'failed'
            or not list_contains($passing, reason)
            or decoded_at > $now::timestamptz - interval 1 day as settled
    from images
    where outcome = 'failed' or $model is null

)

select
    fetched.key,
    if(fetched.had, fetched.picture, null) as picture,
    fetched.had and scored.picture is not null as scored,
    coalesce(decoded.settled, fetched.had and scored.picture is not null) as looked_at,
    fetched.steady,
    fetched.moment,
    fetched.special
from fetched
left join scored using (picture)
left join decoded using (picture)
