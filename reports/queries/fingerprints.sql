-- The readable pictures of a source's products, and what each looks like.
-- One row per picture, in the order of its hash; `product` is one of the `products` that show it,
-- `sharing` is how many products show one that another shows too.
-- params: $source, $most (pictures)
with

places as (

    select id, unnest(list_distinct(pictures)) as location
    from products
    where source = $source and not gone

),

shown as materialized (

    select places.id, fetches.picture
    from places
    join fetches using (location)
    where fetches.picture is not null

),

showing as (

    select picture, count(distinct id) as products, min(id) as product
    from shown
    group by picture

),

compared as materialized (

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

),

shared as (

    select count(distinct shown.id) as sharing
    from shown
    semi join (
        select picture
        from compared
        where products > 1
    ) using (picture)

)

select compared.*, shared.sharing
from compared
cross join shared
order by picture
