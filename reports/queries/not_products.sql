-- How many products of a source have only pictures that do not look like a product, and some of
-- them by hash: ids.
-- One row; null where that can't be told.
-- params: $source, $most
select
    if(count(not_a_product) > 0, count(*) filter (where not_a_product), null) as products,
    arg_min(id, md5(id), $most) filter (where not_a_product) as some
from tags
where source = $source
