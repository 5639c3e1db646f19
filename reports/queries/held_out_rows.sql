-- Labelled products that a model has looked at and was never trained on: a sample by hash.
-- One row per product and head.
-- params: $source, $model, $last (the hash of the sample's last product)
select id, head
from evaluations
where source = $source and model = $model and not trained_on and md5(id) <= $last
