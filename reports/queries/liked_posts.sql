-- The posts with the most and the fewest likes, relative to their account's median where any account
-- has one ($least posts with known likes, and a median above 0), else by likes alone: the two can't
-- be ranked together.
-- One row a post: side is best or worst, times the likes over that median. Ties go by a hash.
-- params: $source, $least, $each (posts a side)
with

liked as (

    select
        engagement.id,
        posts.account,
        regexp_replace(lower(trim(posts.account)), '^@', '') as handle,
        posts.caption,
        posts.likes,
        engagement.label,
        engagement.score,
        engagement.threshold,
        engagement.guess,
        engagement.evaluated,
        engagement.pictures[1] as picture
    from engagement
    inner join posts using (source, id)
    where
        source = $source
        and posts.likes >= 0
        and coalesce(engagement.reason, 'few_posts') in ('few_posts', 'no_account', 'no_followers')

),

accounts as (

    select handle, median(likes) as usual
    from liked
    where handle is not null
    group by handle
    having count(*) >= $least and median(likes) > 0

),

measured as (

    select liked.* exclude (handle), liked.likes / accounts.usual as times
    from liked
    left join accounts using (handle)
    where accounts.usual is not null or not exists (from accounts)

),

placed as (

    select
        *,
        row_number() over (order by coalesce(times, likes) desc, md5(id), id) as place,
        count(*) over () as posts
    from measured

),

sided as (

    select
        *,
        place <= least($each, (posts + 1) // 2) as best,
        place > posts - least($each, posts // 2) as worst
    from placed

)

select
    if(best, 'best', 'worst') as side,
    left(id, 80) as id,
    left(account, 80) as account,
    left(caption, 160) as caption,
    likes,
    times,
    label,
    score,
    threshold,
    guess,
    evaluated,
    picture
from sided
where best or worst
order by side, if(best, place, -place)
