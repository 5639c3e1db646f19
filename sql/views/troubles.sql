-- Locations whose picture can't be had or read now, wanted by anything or not.
-- One row a location.
-- stage: fetch (it can't be had) or decode (it was had, and can't be read)
-- reason: why, from a closed list
-- picture: SHA-256 of the bytes that can't be read, or were last had from there; null for none
-- next_try: when the location will be asked again (UTC); null if dead
-- attempts: tries made in the newest run that asked
with

-- Failed decodings and attempts are few. They come first; that nothing newer is known is then
-- asked of them alone.
broken as materialized (

    select picture, reason, decoded_at, false as later
    from parts.pictures_first
    where outcome = 'failed'

    union all

    select picture, reason, decoded_at, true as later
    from parts.pictures_later
    where outcome = 'failed'

),

decoded as (

    select picture, max(decoded_at) as decoded_at
    from parts.pictures_later
    semi join broken using (picture)
    group by picture

),

unreadable as materialized (

    select broken.picture, broken.reason
    from broken
    left join decoded on broken.picture = decoded.picture
    where decoded.picture is null or (broken.later and broken.decoded_at = decoded.decoded_at)

),

attempts as (

    select *, false as later
    from parts.fetches_first

    union all by name

    select *, true as later
    from parts.fetches_later

),

tried as materialized (

    select *
    from attempts
    where outcome = 'failed' or picture in (select picture from unreadable)

),

asked as (

    select location, max(fetched_at) as fetched_at
    from parts.fetches_later
    semi join tried using (location)
    group by location

)

select
    tried.location,
    tried.picture,
    case when tried.outcome = 'failed' then 'fetch' else 'decode' end as stage,
    case when tried.outcome = 'failed' then tried.reason else unreadable.reason end as reason,
    tried.host,
    tried.dead,
    tried.next_try,
    tried.attempts
from tried
left join unreadable on tried.picture = unreadable.picture
left join asked on tried.location = asked.location
where asked.location is null or (tried.later and tried.fetched_at = asked.fetched_at)
