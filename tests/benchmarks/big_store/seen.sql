-- The pictures that models look at (table coming), from one place on.
-- One row a picture.
select *
from (from coming limit $last - $first offset $first)
where not failed and not unreadable
