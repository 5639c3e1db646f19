-- The staged products whose tags must be decided again, of those that may have to be (table
-- doubtful), each with the pictures that can be looked at (table known_locations) and with the
-- first reason that applies.
-- One row a product, in the order of the CSV.
-- params: $source, $model
with

asked as (

    select id, given, line, pictures
    from staged
    semi join doubtful on doubtful.key = hash(staged.id)

),

places as (

    select
        id,
        unnest(pictures) as location,
        generate_subscripts(pictures, 1) as place
    from asked

),

readable as (

    select fetches.location, fetches.picture
    from fetches
    semi join (
        select key
        from known_locations
        where scored
    ) as scored on scored.key = hash(fetches.location)
    semi join places using (location)

),

-- Most products have one picture: only the others pay for putting lists together, which is the
-- one thing here that must fit into memory.
single as (

    select
        asked.id,
        [readable.picture] as pictures
    from asked
    join readable on readable.location = asked.pictures[1]
    where len(asked.pictures) = 1

),

several as (

    select
        id,
        list(picture order by place) as pictures
    from (
        select places.id, readable.picture, min(places.place) as place
        from places
        join readable using (location)
        where places.id in (select id from asked where len(pictures) > 1)
        group by places.id, readable.picture
    )
    group by id

),

looked_at as (

    select * from single
    union all
    select * from several

),

tagged as (

    select id, model, tagged, pictures
    from tags
    semi join doubtful on doubtful.key = hash(tags.id)
    where source = $source

),

-- For the others one of the first reasons applies.
relabelled as (

    select key
    from doubtful
    where not certain

),

before as (

    select id, given
    from products
    semi join relabelled on relabelled.key = hash(products.id)
    where source = $source

),

decided as (

    select
        asked.id,
        asked.given,
        asked.line,
        tagged.model as model_before,
        coalesce(looked_at.pictures, []) as pictures,
        case
            when tagged.id is null then 'new'
            when tagged.tagged and tagged.model is distinct from $model then 'model'
            when tagged.pictures <> coalesce(looked_at.pictures, []) then 'picture'
            when before.given is distinct from asked.given then 'labels'
        end as cause
    from asked
    left join looked_at using (id)
    left join tagged using (id)
    left join before using (id)

)

select *
from decided
where cause is not null
order by line
