-- The rows of `tags` that live: the newest of each product, also of one that has left its CSV and may
-- come back.
-- One row a product.
with

later as materialized (

    select *
    from parts.tags_later

),

newest as (

    select source, id, max(tagged_at) as tagged_at
    from later
    group by source, id

)

select first.*
from parts.tags_first as first
anti join newest using (source, id)

union all by name

select later.*
from later
semi join newest using (source, id, tagged_at)
