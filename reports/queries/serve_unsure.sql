-- The labels that somebody should look at: those to review, and of those of which it is not known
-- how sure is enough the ones that the tagger is less sure of, whether or not the shop gave one.
-- One row per product and attribute, those to review first; of these there are `to_review` in all,
-- of both `total`.
-- params: $below (confidence, 0 to 1), $top
with

doubtful as materialized (

    select
        source,
        id,
        attribute,
        predicted,
        confidence,
        given,
        review,
        count(*) over () as total,
        count(review) over () as to_review
    from labels
    where coalesce(review, confidence < $below)
    order by review nulls last, confidence, source, id, attribute
    limit $top

),

-- Of few products: asking `products` would find what is newest of all.
shown as (

    select source, id, title
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
    doubtful.given,
    doubtful.total,
    doubtful.to_review
from doubtful
left join shown using (source, id)
order by
    doubtful.review nulls last,
    doubtful.confidence,
    doubtful.source,
    doubtful.id,
    doubtful.attribute
