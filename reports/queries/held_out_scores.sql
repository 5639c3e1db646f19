-- Truths and scores of labelled products that a model never trained on: a sample by hash.
-- One row per product and head; the products come in the order of their hash.
-- params: $source, $model, $most (products)
with

held_out as (

    select id, head, truth, scores, md5(id) as place
    from evaluations
    where source = $source and model = $model and not trained_on

),

sample as (

    select place, id
    from (select distinct place, id from held_out)
    order by place, id
    limit $most

)

select held_out.id, head, truth, scores
from held_out
inner join sample using (place, id)
order by place, held_out.id, head
