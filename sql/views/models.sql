-- Models in the store, from their cards.
-- One row a model: name and version.
-- name: name of the model
-- version: version of the model
-- task: what it is for, such as tagger
-- created: when it was trained (ISO 8601, UTC)
-- backbone: the network under its heads
-- image_size: side of the square that it looks at, in pixels
-- parameters: numbers in the network
-- heads: its heads, in alphabetical order
with

cards as (

    select model, current, try_cast(card as json) as card
    from history.cards

)

select
    model,
    split_part(model, '/', 1) as name,
    split_part(model, '/', 2) as version,
    card ->> 'task' as task,
    current,
    card ->> 'created' as created,
    card ->> 'backbone' as backbone,
    try_cast(card ->> 'image_size' as integer) as image_size,
    try_cast(card ->> 'parameters' as bigint) as parameters,
    list_sort(json_keys(card, '$.vocabulary')) as heads,
    card
from cards
