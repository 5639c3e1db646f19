-- Some tagged products of a source, by hash: for a run without anything to measure. Not those whose
-- pictures show none, which have no tags.
-- One row per product.
-- params: $source, $model, $most
select id
from tags
where source = $source and model = $model and tagged and not coalesce(not_a_product, false)
order by md5(id), id
limit $most
