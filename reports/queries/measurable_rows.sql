-- The measurable products that the model was never trained on: a sample by hash.
-- One row per product and head; the products come in the order of their hash.
-- params: $last (the hash of the sample's last product)
select id, head, truth
from measurable
where not trained_on and place <= $last
order by place, id, head
