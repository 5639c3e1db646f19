-- The other columns of a source's CSV that sort its products into kinds: those with a few values,
-- each of several products; a brand's before all others, then the fullest.
-- One row per column.
-- params: $source, $most (values)
with

cells as (

    select unnest(map_entries(extra), recursive := true)
    from products
    where source = $source and not gone

)

select
    key as name,
    count(*) as filled,
    count(distinct value) as kinds
from cells
where value != ''
group by key
having kinds between 2 and least($most, filled / 2)
order by lower(name) in ('brand', 'marca') desc, filled desc, kinds desc, name
