-- Which posts show no product of the catalogue?
-- One row a post still in its CSV, the most liked first; why: none (it names no product),
-- unknown (one that no CSV of products has had) or gone (one that has left its CSV).
-- $top (whole number, default 100): at most so many rows
with

named as (

    select distinct product_id as id
    from posts
    where not gone

),

known as (

    select id as product_id, bool_and(gone) as left_catalogue
    from products
    semi join named using (id)
    group by id

)

select
    posts.source,
    posts.id,
    posts.account,
    posts.posted_at,
    posts.likes,
    posts.product_id,
    case
        when posts.product_id is null then 'none'
        when known.product_id is null then 'unknown'
        else 'gone'
    end as why,
    posts.caption
from posts
left join known using (product_id)
where not posts.gone and coalesce(known.left_catalogue, true)
order by posts.likes desc nulls last, posts.source, posts.id
limit $top
