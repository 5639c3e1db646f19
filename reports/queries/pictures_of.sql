-- The pictures of some products, whether or not a model has looked at them.
-- One row per product asked for and picture.
-- params: $source, $ids
with

places as (

    select id, unnest(pictures) as location
    from products
    where source = $source and id in (select unnest($ids))

)

select distinct places.id, fetches.picture
from places
join fetches using (location)
where fetches.picture is not null
