-- Truths and scores of labelled products that a model never trained on: a sample by hash.
-- One row per product and head; the products come in the order of their hash.
-- params: $source, $model, $last (the hash of the last product: as a value, not a join, it keeps
-- the others from being computed)
select id, head, truth, scores
from evaluations
where source = $source and model = $model and not trained_on and md5(id) <= $last
order by md5(id), id, head
