-- The products, still in their CSV, that show some pictures.
-- One row per product and picture.
-- params: $pictures
with

places as (

    select source, id, title, unnest(pictures) as location
    from products
    where not gone

)

select distinct fetches.picture, places.source, places.id, places.title
from places
join fetches using (location)
where fetches.picture in (select unnest($pictures))
order by places.source, places.id, fetches.picture
