-- Labels of the products that are still in their CSV: given by the shop, predicted, and final.
-- One row a product: source and id. The rows of the newest run are what changed last.
with

-- Read once: over a year of nights it is the many small files that take the time.
later as materialized (

    select *
    from parts.tags_later

),

newest as (

    select source, id, max(tagged_at) as tagged_at
    from later
    group by source, id

),

-- As the newest row of each product says, of which only those that say gone matter.
rows as (

    select source, id, gone, seen_at
    from parts.products_first
    where gone

    union all

    select source, id, gone, seen_at
    from parts.products_later

),

gone as materialized (

    select source, id
    from rows
    group by source, id
    having arg_max(gone, seen_at)

),

outdated as (

    select source, id
    from newest

    union all

    select source, id
    from gone

)

select first.*
from parts.tags_first as first
anti join outdated using (source, id)

union all by name

select later.*
from later
semi join newest using (source, id, tagged_at)
anti join gone using (source, id)
