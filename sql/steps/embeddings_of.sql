-- What one model saw in the pictures that are asked for (table asked_pictures).
-- One row a picture.
-- params: $model
select
    picture,
    embedding
from history.embeddings as embeddings
semi join asked_pictures using (picture)
where model = $model
