-- What a night's run refused.
-- One row a refused row.
select
    'products' as source,
    '/srv/shop/products.csv' as file,
    2000 * line + $night as line,
    null as first_line,
    'Image' as column,
    'picture_empty' as reason,
    null as detail
from range(1, 21) as lines(line)
where $since <= $night and $at is not null
