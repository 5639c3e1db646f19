-- Labels of the products that are still in their CSV: given by the shop, predicted, and final.
-- One row a product: source and id. The rows of the newest run are what changed last.
with

newest as (

    select source, id, max(tagged_at) as tagged_at
    from history.tags
    group by source, id

),

gone as (

    select source, id
    from products
    where gone

)

select tags.*
from history.tags as tags
semi join newest using (source, id, tagged_at)
anti join gone using (source, id)
