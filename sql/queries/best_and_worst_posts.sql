-- Which posts of an account were liked most, and which least?
-- One row a post, the best first; posts whose likes are hidden or still too young do not count.
-- $account (text, required): the account
-- $top (whole number, default 5): so many at each end
with

liked as (

    select
        posts.source,
        posts.id,
        posts.posted_at,
        posts.likes,
        posts.comments,
        engagement.label,
        engagement.score,
        posts.caption,
        posts.pictures[1] as location
    from posts
    left join engagement using (source, id)
    where
        posts.account = $account
        and not posts.gone
        and posts.likes >= 0
        and coalesce(engagement.reason, '') not in ('account_hides', 'too_young')

),

placed as (

    select
        *,
        row_number() over (order by likes desc, source, id) as place,
        count(*) over () as posts
    from liked

)

select
    place,
    if(place <= $top, 'best', 'worst') as end,
    * exclude (place, posts),
    posts as of_posts
from placed
where place <= $top or place > posts - $top
order by place
