-- What the tagger says of products: what it says of the first picture that can be looked at.
-- One row a product.
create table shown as
select
    number,
    list(picture order by nth) as pictures,
    arg_min(gender_code, nth) as gender_code,
    arg_min(gender_sure, nth) as gender_sure,
    arg_min(category_code, nth) as category_code,
    arg_min(category_sure, nth) as category_sure,
    arg_min(subcategory_code, nth) as subcategory_code,
    arg_min(subcategory_sure, nth) as subcategory_sure,
    arg_min(product_type_code, nth) as product_type_code,
    arg_min(product_type_sure, nth) as product_type_sure,
    arg_min(colour_code, nth) as colour_code,
    arg_min(colour_sure, nth) as colour_sure
from pictures
where kind = 'product' and not failed and not unreadable
group by number;
