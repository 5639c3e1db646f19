-- The pictures that need no look: the model has scored them, or they can't be decoded.
-- One row a picture.
-- params: $model (null: decoding alone is wanted), $passing (reasons for which one may be decoded
-- again)
select picture
from images
where (outcome = 'failed' and not list_contains($passing, reason)) or (outcome = 'ok' and $model is null)
union
select picture
from history.scores as scores
where model = $model
