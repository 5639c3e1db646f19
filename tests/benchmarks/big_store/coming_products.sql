-- The products that a night's run finds new, changed or gone.
-- One row a product.
create or replace temp table coming_products as
select records.*, made.* exclude (id, gender, category, subcategory, product_type, colour)
from made
join records using (id)
where
    made.came between $since and $night
    or made.changed between $since and $night
    or made.left_at between $since and $night
