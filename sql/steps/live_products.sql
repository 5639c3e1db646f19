-- The rows of `products` that live: the newest of each, those that have left their CSV too.
-- One row a product.
select *
from products
