-- Which labels does the catalogue have from the tagger alone, and is least sure of?
-- One row a product and attribute without a given label, the lowest confidence first.
-- $attribute (text, optional): only this attribute, such as colour
-- $top (whole number, default 20): at most so many rows
with

least_sure as materialized (

    select source, id, attribute, predicted, confidence
    from labels
    where
        given is null
        and confidence is not null
        and ($attribute is null or attribute = $attribute)
    order by confidence, source, id, attribute
    limit $top

),

-- Of few products: asking `products` would find what is newest of all.
shown as (

    select source, id, title, pictures[1] as location
    from history.products
    semi join least_sure using (source, id)
    qualify row_number() over (partition by source, id order by seen_at desc) = 1

)

select
    least_sure.source,
    least_sure.id,
    shown.title,
    least_sure.attribute,
    least_sure.predicted,
    least_sure.confidence,
    shown.location
from least_sure
join shown using (source, id)
order by least_sure.confidence, least_sure.source, least_sure.id, least_sure.attribute
