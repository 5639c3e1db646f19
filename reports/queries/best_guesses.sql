-- The best guess of a model for some pictures.
-- One row per picture and head.
-- params: $model, $pictures
select picture, head, label, score
from predictions
where model = $model and rank = 1 and list_contains($pictures, picture)
order by picture, head
