-- What a CSV of products came to, as rows of `products` but for when they were seen.
-- One row a product.
select *
from accepted
