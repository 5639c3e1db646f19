-- Pictures in the store: what they are, and why some can't be read.
-- One row a picture: its newest decoding.
-- file: where the bytes lie, relative to the store's folder
with

-- Read once: over a year of nights it is the many small files that take the time.
later as materialized (

    select *
    from parts.pictures_later

),

newest as (

    select picture, max(decoded_at) as decoded_at
    from later
    group by picture

),

decoded as (

    select first.*
    from parts.pictures_first as first
    anti join newest using (picture)

    union all by name

    select later.*
    from later
    semi join newest using (picture, decoded_at)

)

select
    *,
    'images/' || left(picture, 2) || '/' || picture as file
from decoded
