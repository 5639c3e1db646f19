-- What the pictures turned out to be (table coming), from one place on.
-- One row a picture.
select
    picture,
    if(unreadable, 'failed', 'ok') as outcome,
    if(unreadable, 'truncated', null) as reason,
    'JPEG' as format,
    if(unreadable, null, 800) as width,
    if(unreadable, null, 1000) as height,
    40000 + hash(location) % 100000 as bytes,
    if(unreadable, null, left(sha256(picture), 16)) as fingerprint,
    $at as decoded_at
from (from coming limit $last - $first offset $first)
where not failed
