-- The rows of `fetches` that live: the newest of each location that is kept (table kept_locations).
-- One row a location.
select *
from fetches
semi join kept_locations using (location)
