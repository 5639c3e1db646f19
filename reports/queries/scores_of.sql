-- What a model says of some pictures.
-- One row per picture and head.
-- params: $model, $pictures
select picture, head, scores
from history.scores
where model = $model and picture in (select unnest($pictures))
