-- What a CSV of posts came to, as rows of `posts` but for when they were seen: its texts as
-- numbers and times, null where they are none.
-- One row a post.
with

read as (

    select
        *,
        -- 12, -1 or 12.0, as exports of tables of numbers write it; not 12.000, which may be twelve
        -- thousand, nor 1,234.
        [
            try_cast(regexp_extract(text, '^([+-]?[0-9]+)([.]0{1,2})?$', 1) as bigint)
            for text in [given['followers'], given['likes'], given['comments']]
        ] as counts,
        -- Seconds or milliseconds since 1970, as exports of networks have them.
        [
            make_timestamptz(
                case
                    when regexp_full_match(text, '[0-9]{10}') then text::bigint * 1000000
                    when regexp_full_match(text, '[0-9]{13}') then text::bigint * 1000
                end
            )
            for text in [given['posted_at'], given['collected_at']]
        ] as counted,
        -- ISO 8601: a day, maybe a time of it, maybe a zone, which is UTC where none is said.
        [
            regexp_extract(
                upper(text),
                '^(\d{4}-\d\d-\d\d)'
                '(?:[T ](\d\d:\d\d(?::\d\d(?:[.]\d+)?)?) ?(Z|[+-][01]\d(?::?[0-5]\d)?)?)?$',
                ['day', 'time', 'zone']
            )
            for text in [given['posted_at'], given['collected_at']]
        ] as moments
    from accepted

),

timed as (

    select
        *,
        [
            try_cast(
                concat(
                    moment.day,
                    ' ',
                    coalesce(nullif(moment.time, ''), '00:00'),
                    coalesce(nullif(moment.zone, ''), 'Z')
                ) as timestamptz
            )
            for moment in moments
        ] as times
    from read

)

select
    source,
    id,
    given['account'] as account,
    counts[1] as followers,
    counts[2] as likes,
    counts[3] as comments,
    coalesce(times[1], counted[1]) as posted_at,
    coalesce(times[2], counted[2]) as collected_at,
    given['caption'] as caption,
    given['product_id'] as product_id,
    given,
    pictures,
    extra,
    line,
    row_hash,
    gone
from timed
