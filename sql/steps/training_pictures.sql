-- The pictures that can be trained on: readable, of staged products with a label.
-- One row a product and picture.
with

asked as (

    select
        id,
        title,
        given,
        line,
        unnest(list_distinct(pictures)) as location
    from staged
    where cardinality(given) > 0

)

select distinct
    asked.id,
    asked.title,
    asked.given,
    asked.line,
    images.picture,
    images.fingerprint
from asked
join fetches using (location)
join images using (picture)
where images.outcome = 'ok'
order by asked.line, images.picture
