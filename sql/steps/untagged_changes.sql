-- The staged products whose tags must be decided again, each with the pictures that can be
-- looked at and with the first reason that applies.
-- One row a product, in the order of the CSV.
-- params: $source, $model
with

asked as (

    select
        id,
        unnest(pictures) as location,
        generate_subscripts(pictures, 1) as place
    from staged

),

scored as (

    select distinct picture
    from history.scores as scores
    where model = $model

),

seen as (

    select
        asked.id,
        fetches.picture,
        min(asked.place) as place
    from asked
    join fetches using (location)
    join scored using (picture)
    group by asked.id, fetches.picture

),

looked_at as (

    select
        id,
        list(picture order by place) as pictures
    from seen
    group by id

),

decided as (

    select
        staged.id,
        staged.given,
        staged.line,
        tags.model as model_before,
        coalesce(looked_at.pictures, []) as pictures,
        case
            when tags.id is null then 'new'
            when tags.tagged and tags.model is distinct from $model then 'model'
            when tags.pictures <> coalesce(looked_at.pictures, []) then 'picture'
            when products.given is distinct from staged.given then 'labels'
        end as cause
    from staged
    left join looked_at using (id)
    left join tags on tags.source = $source and tags.id = staged.id
    left join products on products.source = $source and products.id = staged.id

)

select *
from decided
where cause is not null
order by line
