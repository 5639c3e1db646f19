-- The pictures that need no look: the model has scored them, or they can't be decoded.
-- One row a picture.
-- params: $model (null: decoding alone is wanted)
select picture
from images
where outcome = 'failed' or $model is null
union
select picture
from history.scores as scores
where model = $model
