-- How has a figure of the models moved from one to the next?
-- One row a model and head as its card tells it (test side), and a run and source of engage that
-- measured it; the newest first.
-- $metric (text, default accuracy): accuracy or loss of cards; of engage also roc_auc, f1, brier
-- $top (whole number, default 20): at most so many rows
with

measured as (

    select
        model,
        created::timestamptz as measured_at,
        card -> 'metrics' -> 'test' -> if($metric = 'loss', 'losses', $metric) as figures,
        try_cast(card -> 'split' -> 'sides' -> 'test' ->> 'examples' as bigint) as n
    from models

),

of_cards as (

    select
        measured_at,
        model,
        n,
        unnest(map_entries(try_cast(figures as map(varchar, json))), recursive := true)
    from measured

)

select
    measured_at,
    'card' as told_by,
    model,
    key as what,
    try_cast(value as double) as value,
    null::double as low,
    null::double as high,
    n
from of_cards

union all

select evaluated_at, 'engage', model, source, value, low, high, n
from history.engagement_evaluation
where metric = $metric
order by measured_at desc, model, what
limit $top
