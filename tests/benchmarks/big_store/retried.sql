-- Locations that failed before and are asked for again, in vain; other ones each night.
-- One row a location.
select
    location,
    null as picture,
    'failed' as outcome,
    'timeout' as reason,
    host,
    null as http_status,
    null as etag,
    null as last_modified,
    null as size,
    null as mtime_ns,
    3 as attempts,
    0.1 as seconds,
    $at as fetched_at,
    $at + interval 1 day as next_try,
    false as dead
from pictures
where kind = $kind and came < $night and failed and not dead
order by hash(location, $night)
limit $retried
