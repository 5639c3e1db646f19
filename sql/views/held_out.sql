-- What the current tagger says of labels that the shop gave, where it can be graded by that: not of
-- products that it learnt from. As the newest run over their CSV decided.
-- One row a product still in its CSV and attribute.
-- attribute: what is told, such as colour
-- truth: the label in the CSV; the model may not know it
-- guess: the label that the model sees
-- confidence: probability that the model gives the guess, 0 to 1
-- correct: whether guess and truth are equal
with

-- Any head of it: what it learnt it learnt with all of them.
tagger as (

    select model, heads[1] as head
    from models
    where task = 'tagger' and current

),

-- It was trained or validated on them, or on pictures like them.
learnt as materialized (

    select picture
    from history.scores
    semi join tagger using (model, head)
    where trained_on

),

tagged as (

    select *
    from tags
    semi join tagger using (model)

),

-- Most products have one picture; only others of these pay for taking lists apart.
likely as materialized (

    select *
    from tagged
    anti join learnt on tagged.pictures[1] = learnt.picture

),

looks as (

    select source, id, unnest(pictures) as picture
    from likely
    where len(pictures) > 1

),

seen as (

    select source, id
    from looks
    semi join learnt using (picture)

),

-- Titles are equal as the split has them equal: without regard to case and spaces.
titles as (

    select lower(trim(regexp_replace(title, '\s+', ' ', 'g'))) as title
    from history.splits
    semi join tagger using (model)
    where side in ('train', 'validation') and title is not null

),

namesakes as (

    select source, id
    from products
    semi join likely using (source, id)
    where lower(trim(regexp_replace(products.title, '\s+', ' ', 'g'))) in (from titles)

),

fresh as materialized (

    select *
    from likely
    anti join seen using (source, id)
    anti join namesakes using (source, id)

)

-- For each attribute:
select
    source,
    id,
    'ATTRIBUTE' as attribute,
    "ATTRIBUTE_given" as truth,
    "ATTRIBUTE_predicted" as guess,
    "ATTRIBUTE_confidence" as confidence,
    "ATTRIBUTE_predicted" = "ATTRIBUTE_given" as correct,
    model
from fresh
where "ATTRIBUTE_given" is not null and "ATTRIBUTE_predicted" is not null
