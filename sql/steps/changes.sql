-- How the staged CSV differs from what the store has of its source.
-- One row.
-- params: $source
with

compared as (

    select
        staged.id is null as gone,
        products.id is null as new,
        staged.row_hash is distinct from products.row_hash as other
    from staged
    full join (select id, row_hash from products where source = $source and not gone) as products
        using (id)

),

refused_before as (

    select line, first_line, "column", reason, detail
    from rejects
    where source = $source

),

refused_now as (

    select line, first_line, "column", reason, detail
    from refused

)

select
    count(*) filter (where not gone) as products,
    count(*) filter (where new) as new,
    count(*) filter (where not gone and not new and other) as changed,
    count(*) filter (where gone) as gone,
    (
        exists (from refused_now except from refused_before)
        or exists (from refused_before except from refused_now)
    ) as refused_otherwise
from compared
