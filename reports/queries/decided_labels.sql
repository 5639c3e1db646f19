-- What the tagger decided of some products of a source, and whether somebody should look.
-- One row per product and attribute.
-- params: $source, $ids
select id, attribute as head, predicted as label, confidence as score, review
from labels
where source = $source and list_contains($ids, id) and predicted is not null
order by id, attribute
