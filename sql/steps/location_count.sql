-- How many locations the staged products or posts name.
-- One row.
select count(distinct hash(location)) as locations
from (
    select unnest(pictures) as location
    from staged
)
