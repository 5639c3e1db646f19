-- Of the staged products whose tags may have to be decided again (table doubtful, not certain),
-- those of which the CSV gives other labels than before.
-- One row a product.
-- params: $source
with

doubted as (

    select key
    from doubtful
    where not certain

),

before as (

    select id, given
    from products
    semi join doubted on doubted.key = hash(products.id)
    where source = $source

)

select staged.id
from staged
semi join doubted on doubted.key = hash(staged.id)
left join before using (id)
where before.given is distinct from staged.given
