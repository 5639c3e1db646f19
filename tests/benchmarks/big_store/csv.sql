-- The products as their CSV has them.
-- One row a product.
select
    id as ProductId,
    if(number % 6 < 4, 'gender ' || gender, null) as Gender,
    if(number % 6 < 4, 'category ' || category, null) as Category,
    if(number % 6 < 3, 'subcategory ' || subcategory, null) as SubCategory,
    if(number % 6 < 3, 'product_type ' || product_type, null) as ProductType,
    if(number % 6 < 3, 'colour ' || colour, null) as Colour,
    format('Garment {} of the autumn collection, style {}', number, number % 977) as ProductTitle,
    'Brand ' || number % 500 as Brand,
    (9 + number % 90)::varchar || '.95' as Price,
    ['spring', 'summer', 'autumn', 'winter'][1 + number % 4] as Season,
    front || coalesce('|' || back, '') as Image
from made
where $which
order by number
