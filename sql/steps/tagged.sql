-- The staged products that have been tagged.
-- One row a product.
-- params: $source
select staged.id
from staged
join tags on tags.source = $source and tags.id = staged.id
where tags.tagged
