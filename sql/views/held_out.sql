-- What the current tagger says of labels that the shop gave, where it can be graded by that: not of
-- products that it learnt from. As the newest run over their CSV decided.
-- One row a product still in its CSV and attribute.
-- attribute: what is told, such as colour
-- truth: the label in the CSV; the model may not know it
-- guess: the label that the model sees
-- confidence: probability that the model gives the guess, 0 to 1
-- correct: whether guess and truth are equal
with

tagger as (

    select model
    from models
    where task = 'tagger' and current

),

tagged as materialized (

    select source, id, pictures
    from tags
    semi join tagger using (model)

),

looks as (

    select source, id, pictures[1] as picture
    from tagged
    where len(pictures) = 1

    union all

    select source, id, unnest(pictures) as picture
    from tagged
    where len(pictures) > 1

),

-- It was trained or validated on them, or on pictures like them.
learnt as (

    select picture
    from history.scores
    semi join tagger using (model)
    where trained_on

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
    where lower(trim(regexp_replace(products.title, '\s+', ' ', 'g'))) in (from titles)

),

fresh as (

    select source, id
    from tagged
    anti join seen using (source, id)
    anti join namesakes using (source, id)

)

select
    labels.source,
    labels.id,
    labels.attribute,
    labels.given as truth,
    labels.predicted as guess,
    labels.confidence,
    labels.predicted = labels.given as correct,
    labels.model
from labels
semi join fresh using (source, id)
where labels.given is not null and labels.predicted is not null
