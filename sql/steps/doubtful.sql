-- The staged products whose tags may have to be decided again: those that differ (table differing),
-- and for certain those never tagged, tagged by another model, or shown by other pictures that
-- have been looked at (table known_locations) than then.
-- One row a product: key, the hash of its id.
-- params: $source, $model
with

-- Pictures count with their places: the exclusive or of hashes of both stands for their list.
single as (

    select
        hash(staged.id) as key,
        if(known_locations.scored, hash(known_locations.picture, 1::bigint), 0) as shown
    from staged
    left join known_locations on known_locations.key = hash(staged.pictures[1])
    where len(staged.pictures) <= 1

),

places as (

    select
        hash(id) as key,
        hash(unnest(pictures)) as location,
        generate_subscripts(pictures, 1) as place
    from staged
    where len(pictures) > 1

),

firsts as (

    select places.key, known_locations.picture, min(places.place) as place
    from places
    left join known_locations on known_locations.key = places.location and known_locations.scored
    group by places.key, known_locations.picture

),

-- Their rank among those that can be seen.
ranked as (

    select
        key,
        picture,
        row_number() over (partition by key order by picture is null, place) as place
    from firsts

),

shown as (

    select
        key,
        coalesce(shown, 0) as shown
    from single

    union all

    select
        key,
        coalesce(bit_xor(hash(picture, place)) filter (where picture is not null), 0)
    from ranked
    group by key

),

-- The view `tags`, but with nothing wide on the way, and with what has left its CSV: where that
-- came back, it differs as a new one. A filter by model would cost more than what it leaves out.
later as materialized (

    select
        hash(id) as key,
        coalesce(
            case len(pictures)
                when 1 then hash(hash(pictures[1]), 1::bigint)
                else list_bit_xor(
                    list_transform(pictures, lambda one, place: hash(hash(one), place))
                )
            end,
            0
        ) as shown,
        tagged and model is distinct from $model as otherwise,
        tagged_at
    from parts.tags_later
    where source = $source

),

newest as (

    select
        key,
        max(tagged_at) as tagged_at
    from later
    group by key

),

decided as (

    select
        hash(id) as key,
        coalesce(
            case len(pictures)
                when 1 then hash(hash(pictures[1]), 1::bigint)
                else list_bit_xor(
                    list_transform(pictures, lambda one, place: hash(hash(one), place))
                )
            end,
            0
        ) as shown,
        tagged and model is distinct from $model as otherwise
    from parts.tags_first
    anti join newest on newest.key = hash(id)
    where source = $source

    union all

    select * exclude (tagged_at)
    from later
    semi join newest using (key, tagged_at)

),

compared as (

    select
        shown.key,
        decided.key is null or decided.otherwise or decided.shown <> shown.shown as certain
    from shown
    left join decided using (key)

)

select
    compared.key,
    compared.certain or coalesce(differing.new, false) as certain
from compared
left join differing using (key)
where compared.certain or differing.key is not null
