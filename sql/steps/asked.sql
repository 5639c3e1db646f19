-- How the locations that a run asked for ended, whatever other runs know of them.
-- One row an outcome, a reason and whether it is dead; the most frequent first.
-- params: $run
select outcome, reason, dead, count(*) as locations
from history.fetches
where run = $run
group by outcome, reason, dead
order by locations desc, outcome, reason
