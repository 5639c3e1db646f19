-- The products of this source that are no longer in its CSV, as rows of `products`.
-- One row a product.
-- params: $source, $seen_at
select products.* replace (true as gone, $seen_at::timestamptz as seen_at)
from products
anti join staged using (id)
where products.source = $source and not products.gone
