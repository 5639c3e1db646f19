-- The rows of `predictions` that live: of models that are kept (table kept_models), about pictures that
-- are (table kept_pictures).
-- One row a picture, model, head and rank.
select *
from history.predictions
semi join kept_pictures using (picture)
semi join kept_models using (model)
