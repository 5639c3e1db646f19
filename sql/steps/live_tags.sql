-- The rows of `tags` that live: the newest of each product, also of one that has left its CSV and may
-- come back.
-- One row a product.
with

newest as (

    select source, id, max(tagged_at) as tagged_at
    from history.tags
    group by source, id

)

select tags.*
from history.tags as tags
semi join newest using (source, id, tagged_at)
