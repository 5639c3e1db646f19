-- What came of asking for pictures (table coming), from one place on.
-- One row a location.
select
    location,
    if(failed, null, picture) as picture,
    if(failed, 'failed', 'fetched') as outcome,
    case when dead then 'not_found' when failed then 'timeout' end as reason,
    host,
    case when dead then 404 when not failed then 200 end as http_status,
    if(failed, null, '"' || left(picture, 16) || '"') as etag,
    null as last_modified,
    if(failed, null, 40000 + hash(location) % 100000) as size,
    null as mtime_ns,
    if(failed, 3, 1) as attempts,
    0.1 as seconds,
    $at as fetched_at,
    if(failed and not dead, $at + interval 1 day, null) as next_try,
    dead
from coming
limit $last - $first offset $first
