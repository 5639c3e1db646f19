-- Which classes does the current tagger recognise least often?
-- One row an attribute and class, the lowest recall first; products trained on do not count.
-- $head (text, optional): only this attribute, such as colour
-- $fewest (whole number, default 5): leave out classes of fewer labelled products
-- $top (whole number, default 20): at most so many rows
with

answers as materialized (

    select attribute as head, truth, guess
    from held_out
    where $head is null or attribute = $head

),

labelled as (

    select head, truth as class, count(*) as products, count_if(guess = truth) as found
    from answers
    group by head, truth

),

guessed as (

    select head, guess as class, count(*) as guesses
    from answers
    group by head, guess

)

select
    head,
    class,
    products,
    found,
    round(found / products, 4) as recall,
    round(found / guesses, 4) as precision,
    round(2 * found / (products + coalesce(guesses, 0)), 4) as f1
from labelled
left join guessed using (head, class)
where products >= $fewest
order by found / products, products desc, head, class
limit $top
