-- What a night's run says of the tags of products: those that came or were labelled anew, as in
-- products.sql.
-- One row a product.
select
    source,
    id,
    if(shown.pictures is null, null, 'tagger/1') as model,
    if(came >= $since, 'new', 'labels') as cause,
    coalesce(shown.pictures, []) as pictures,
    shown.pictures is not null as tagged,
    $at as tagged_at,
    given['gender'] as gender_given,
    'gender ' || shown.gender_code as gender_predicted,
    shown.gender_sure as gender_confidence,
    coalesce(gender_given, gender_predicted) as gender,
    given['category'] as category_given,
    'category ' || shown.category_code as category_predicted,
    shown.category_sure as category_confidence,
    coalesce(category_given, category_predicted) as category,
    given['subcategory'] as subcategory_given,
    'subcategory ' || shown.subcategory_code as subcategory_predicted,
    shown.subcategory_sure as subcategory_confidence,
    coalesce(subcategory_given, subcategory_predicted) as subcategory,
    given['product_type'] as product_type_given,
    'product_type ' || shown.product_type_code as product_type_predicted,
    shown.product_type_sure as product_type_confidence,
    coalesce(product_type_given, product_type_predicted) as product_type,
    if(
        changed > $night and number % 3 = 0 and given['colour'] is not null,
        'colour 0',
        given['colour']
    ) as colour_given,
    'colour ' || shown.colour_code as colour_predicted,
    shown.colour_sure as colour_confidence,
    coalesce(colour_given, colour_predicted) as colour
from coming_products as records
left join shown using (number)
where came >= $since or (changed >= $since and changed <= $night and number % 3 = 0)
order by line
