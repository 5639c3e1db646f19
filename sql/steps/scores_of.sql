-- The scores of one model about the pictures that are asked for (table asked_pictures).
-- One row a picture and head.
-- params: $model
select
    picture,
    head,
    scores
from history.scores as scores
semi join asked_pictures using (picture)
where model = $model
