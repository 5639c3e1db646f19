-- Pictures in the store: what they are, and why some can't be read.
-- One row a picture: its newest decoding.
-- file: where the bytes lie, relative to the store's folder
with

newest as (

    select picture, max(decoded_at) as decoded_at
    from history.pictures
    group by picture

)

select
    pictures.*,
    'images/' || left(picture, 2) || '/' || picture as file
from history.pictures as pictures
semi join newest using (picture, decoded_at)
