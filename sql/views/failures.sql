-- Pictures of products and posts (still in their CSV) that can't be had or read now.
-- One row a product or post and location.
-- kind: product or post
-- source: the CSV that names it (--source, by default the file's stem)
-- id: id of the product or post, as text
-- stage: fetch (it can't be had) or decode (it was had, and can't be read)
-- reason: why, from a closed list
-- picture: SHA-256 of the bytes that can't be read, or were last had from there; null for none
-- next_try: when the location will be asked again (UTC); null if dead
-- attempts: tries made in the newest run that asked
with

wanted as (

    select 'product' as kind, source, id, unnest(list_distinct(pictures)) as location
    from products
    where not gone

    union all

    select 'post' as kind, source, id, unnest(list_distinct(pictures)) as location
    from posts
    where not gone

),

unreadable as (

    select picture, reason
    from images
    where outcome = 'failed'

),

troubled as (

    select
        fetches.*,
        unreadable.reason as decode_reason
    from fetches
    left join unreadable on fetches.picture = unreadable.picture
    where fetches.outcome = 'failed' or unreadable.picture is not null

)

select
    wanted.kind,
    wanted.source,
    wanted.id,
    troubled.location,
    troubled.picture,
    case when troubled.outcome = 'failed' then 'fetch' else 'decode' end as stage,
    case when troubled.outcome = 'failed' then troubled.reason else troubled.decode_reason end
        as reason,
    troubled.host,
    troubled.dead,
    troubled.next_try,
    troubled.attempts
from wanted
join troubled on wanted.location = troubled.location
