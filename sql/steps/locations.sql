-- What is known of each location that the staged products or posts name and that may have to be
-- asked or looked at: of those that are had and looked at (table known_locations) the job takes no
-- second look at a million.
-- One row a location.
-- params: $stale (before it a picture that was fetched is asked for again), $refetch, $now
with

known as (

    select
        *,
        $refetch or if(steady, moment < $stale, moment <= $now) as due
    from known_locations

),

closed as (

    select key
    from known
    where due = false and not special and (picture is null or looked_at)

),

wanted as (

    select distinct location
    from (
        select unnest(pictures) as location
        from staged
    ) as named
    anti join closed on closed.key = hash(named.location)

),

asked as (

    select
        wanted.location,
        bool_or(known.key is null or known.due) as due,
        bool_and(known.looked_at) as looked_at
    from wanted
    left join known on known.key = hash(wanted.location)
    group by wanted.location

),

-- The views `fetches` and `images`, but that they read no more than is asked for.
fetched_later as materialized (

    select *
    from parts.fetches_later
    semi join asked using (location)

),

fetched_newest as (

    select location, max(fetched_at) as fetched_at
    from fetched_later
    group by location

),

fetched as (

    select first.*
    from parts.fetches_first as first
    semi join asked using (location)
    anti join fetched_newest using (location)

    union all by name

    select later.*
    from fetched_later as later
    semi join fetched_newest using (location, fetched_at)

),

decoded_later as materialized (

    select picture, outcome, decoded_at
    from parts.pictures_later
    semi join fetched using (picture)

),

decoded_newest as (

    select picture, max(decoded_at) as decoded_at
    from decoded_later
    group by picture

),

decoded as (

    select picture, outcome
    from parts.pictures_first as first
    semi join fetched using (picture)
    anti join decoded_newest using (picture)

    union all

    select picture, outcome
    from decoded_later
    semi join decoded_newest using (picture, decoded_at)

)

select
    asked.location,
    fetched.picture,
    fetched.outcome,
    fetched.reason,
    fetched.etag,
    fetched.last_modified,
    fetched.size,
    fetched.mtime_ns,
    decoded.outcome as decoded,
    asked.looked_at,
    coalesce(fetched.fetched_at < $stale, false) as old,
    asked.location like '/%' as local,
    asked.due
from asked
left join fetched using (location)
left join decoded using (picture)
