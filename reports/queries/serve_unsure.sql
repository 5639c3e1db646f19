-- The labels that the tagger is least sure of, whether or not the shop gave one.
-- One row per product and attribute; `total` is how many there are in all.
-- params: $below (confidence, 0 to 1), $top
with

least_sure as materialized (

    select
        source,
        id,
        attribute,
        predicted,
        confidence,
        given,
        count(*) over () as total
    from labels
    where confidence < $below
    order by confidence, source, id, attribute
    limit $top

),

-- Of few products: asking `products` would find what is newest of all.
shown as (

    select source, id, title
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
    least_sure.given,
    least_sure.total
from least_sure
left join shown using (source, id)
order by least_sure.confidence, least_sure.source, least_sure.id, least_sure.attribute
