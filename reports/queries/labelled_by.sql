-- Where the labels of a source's products come from, attribute by attribute.
-- One row per attribute.
-- params: $source, $below (confidence of a label that wants review)
with

present as (

    select id, given
    from products
    where source = $source and not gone

),

given as (

    select id, unnest(map_keys(given)) as attribute
    from present

),

-- The column without a name is for a store without tags: there must be one to unpivot.
predicted as (

    select id, regexp_replace(attribute, '_confidence$', '') as attribute, confidence
    from (
        unpivot (select *, null::float as _confidence from tags where source = $source)
        on columns('_confidence$')
        into name attribute value confidence
    )

),

alone as (

    select attribute, count(*) as predicted, count(*) filter (where confidence < $below) as unsure
    from predicted
    anti join given using (id, attribute)
    group by attribute

),

told as (

    select attribute, count(*) as given
    from given
    group by attribute

)

select
    attribute,
    coalesce(told.given, 0) as given,
    coalesce(alone.predicted, 0) as predicted,
    coalesce(alone.unsure, 0) as unsure,
    (select count(*) from present) as products
from told
full join alone using (attribute)
order by attribute
