-- The staged products whose tags must be decided again, each with the pictures that can be
-- looked at and with the first reason that applies.
-- One row a product, in the order of the CSV.
-- params: $source, $model
with

scored as (

    select distinct picture
    from history.scores
    where model = $model

),

readable as (

    select fetches.location, fetches.picture
    from fetches
    semi join scored using (picture)

),

-- Most products have one picture: only the others pay for putting lists together, which is the
-- one thing here that must fit into memory.
single as (

    select
        staged.id,
        [readable.picture] as pictures
    from staged
    join readable on readable.location = staged.pictures[1]
    where len(staged.pictures) = 1

),

several as (

    select
        id,
        list(picture order by place) as pictures
    from (
        select asked.id, readable.picture, min(asked.place) as place
        from (
            select
                id,
                unnest(pictures) as location,
                generate_subscripts(pictures, 1) as place
            from staged
            where len(pictures) > 1
        ) as asked
        join readable using (location)
        group by asked.id, readable.picture
    )
    group by id

),

looked_at as (

    select * from single
    union all
    select * from several

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
