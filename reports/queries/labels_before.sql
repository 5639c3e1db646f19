-- The labels that were predicted for some products as of a run.
-- One row per product and head.
-- params: $source, $before (the run), $ids
with

newest as (

    select id, max(run) as run
    from history.tags
    where source = $source and run <= $before and id in (select unnest($ids))
    group by id

)

-- The column without a name is for a store without tags: there must be one to unpivot.
select id, regexp_replace(attribute, '_predicted$', '') as head, label
from (
    unpivot (
        select tags.*, null::varchar as _predicted
        from history.tags as tags
        semi join newest using (id, run)
        where tags.source = $source
    )
    on columns('_predicted$')
    into name attribute value label
)
