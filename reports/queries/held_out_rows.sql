-- Labelled products that a model has looked at and was never trained on: a sample by hash.
-- One row per product and head; the products come in the order of their hash.
-- params: $source, $model, $last (the hash of the sample's last product)
select id, head, truth
from evaluations
where source = $source and model = $model and not trained_on and md5(id) <= $last
order by md5(id), id, head
