-- How many products of a source have left its CSV since a run, and not come back.
-- One row.
-- params: $source, $run, $before (the run before)
select count(*) as products
from products
where source = $source and gone and run > $before and run <= $run
