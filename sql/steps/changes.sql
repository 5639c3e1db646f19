-- How the staged CSV differs from what the store has of its source.
-- One row.
-- params: $source
with

compared as (

    select
        staged.id is null as gone,
        known.id is null as new,
        staged.row_hash is distinct from known.row_hash as other
    from staged
    full join (select id, row_hash from known where source = $source and not gone) as known
        using (id)

),

-- The file's path may be another.
then_refused as (

    select line, first_line, "column", reason, detail
    from refused_before
    where source = $source

),

now_refused as (

    select line, first_line, "column", reason, detail
    from refused

)

select
    count(*) filter (where not gone) as records,
    count(*) filter (where new) as new,
    count(*) filter (where not gone and not new and other) as changed,
    count(*) filter (where gone) as gone,
    (
        exists (from now_refused except from then_refused)
        or exists (from then_refused except from now_refused)
    ) as refused_otherwise
from compared
