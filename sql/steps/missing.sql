-- The locations that the staged products or posts name and that failed when last asked for.
-- One row a location.
select distinct location
from (
    select unnest(pictures) as location
    from staged
) as named
semi join (
    select location
    from fetches
    where outcome = 'failed'
) as failed using (location)
