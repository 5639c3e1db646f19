-- Some tagged products of a source, by hash: for a run without anything to measure.
-- One row per product.
-- params: $source, $model, $most
select id
from tags
where source = $source and model = $model and tagged
order by md5(id), id
limit $most
