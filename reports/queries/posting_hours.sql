-- How many of the labelled posts of each hour of the day (UTC) were high.
-- One row an hour in which something was posted; accounts counts those that are known.
-- params: $source
select
    hour(timezone('UTC', posts.posted_at)) as hour,
    count(*) as posts,
    count(*) filter (where engagement.label = 'high') as high,
    count(distinct regexp_replace(lower(trim(posts.account)), '^@', '')) as accounts
from engagement
inner join posts using (source, id)
where source = $source and engagement.label is not null and posts.posted_at is not null
group by hour
order by hour
