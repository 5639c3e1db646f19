-- How many products of a source show one or more pictures of a group, for several groups.
-- One row per group, in their order.
-- params: $source, $groups (of each the pictures, which no other has)
with

places as (

    select id, unnest(pictures) as location
    from products
    where source = $source and not gone

),

members as (

    select number, unnest($groups[number]) as picture
    from range(1, len($groups) + 1) as numbers (number)

)

select members.number, count(distinct places.id) as products
from members
left join fetches using (picture)
left join places using (location)
group by members.number
order by members.number
