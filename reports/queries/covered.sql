-- How many products of a source have tags, or trouble with a picture, by one other column of its
-- CSV.
-- One row per value of the column (null: none), that of most products first; without a column one
-- row for all.
-- params: $source, $column (optional)
with

valued as (

    select id, nullif(extra[$column], '') as value
    from products
    where source = $source and not gone

),

looked_at as (

    select id
    from tags
    where source = $source and tagged

),

broken as (

    select distinct id
    from failures
    where kind = 'product' and source = $source

)

select
    valued.value,
    count(*) as products,
    count(looked_at.id) as tagged,
    count(broken.id) as with_failures
from valued
left join looked_at using (id)
left join broken using (id)
group by valued.value
order by products desc, valued.value nulls last
