-- The staged posts as the arithmetic takes them, each with its readable pictures, in order.
-- One row a post, in the order of the CSV.
with

readable as (

    select fetches.location, fetches.picture
    from fetches
    join images using (picture)
    where images.outcome = 'ok'

),

-- Most posts have one picture: only the others pay for putting lists together, which must fit
-- into memory.
several as (

    select
        id,
        list(picture order by place) as pictures
    from (
        select asked.id, readable.picture, min(asked.place) as place
        from (
            select
                id,
                unnest(pictures) as location,
                generate_subscripts(pictures, 1) as place
            from staged
            where len(pictures) > 1
        ) as asked
        join readable using (location)
        group by asked.id, readable.picture
    )
    group by id

)

select
    staged.id,
    staged.line,
    staged.account,
    staged.followers,
    staged.likes,
    staged.given['likes'] as likes_given,
    staged.comments,
    staged.posted_at,
    staged.collected_at,
    staged.caption,
    staged.product_id,
    (staged.given['posted_at'] is not null and staged.posted_at is null)
        or (staged.given['collected_at'] is not null and staged.collected_at is null)
        as time_unread,
    case
        when len(staged.pictures) > 1 then coalesce(several.pictures, [])
        when first.picture is null then []
        else [first.picture]
    end as pictures
from staged
left join readable as first on first.location = staged.pictures[1]
left join several using (id)
order by staged.line
