-- The products that there ever were: what they truly are, what the shop says, and on which night
-- each came, changed and left. Of six products three have all labels, one has two, two have none.
-- One row a product.
create table made as
with

numbered as (

    select
        number,
        format('p{:07d}', number) as id,
        greatest(
            0,
            1 + (number - getvariable('ever') + getvariable('new') * (getvariable('nights') - 1))
            // getvariable('new')
        ) as came,
        if(
            number < getvariable('changed') * (getvariable('nights') - 1),
            1 + number // getvariable('changed'),
            null
        ) as changed,
        number - getvariable('ever') // 2 as later,
        if(
            later between 0 and getvariable('gone') * (getvariable('nights') - 1) - 1,
            1 + later // getvariable('gone'),
            null
        ) as left_at,
        hash(number, 'product type') % 140 as product_type,
        product_type % 40 as subcategory,
        subcategory % 7 as category,
        hash(number, 'gender') % 4 as gender,
        hash(number, 'colour') % 46 as colour
    from range(getvariable('ever')) as numbers(number)

)

select
    * exclude (later),
    format('https://cdn{}.shop.example/media/catalog/product/{}/front.jpg', number % 4, id) as front,
    if(number % 10 = 0, replace(front, 'front', 'back'), null) as back
from numbered
order by number;
