-- How the staged CSV differs from what the store has of its source (table differing).
-- One row.
-- params: $source
with

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
    (select count(*) from staged) as records,
    count(*) filter (where new) as new,
    count(*) filter (where not new and not gone) as changed,
    count(*) filter (where gone) as gone,
    (
        exists (from now_refused except from then_refused)
        or exists (from then_refused except from now_refused)
    ) as refused_otherwise
from differing
