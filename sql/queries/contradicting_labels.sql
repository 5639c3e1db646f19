-- Which products have two labels that no product was ever given together?
-- One row a product, the surest contradiction first (usual_products have the two labels that go
-- together); a lower label that was never given is not judged.
-- $upper (text, default category): the attribute that the other belongs under
-- $lower (text, default product_type): the attribute that belongs under it
-- $top (whole number, default 20): at most so many rows
with

given as (

    select given[$upper] as upper, given[$lower] as lower, count(*) as products
    from products
    where given[$upper] is not null and given[$lower] is not null
    group by all

),

usual as (

    select lower, arg_max(upper, (products, upper)) as upper, max(products) as products
    from given
    group by lower

),

-- Only pairs of which a label is predicted, which no product was given.
told as materialized (

    select source, id, attribute, given is not null as is_given, label
    from labels
    where attribute in ($upper, $lower) and label is not null

),

odd as materialized (

    select
        upper.source,
        upper.id,
        upper.label as upper,
        lower.label as lower,
        upper.is_given as upper_given,
        lower.is_given as lower_given,
        usual.upper as usual_upper,
        usual.products as usual_products
    from told as upper
    join told as lower
        on upper.source = lower.source and upper.id = lower.id and lower.attribute = $lower
    join usual on lower.label = usual.lower
    anti join given on upper.label = given.upper and lower.label = given.lower
    where upper.attribute = $upper and not (upper.is_given and lower.is_given)
    order by usual_products desc, upper.source, upper.id
    limit $top

),

-- Of few products: asking `products` would find what is newest of all.
titles as (

    select source, id, title
    from history.products
    semi join odd using (source, id)
    qualify row_number() over (partition by source, id order by seen_at desc) = 1

)

select
    odd.source,
    odd.id,
    titles.title,
    odd.upper,
    odd.lower,
    odd.upper_given,
    odd.lower_given,
    odd.usual_upper,
    odd.usual_products
from odd
join titles using (source, id)
order by odd.usual_products desc, odd.source, odd.id
