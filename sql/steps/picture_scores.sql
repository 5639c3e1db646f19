-- What a classifier says of the pictures that are asked for (table asked_pictures).
-- One row a picture and head.
-- params: $model
select
    picture,
    head,
    -- The order is that of engagement.classes.CLASSES: low, high.
    scores[2] as high,
    trained_on
from history.scores as scores
semi join asked_pictures using (picture)
where model = $model
