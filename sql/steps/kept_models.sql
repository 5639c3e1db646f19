-- The models whose facts live: those in the store, and those from elsewhere (`--model` FOLDER) or
-- gone by now that the present tags and decisions rest on.
-- One row a model.
select model
from history.cards

union

select model
from tags
where model is not null

union

select model
from engagement
where model is not null
