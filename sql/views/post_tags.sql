-- What the current tagger sees in posts that are still in their CSV.
-- One row a post and attribute: the best label for its first readable picture.
-- source: the CSV that the post comes from (--source, by default the file's stem)
-- id: id of the post, as text
-- attribute: what is told, such as colour
-- label: the label with the highest score
-- score: probability that the tagger gives the label, 0 to 1
-- picture: SHA-256 of the picture's bytes, in hex
with

present as materialized (

    select source, id, pictures
    from posts
    where not gone

),

unreadable as (

    select picture
    from images
    where outcome = 'failed'

),

-- A picture that is had and not unreadable was decoded, or will be by the run that got it.
readable as materialized (

    select location, picture
    from fetches
    anti join unreadable using (picture)
    where picture is not null

),

places as (

    select
        source,
        id,
        unnest(pictures) as location,
        generate_subscripts(pictures, 1) as place
    from present
    where len(pictures) > 1

),

-- Most posts have one picture; only the others pay for taking lists apart.
shown as (

    select present.source, present.id, readable.picture
    from present
    join readable on present.pictures[1] = readable.location
    where len(present.pictures) = 1

    union all

    select places.source, places.id, arg_min(readable.picture, places.place) as picture
    from places
    join readable using (location)
    group by places.source, places.id

),

tagger as (

    select model
    from models
    where task = 'tagger' and current

)

select
    shown.source,
    shown.id,
    predictions.head as attribute,
    predictions.label,
    predictions.score,
    predictions.picture,
    predictions.model
from shown
join predictions using (picture)
semi join tagger using (model)
where predictions.rank = 1
