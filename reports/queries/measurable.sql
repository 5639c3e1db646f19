-- The labelled products of a source that a model has looked at, with whether it was trained on them.
-- One row per product and head.
-- params: $source, $model
create or replace temp table measurable as
select id, head, truth, trained_on, md5(id) as place
from evaluations
where source = $source and model = $model
