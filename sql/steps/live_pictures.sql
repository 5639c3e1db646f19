-- The rows of `pictures` that live: the newest of each picture that is kept (table kept_pictures).
-- One row a picture.
select * exclude (file)
from images
semi join kept_pictures using (picture)
