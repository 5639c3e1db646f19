-- Which labels of products changed between two runs, and why?
-- One row a product, attribute and change of its label; new products do not count. The cause is
-- that of the product's newest row: picture, model, vocabulary, labels or human.
-- $since (text, optional): the run before; without it, the one before the newest that tagged
-- $until (text, optional): the run after; without it, the newest that tagged
-- $top (whole number, default 100): at most so many rows
with

tagging as materialized (

    select distinct run
    from history.tags

),

newest as (

    select max(run) as run
    from tagging

),

span as (

    select
        coalesce($until, newest.run) as until,
        coalesce(
            $since, (select max(run) from tagging where run < coalesce($until, newest.run))
        ) as since
    from newest

),

touched as materialized (

    select source, id, max(run) as run
    from history.tags
    where run > (select since from span) and run <= (select until from span)
    group by source, id

),

untouched as (

    select tags.source, tags.id, max(tags.run) as run
    from history.tags as tags
    semi join touched using (source, id)
    where tags.run <= (select since from span)
    group by tags.source, tags.id

),

compared_rows as (

    select *
    from touched

    union all

    select *
    from untouched

),

-- What a row says is read as JSON: the label of an attribute is the column of its name, which only
-- its other columns tell.
told as materialized (

    select source, id, run, cause, model, to_json(tags) as row
    from history.tags as tags
    semi join compared_rows using (source, id, run)

),

after as (

    select *
    from told
    semi join touched using (source, id, run)

),

before as (

    select *
    from told
    anti join touched using (source, id, run)

),

attributes as (

    select distinct regexp_extract(key, '^(.+)_confidence$', 1) as attribute
    from (select unnest(json_keys(row)) as key from (from after limit 1))
    where key like '%\_confidence' escape '\'

),

compared as (

    select
        after.source,
        after.id,
        attributes.attribute,
        before.row ->> attributes.attribute as label_before,
        after.row ->> attributes.attribute as label_after,
        after.cause,
        after.model,
        after.run
    from after
    join before using (source, id)
    cross join attributes

)

select *
from compared
where label_before is distinct from label_after
order by source, id, attribute
limit $top
