-- What a model sees in the pictures of the products that are still in their CSV.
-- One row per picture, in the order of its hash.
-- params: $model, $most (pictures)
with

places as (

    select unnest(pictures) as location
    from products
    where not gone

),

shown as (

    select distinct fetches.picture
    from places
    join fetches using (location)
    where fetches.picture is not null

)

select picture, embedding
from embeddings
semi join shown using (picture)
where model = $model
order by picture
limit $most
