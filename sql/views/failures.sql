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

shown as (

    select 'product' as kind, source, id, pictures
    from products
    where not gone

    union all

    select 'post' as kind, source, id, pictures
    from posts
    where not gone

),

-- Most have one picture; only the others pay for finding those that are named twice.
wanted as (

    select
        kind,
        source,
        id,
        unnest(
            case when len(pictures) > 1 then list_distinct(pictures) else pictures end
        ) as location
    from shown

)

select
    wanted.kind,
    wanted.source,
    wanted.id,
    troubles.location,
    troubles.picture,
    troubles.stage,
    troubles.reason,
    troubles.host,
    troubles.dead,
    troubles.next_try,
    troubles.attempts
from wanted
join troubles on wanted.location = troubles.location
