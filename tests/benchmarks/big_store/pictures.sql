-- The locations of all pictures: when each came, and what the tagger says of it, which is right
-- four times of five. Of a thousand ten can't be had, of them five for good; five can't be read.
-- One row a location.
create table pictures as
with

named as (

    select 'product' as kind, number, came, front as location, 1 as nth
    from made

    union all

    select 'product', number, came, back, 2
    from made
    where back is not null

    union all

    select 'post', number, came, location, 1
    from posted

)

select
    kind,
    named.number * 2 + nth as place,
    named.number,
    nth,
    named.came,
    location,
    sha256(location) as picture,
    regexp_extract(location, '^https://([^/]+)', 1) as host,
    hash(location, 'had') % 1000 as luck,
    luck < 10 as failed,
    luck < 5 as dead,
    luck between 10 and 14 as unreadable,
    hash(named.number, 'side') % 5 > 0 as trained_on,
    (
        if(hash(location, 'gender right') % 5 > 0, coalesce(made.gender, 0), hash(location, 'gender') % 4)
    )::integer as gender_code,
    (0.35 + hash(location, 'gender sure') % 64000 / 100000)::float as gender_sure,
    (
        if(hash(location, 'category right') % 5 > 0, coalesce(made.category, 0), hash(location, 'category') % 7)
    )::integer as category_code,
    (0.35 + hash(location, 'category sure') % 64000 / 100000)::float as category_sure,
    (
        if(hash(location, 'subcategory right') % 5 > 0, coalesce(made.subcategory, 0), hash(location, 'subcategory') % 40)
    )::integer as subcategory_code,
    (0.35 + hash(location, 'subcategory sure') % 64000 / 100000)::float as subcategory_sure,
    (
        if(hash(location, 'product_type right') % 5 > 0, coalesce(made.product_type, 0), hash(location, 'product_type') % 140)
    )::integer as product_type_code,
    (0.35 + hash(location, 'product_type sure') % 64000 / 100000)::float as product_type_sure,
    (
        if(hash(location, 'colour right') % 5 > 0, coalesce(made.colour, 0), hash(location, 'colour') % 46)
    )::integer as colour_code,
    (0.35 + hash(location, 'colour sure') % 64000 / 100000)::float as colour_sure
from named
left join made on named.kind = 'product' and named.number = made.number;
