-- Labels of a source's products that a run changed: the final ones, as people see them.
-- One row per cause, the commonest first, with some of its labels, in the order of a hash; new
-- products do not count.
-- params: $source, $run, $before (the run before), $most (examples of a cause)
with

newest_before as (

    select id, max(run) as run
    from history.tags
    where source = $source and run <= $before
    group by id

),

after as (

    select id, cause, to_json(tags) as row
    from history.tags as tags
    where source = $source and run = $run and cause != 'new'

),

before as (

    select tags.id, to_json(tags) as row
    from history.tags as tags
    semi join newest_before using (id, run)
    semi join after using (id)
    where tags.source = $source

),

-- The label of an attribute is the column of its name, which only its other columns tell.
attributes as (

    select distinct regexp_extract(key, '^(.+)_confidence$', 1) as attribute
    from (select unnest(json_keys(row)) as key from (from after limit 1))
    where key like '%\_confidence' escape '\'

),

compared as (

    select
        after.id,
        after.cause,
        attributes.attribute,
        before.row ->> attributes.attribute as label_before,
        after.row ->> attributes.attribute as label_after
    from after
    join before using (id)
    cross join attributes

)

select
    cause,
    count(*) as labels,
    count(distinct id) as products,
    arg_min(
        struct_pack(
            place := md5(id) || id || attribute,
            id := id,
            attribute := attribute,
            label_before := label_before,
            label_after := label_after
        ),
        md5(id) || id || attribute,
        $most
    ) as examples
from compared
where label_before is distinct from label_after
group by cause
order by labels desc, cause
