-- The rows of `embeddings` that live: of models that are kept (table kept_models), about pictures that
-- are (table kept_pictures).
-- One row a picture and model.
select *
from history.embeddings
semi join kept_pictures using (picture)
semi join kept_models using (model)
