-- What models say about products whose label the CSV gives.
-- One row a labelled product (still in its CSV), model and head.
-- head: the attribute that is compared
-- truth: the label in the CSV; the model may not know it
-- guess: the label with the highest score; null if the model's card is gone
-- confidence: the highest score, a probability, 0 to 1
-- correct: whether guess and truth are equal
-- scores: a probability for each label of the model's vocabulary, the mean over the pictures
-- pictures: pictures of the product that the model has looked at
-- trained_on: whether the model was trained or validated on one of the pictures, on one like
--   it, or on a product of the same title: such rows say nothing about its quality
with

labelled as (

    select source, id, title, given, list_distinct(pictures) as locations
    from products
    where not gone and cardinality(given) > 0

),

-- Most products have one picture; only the others pay for taking lists of scores apart.
single as (

    select
        labelled.source,
        labelled.id,
        labelled.title,
        labelled.given,
        scores.model,
        scores.head,
        scores.scores,
        1 as pictures,
        scores.trained_on
    from labelled
    join fetches on labelled.locations[1] = fetches.location
    join history.scores as scores on fetches.picture = scores.picture
    where len(labelled.locations) = 1

),

unnested as (

    select source, id, unnest(locations) as location
    from labelled
    where len(locations) > 1

),

looks as (

    select distinct unnested.source, unnested.id, fetches.picture
    from unnested
    join fetches on unnested.location = fetches.location

),

gathered as (

    select
        looks.source,
        looks.id,
        scores.model,
        scores.head,
        flatten(list(scores.scores)) as every,
        count(*) as pictures,
        bool_or(scores.trained_on) as trained_on
    from looks
    join history.scores as scores on looks.picture = scores.picture
    group by looks.source, looks.id, scores.model, scores.head

),

-- Every so many scores belong to the same label.
several as (

    select
        * exclude (every),
        [
            list_avg(every[label:len(every):len(every) // pictures])::float
            for label in range(1, len(every) // pictures + 1)
        ] as scores
    from gathered

),

scored as (

    select *
    from single

    union all by name

    select several.*, labelled.title, labelled.given
    from several
    join labelled on several.source = labelled.source and several.id = labelled.id

),

trained_titles as (

    -- Titles are equal as the split has them equal: without regard to case and spaces.
    select distinct model, lower(trim(regexp_replace(title, '\s+', ' ', 'g'))) as title
    from history.splits
    where side in ('train', 'validation') and title is not null

),

vocabularies as (

    select
        model,
        unnest(
            map_entries(try_cast(card -> 'vocabulary' as map(varchar, varchar[]))),
            recursive := true
        )
    from models

)

select
    scored.source,
    scored.id,
    scored.model,
    scored.head,
    scored.given[scored.head] as truth,
    vocabularies.value[list_position(scored.scores, list_max(scored.scores))] as guess,
    list_max(scored.scores) as confidence,
    guess = truth as correct,
    scored.scores,
    scored.pictures,
    scored.trained_on or trained_titles.title is not null as trained_on
from scored
left join vocabularies
    on scored.model = vocabularies.model and scored.head = vocabularies.key
left join trained_titles
    on scored.model = trained_titles.model
    and lower(trim(regexp_replace(scored.title, '\s+', ' ', 'g'))) = trained_titles.title
where scored.given[scored.head] is not null
