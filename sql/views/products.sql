-- Products as their CSV last had them, those that have left it (gone) too.
-- One row a product: source and id.
with

-- Read once: over a year of nights it is the many small files that take the time.
later as materialized (

    select *
    from parts.products_later

),

newest as (

    select source, id, max(seen_at) as seen_at
    from later
    group by source, id

)

select first.*
from parts.products_first as first
anti join newest using (source, id)

union all by name

select later.*
from later
semi join newest using (source, id, seen_at)
