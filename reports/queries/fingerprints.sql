-- The readable pictures of a source's products, and what each looks like.
-- One row per picture, in the order of its hash; `product` is one of the products that show it.
-- params: $source, $most (pictures)
with

places as (

    select id, unnest(list_distinct(pictures)) as location
    from products
    where source = $source and not gone

),

showing as (

    select fetches.picture, count(distinct places.id) as products, min(places.id) as product
    from places
    join fetches using (location)
    where fetches.picture is not null
    group by fetches.picture

)

select
    showing.picture,
    showing.products,
    showing.product,
    images.fingerprint,
    count(*) over () as pictures
from showing
join images using (picture)
where images.outcome = 'ok' and images.fingerprint is not null
order by picture
limit $most
