-- How many products of a source show one or more of some pictures.
-- One row.
-- params: $source, $pictures
with

places as (

    select id, unnest(pictures) as location
    from products
    where source = $source and not gone

)

select count(distinct places.id) as products
from places
join fetches using (location)
where fetches.picture in (select unnest($pictures))
