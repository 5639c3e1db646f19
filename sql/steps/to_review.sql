-- How many products of a source have a tag to review, and how many are not a product.
-- One row; null where that can't be told.
-- params: $source
select
    (
        select if(count(review) > 0, count(distinct id) filter (where review), null)
        from labels
        where source = $source
    ) as to_review,
    (
        select if(count(not_a_product) > 0, count(*) filter (where not_a_product), null)
        from tags
        where source = $source
    ) as not_a_product
