-- What the staged CSV says otherwise than the store of its source: new, changed or gone.
-- One row a product or post: key, the hash of its id.
-- params: $source
with

-- Hashes of 64 bits: those of a million ids and rows fit into memory.
now as (

    select
        hash(id) as key,
        hash(row_hash) as says
    from staged

),

before as (

    select
        hash(id) as key,
        hash(row_hash) as says
    from known
    where source = $source and not gone

)

select
    key,
    before.says is null as new,
    now.says is null as gone
from now
full join before using (key)
where now.says is distinct from before.says
