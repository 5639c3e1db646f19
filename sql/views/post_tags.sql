-- What the current tagger sees in posts that are still in their CSV.
-- One row a post and attribute: the best label for its first readable picture.
-- source: the CSV that the post comes from (--source, by default the file's stem)
-- id: id of the post, as text
-- attribute: what is told, such as colour
-- label: the label with the highest score
-- score: probability that the tagger gives the label, 0 to 1
-- picture: SHA-256 of the picture's bytes, in hex
with

places as (

    select
        source,
        id,
        unnest(pictures) as location,
        generate_subscripts(pictures, 1) as place
    from posts
    where not gone

),

shown as (

    select places.source, places.id, arg_min(fetches.picture, places.place) as picture
    from places
    join fetches using (location)
    join images on images.picture = fetches.picture and images.outcome = 'ok'
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
