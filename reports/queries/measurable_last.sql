-- Where in the order of their hash a sample of the measurable products that the model never trained
-- on ends: a hash, null when there is no such product.
-- One row.
-- params: $most (products)
select max(place) as last
from (
    select distinct place
    from measurable
    where not trained_on
    order by place
    limit $most
)
