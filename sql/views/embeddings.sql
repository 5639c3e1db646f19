-- What every model that has looked at a picture sees in it, as numbers.
-- One row a picture and model.
select *
from history.embeddings
