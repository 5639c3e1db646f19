-- What is known of one location that can't be had or read now.
-- One row, or none.
-- params: $location
select picture, stage, reason
from troubles
where location = $location
limit 1
