-- Locations that failed and are not dead, to be asked again whenever their next try would be. What
-- only products and posts name that have left their CSV is not wanted any more.
-- One row a location.
-- params: $source (null for those of any source, and those that no product or post names yet)
with

named as (

    select source, gone, unnest(pictures) as location
    from products

    union all

    select source, gone, unnest(pictures) as location
    from posts

),

-- Failures are few: names are looked up for them alone.
failed as materialized (

    select *
    from fetches
    where outcome = 'failed' and not dead

),

wanted as (

    select
        failed.location,
        bool_or(not gone and source = coalesce($source, source)) as live
    from failed
    left join named using (location)
    group by failed.location

)

select
    failed.location,
    'retry' as ask,
    failed.picture,
    failed.etag,
    failed.last_modified,
    failed.size,
    failed.mtime_ns,
    null::varchar as decoded
from failed
join wanted using (location)
where coalesce(live, $source is null)
