-- The title and the first readable picture of some products.
-- One row per product asked for; a product without a readable picture has null there.
-- params: $source, $ids
with

asked as (

    select id, title, pictures
    from products
    where source = $source and list_contains($ids, id)

),

places as (

    select id, unnest(pictures) as location, generate_subscripts(pictures, 1) as place
    from asked

),

readable as (

    select places.id, arg_min(images.picture, places.place) as picture
    from places
    inner join fetches using (location)
    inner join images on images.picture = fetches.picture and images.outcome = 'ok'
    group by places.id

)

select asked.id, asked.title, readable.picture
from asked
left join readable using (id)
