-- Which labels does the catalogue have from the tagger alone, and is least sure of?
-- One row a product and attribute without a given label, the lowest confidence first.
-- $attribute (text, optional): only this attribute, such as colour
-- $top (whole number, default 20): at most so many rows
with

-- The column without a name is for a store without tags: there must be one to unpivot.
confidences as (

    select source, id, regexp_replace(attribute, '_confidence$', '') as attribute, confidence
    from (
        unpivot (select *, null::float as _confidence from tags)
        on columns('_confidence$')
        into name attribute value confidence
    )

),

given as (

    select source, id, unnest(map_keys(given)) as attribute
    from products
    where not gone

),

least_sure as (

    select *
    from confidences
    anti join given using (source, id, attribute)
    where $attribute is null or attribute = $attribute
    order by confidence, source, id, attribute
    limit $top

)

select
    least_sure.source,
    least_sure.id,
    products.title,
    least_sure.attribute,
    to_json(tags) ->> (least_sure.attribute || '_predicted') as predicted,
    least_sure.confidence,
    products.pictures[1] as location
from least_sure
join tags using (source, id)
join products using (source, id)
order by least_sure.confidence, least_sure.source, least_sure.id, least_sure.attribute
