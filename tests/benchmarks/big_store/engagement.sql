-- What a night's run decides on posts: those that came.
-- One row a post.
select
    'posts' as source,
    posted.id,
    case when posted.likes > 10000 then 'high' when posted.likes >= 0 then 'low' end as label,
    if(posted.likes < 0, 'hidden', null) as reason,
    if(failed or unreadable, null, colour_sure) as score,
    0.5 as threshold,
    case when failed or unreadable then null when colour_sure > 0.5 then 'high' else 'low' end
        as guess,
    'fold_' || (1 + posted.number % 5) as head,
    true as evaluated,
    'engagement/1' as model,
    'likes > 10000' as rule,
    10000.0 as bar,
    if(failed or unreadable, [], [picture]) as pictures,
    $at as decided_at
from posted
join pictures using (location)
where posted.came between $since and $night
order by posted.number
