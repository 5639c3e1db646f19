-- How many products of each brand, or of any other column of the CSV, have tags?
-- One row a value of the column (null: none), the one of most products first.
-- $column (text, required): a column of the CSV as its header has it, or an attribute
-- $top (whole number, default 20): at most so many rows
with

valued as materialized (

    select source, id, pictures, coalesce(extra[$column], given[$column]) as value
    from products
    where not gone

),

wanted as (

    select source, id, unnest(pictures) as location
    from valued

),

broken as (

    select distinct wanted.source, wanted.id
    from wanted
    semi join troubles using (location)

)

select
    valued.value,
    count(*) as products,
    count_if(coalesce(tags.tagged, false)) as tagged,
    round(count_if(coalesce(tags.tagged, false)) / count(*), 4) as share_tagged,
    count(broken.id) as with_failures
from valued
left join tags using (source, id)
left join broken using (source, id)
group by valued.value
order by products desc, valued.value
limit $top
