-- What a night's run says of posts: those that came.
-- One row a post.
select
    'posts' as source,
    id,
    account,
    followers,
    likes,
    comments,
    posted_at,
    timestamptz '2025-01-01 00:00:00Z' as collected_at,
    'New in: look at number ' || number || ' of our autumn collection #style #new' as caption,
    product_id,
    map {
        'account': account,
        'followers': followers::varchar,
        'likes': likes::varchar,
        'comments': comments::varchar,
        'posted_at': posted_at::varchar
    } as given,
    [location] as pictures,
    map([]::varchar[], []::varchar[]) as extra,
    number + 2 as line,
    sha256(id) as row_hash,
    false as gone,
    $at as seen_at
from posted
where came between $since and $night
order by number
