-- The pictures behind the locations that a store goes on knowing (table kept_locations).
-- One row a picture.
select distinct picture
from fetches
semi join kept_locations using (location)
where picture is not null
