-- How the locations that were asked since $since ended.
-- One row an outcome, a reason and whether it is dead; the most frequent first.
-- params: $since
select outcome, reason, dead, count(*) as locations
from fetches
where fetched_at >= $since
group by outcome, reason, dead
order by locations desc, outcome, reason
