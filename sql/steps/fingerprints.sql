-- The perceptual hashes of the pictures that are asked for (table asked_pictures).
-- One row a picture.
select
    picture,
    fingerprint
from images
semi join asked_pictures using (picture)
where fingerprint is not null
