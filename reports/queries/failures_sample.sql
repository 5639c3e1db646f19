-- Some of the pictures of the products or posts of a source that can't be had or read now: a few
-- of every reason.
-- One row per picture of a product or post; the order is that of a hash, so it is not the CSV's first rows.
-- params: $kind (product or post), $source, $each (rows a reason), $top
with

numbered as (

    select
        id, location, stage, reason, next_try, attempts,
        dead or stage = 'decode' as to_replace,
        row_number() over (partition by stage, reason order by md5(id || location)) as place
    from failures
    where kind = $kind and source = $source

)

select id, location, stage, reason, to_replace, next_try, attempts
from numbered
where place <= $each
order by reason, stage, place
limit $top
