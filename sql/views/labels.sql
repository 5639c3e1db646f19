-- Labels of the products that are still in their CSV, one by one: what `tags` has side by side.
-- One row a product (source and id) and attribute.
-- attribute: what is told, such as colour
-- given: the label in the CSV; null when it has none
-- predicted: the label that the model sees; null without a picture, or when it knows no such
-- confidence: probability that the model gives the predicted label, 0 to 1
-- review: whether somebody should look: it is predicted, and the model is not sure enough of it;
--   null where it is not known how sure is enough
-- label: the label: given, else predicted
with

present as materialized (

    select *
    from tags

)

-- For each attribute:
select
    source,
    id,
    'ATTRIBUTE' as attribute,
    "ATTRIBUTE_given" as given,
    "ATTRIBUTE_predicted" as predicted,
    "ATTRIBUTE_confidence" as confidence,
    "ATTRIBUTE_review" as review,
    "ATTRIBUTE" as label,
    model,
    pictures,
    run
from present
