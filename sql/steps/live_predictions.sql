-- The rows of `predictions` that live: of models that are kept (table kept_models), about pictures that
-- are (table kept_pictures). The best labels come first: most questions are about them, and what
-- stands in Parquet together can be passed over together.
-- One row a picture, model, head and rank.
with

live as (

    select *
    from history.predictions
    semi join kept_pictures using (picture)
    semi join kept_models using (model)

)

select *
from live
where rank = 1

union all

select *
from live
where rank is distinct from 1
