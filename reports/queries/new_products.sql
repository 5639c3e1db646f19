-- How many products of a source a run tagged for the first time.
-- One row.
-- params: $source, $run
select count(*) as products
from history.tags
where source = $source and run = $run and cause = 'new'
