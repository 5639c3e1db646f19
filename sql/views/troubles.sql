-- Locations whose picture can't be had or read now, wanted by anything or not.
-- One row a location.
-- stage: fetch (it can't be had) or decode (it was had, and can't be read)
-- reason: why, from a closed list
-- picture: SHA-256 of the bytes that can't be read, or were last had from there; null for none
-- next_try: when the location will be asked again (UTC); null if dead
-- attempts: tries made in the newest run that asked
with

unreadable as (

    select picture, reason
    from images
    where outcome = 'failed'

)

select
    fetches.location,
    fetches.picture,
    case when fetches.outcome = 'failed' then 'fetch' else 'decode' end as stage,
    case when fetches.outcome = 'failed' then fetches.reason else unreadable.reason end as reason,
    fetches.host,
    fetches.dead,
    fetches.next_try,
    fetches.attempts
from fetches
left join unreadable on fetches.picture = unreadable.picture
where fetches.outcome = 'failed' or unreadable.picture is not null
