-- At which hours of the day do posts become high?
-- One row an hour in which something was posted, the highest share first; without a label or a
-- time a post does not count.
-- $account (text, optional): only this account
-- $zone (text, default UTC): the time zone that hours are told in, such as Europe/Madrid
-- $fewest (whole number, default 1): leave out hours of fewer posts
select
    hour(timezone($zone, posts.posted_at)) as hour,
    count(*) as posts,
    count_if(engagement.label = 'high') as high,
    round(count_if(engagement.label = 'high') / count(*), 4) as share,
    median(posts.likes) as median_likes
from posts
join engagement using (source, id)
where
    engagement.label is not null
    and posts.posted_at is not null
    and ($account is null or posts.account = $account)
group by hour
having count(*) >= $fewest
order by count_if(engagement.label = 'high') / count(*) desc, posts desc, hour
