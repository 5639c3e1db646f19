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

predicted as (

    select source, id, regexp_replace(attribute, '_predicted$', '') as attribute, label
    from (
        unpivot (select *, null::varchar as _predicted from tags)
        on columns('_predicted$')
        into name attribute value label
    )
    where attribute in ($upper || '_predicted', $lower || '_predicted')

),

seen as (

    select
        source,
        id,
        any_value(label) filter (where attribute = $upper) as upper,
        any_value(label) filter (where attribute = $lower) as lower
    from predicted
    group by source, id

),

labelled as (

    select
        products.source,
        products.id,
        products.title,
        coalesce(products.given[$upper], seen.upper) as upper,
        coalesce(products.given[$lower], seen.lower) as lower,
        products.given[$upper] is not null as upper_given,
        products.given[$lower] is not null as lower_given
    from products
    join seen using (source, id)
    where not products.gone

)

select
    labelled.source,
    labelled.id,
    labelled.title,
    labelled.upper,
    labelled.lower,
    labelled.upper_given,
    labelled.lower_given,
    usual.upper as usual_upper,
    usual.products as usual_products
from labelled
join usual on labelled.lower = usual.lower
anti join given on labelled.upper = given.upper and labelled.lower = given.lower
where labelled.upper is not null and not (labelled.upper_given and labelled.lower_given)
order by usual_products desc, labelled.source, labelled.id
limit $top
