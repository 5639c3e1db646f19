-- Which products does no post show?
-- One row a product still in its CSV whose id no post names.
-- $top (whole number, default 100): at most so many rows
with

shown as (

    select product_id as id
    from posts
    where not gone and product_id is not null

)

select
    source,
    id,
    title,
    given,
    pictures[1] as location
from products
anti join shown using (id)
where not gone
order by source, id
limit $top
