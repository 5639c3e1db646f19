-- The staged posts on which something else must be decided now: they were last decided on with
-- another model or rule, or never; or their picture is another, or has a score by now.
-- One row a post.
-- params: $source, $basis (what decides, in the words of the job), $model (null: no picture counts)
with

newest as (

    select arguments ->> 'basis' as basis
    from runs
    where job = 'engage' and source = $source
    order by run desc
    limit 1

),

places as (

    select
        id,
        unnest(pictures) as location,
        generate_subscripts(pictures, 1) as place
    from staged

),

firsts as (

    select places.id, arg_min(images.picture, places.place) as picture
    from places
    join fetches using (location)
    join images using (picture)
    where images.outcome = 'ok'
    group by places.id

),

scored as (

    select distinct picture
    from history.scores as scores
    where model = $model

),

looked_at as (

    select id, picture
    from firsts
    semi join scored using (picture)

)

select staged.id
from staged
left join looked_at using (id)
left join engagement on engagement.source = $source and engagement.id = staged.id
where
    not exists (from newest where newest.basis = $basis)
    or engagement.id is null
    or engagement.pictures[1] is distinct from looked_at.picture
