-- The five best labels of every model that has looked at a picture.
-- One row a picture, model, head and rank.
select *
from history.predictions
