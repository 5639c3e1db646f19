-- The staged products that are new or that read otherwise than the last time, as rows of `products`.
-- One row a product.
-- params: $source, $seen_at
select
    staged.*,
    $seen_at::timestamptz as seen_at
from staged
left join products
    on products.source = $source
    and products.id = staged.id
    and not products.gone
where products.row_hash is distinct from staged.row_hash
