-- What a night's run says of products: those that came, changed or left; before its change a
-- product had another price, and one of three another colour.
-- One row a product.
select
    * exclude (number, came, changed, left_at, front, back) replace (
        if(changed > $night, sha256(row_hash), row_hash) as row_hash,
        if(
            changed > $night,
            map_concat(extra, map {'Price': '99.95'}),
            extra
        ) as extra,
        if(
            changed > $night and number % 3 = 0 and given['colour'] is not null,
            map_concat(given, map {'colour': 'colour 0'}),
            given
        ) as given,
        coalesce(left_at <= $night, false) as gone
    ),
    $at as seen_at
from coming_products
where $since <= $night
order by line
