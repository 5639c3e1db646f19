-- Which classes does the current tagger mistake for which?
-- One row an attribute, class and wrong guess, the commonest mistake first; products trained on
-- do not count.
-- $head (text, optional): only this attribute, such as colour
-- $top (whole number, default 20): at most so many rows
with

answers as materialized (

    select attribute as head, truth, guess, confidence
    from held_out
    where $head is null or attribute = $head

),

labelled as (

    select head, truth, count(*) as labelled
    from answers
    group by head, truth

),

mistaken as (

    select head, truth, guess, count(*) as products, avg(confidence) as confidence
    from answers
    where guess != truth
    group by head, truth, guess

)

select
    mistaken.head,
    mistaken.truth,
    mistaken.guess,
    mistaken.products,
    labelled.labelled,
    round(mistaken.products / labelled.labelled, 4) as share,
    round(mistaken.confidence, 4) as mean_confidence
from mistaken
join labelled using (head, truth)
order by mistaken.products desc, share desc, mistaken.head, mistaken.truth, mistaken.guess
limit $top
