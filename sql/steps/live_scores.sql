-- The rows of `scores` that live: of models that are kept (table kept_models), about pictures that
-- are (table kept_pictures).
-- One row a picture, model and head.
select *
from history.scores
semi join kept_pictures using (picture)
semi join kept_models using (model)
