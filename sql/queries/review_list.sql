-- Which labels does the catalogue have from the tagger alone, and is least sure of?
-- One row a product and attribute without a given label, the lowest confidence first.
-- $attribute (text, optional): only this attribute, such as colour
-- $top (whole number, default 20): at most so many rows
with

least_sure as (

    select source, id, attribute, predicted, confidence
    from labels
    where
        given is null
        and confidence is not null
        and ($attribute is null or attribute = $attribute)
    order by confidence, source, id, attribute
    limit $top

)

select
    least_sure.source,
    least_sure.id,
    products.title,
    least_sure.attribute,
    least_sure.predicted,
    least_sure.confidence,
    products.pictures[1] as location
from least_sure
join products using (source, id)
order by least_sure.confidence, least_sure.source, least_sure.id, least_sure.attribute
