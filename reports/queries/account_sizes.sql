-- The engagement rate of posts, likes and comments over followers, by the size of their account.
-- One row a band of followers ($bounds are the lower ends, ascending from 0) that has posts, the
-- smallest first. Comments that are unknown count as none, and such posts are counted.
-- params: $source, $bounds
with

bands as (

    select unnest($bounds::bigint[]) as least

),

rated as (

    select
        bands.least,
        regexp_replace(lower(trim(posts.account)), '^@', '') as handle,
        coalesce(posts.comments, -1) < 0 as uncommented,
        (posts.likes + greatest(coalesce(posts.comments, 0), 0)) / posts.followers as rate
    from engagement
    inner join posts using (source, id)
    asof join bands on posts.followers >= bands.least
    where
        source = $source
        and posts.likes >= 0
        and posts.followers > 0
        and coalesce(engagement.reason, 'few_posts') in ('few_posts', 'no_account', 'no_followers')

)

select
    least,
    count(*) as posts,
    count(distinct handle) as accounts,
    count(*) filter (where uncommented) as uncommented,
    quantile_cont(rate, 0.25) as quarter,
    median(rate) as median,
    quantile_cont(rate, 0.75) as three_quarters
from rated
group by least
order by least
