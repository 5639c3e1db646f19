-- Where in the order of their hash a sample of the labelled products that a model never trained
-- on ends: a hash, null when there is no such product.
-- One row.
-- params: $source, $model, $most (products)
select max(place) as last
from (
    select distinct md5(id) as place
    from evaluations
    where source = $source and model = $model and not trained_on
    order by place
    limit $most
)
