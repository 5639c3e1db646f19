-- Which labels does the catalogue have from the tagger alone, and should somebody look at?
-- One row a product and attribute without a given label that is to review, or of which it is not
-- known how sure is enough. Those to review come first, then the lowest confidence.
-- $attribute (text, optional): only this attribute, such as colour
-- $top (whole number, default 20): at most so many rows
with

doubtful as materialized (

    select source, id, attribute, predicted, confidence, review
    from labels
    where
        given is null
        and confidence is not null
        and review is distinct from false
        and ($attribute is null or attribute = $attribute)
    order by review nulls last, confidence, source, id, attribute
    limit $top

),

-- Of few products: asking `products` would find what is newest of all.
shown as (

    select source, id, title, pictures[1] as location
    from history.products
    semi join doubtful using (source, id)
    qualify row_number() over (partition by source, id order by seen_at desc) = 1

)

select
    doubtful.source,
    doubtful.id,
    shown.title,
    doubtful.attribute,
    doubtful.predicted,
    doubtful.confidence,
    doubtful.review,
    shown.location
from doubtful
join shown using (source, id)
order by
    doubtful.review nulls last,
    doubtful.confidence,
    doubtful.source,
    doubtful.id,
    doubtful.attribute
