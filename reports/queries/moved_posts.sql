-- Posts whose label or guess is another one than after the run $before, and why.
-- One row a thing (label or guess), cause, and what it was and is; null is unknown, or no guess.
-- Causes of a label: rule, age (too young then, or now), bar (what training posts set), likes (what
-- else is known of the post or its account).
-- Causes of a guess: model, picture, head (another one of the model's, with its threshold).
-- params: $source, $before
with

newest as (

    select id, max(decided_at) as decided_at
    from history.engagement
    where source = $source and run <= $before
    group by id

),

past as (

    select decided.*
    from history.engagement as decided
    semi join newest using (id, decided_at)
    where source = $source and run <= $before

),

both_times as (

    select
        past.label as label_before,
        now.label as label_now,
        past.guess as guess_before,
        now.guess as guess_now,
        case
            when past.rule != now.rule then 'rule'
            when
                (past.reason is not distinct from 'too_young')
                != (now.reason is not distinct from 'too_young') then 'age'
            when past.bar is distinct from now.bar then 'bar'
            else 'likes'
        end as cause_of_label,
        case
            when past.model is distinct from now.model then 'model'
            when past.pictures is distinct from now.pictures then 'picture'
            else 'head'
        end as cause_of_guess
    from past
    inner join engagement as now using (source, id)

)

select
    'label' as what,
    cause_of_label as cause,
    label_before as before,
    label_now as now,
    count(*) as posts
from both_times
where label_before is distinct from label_now
group by all

union all

select
    'guess' as what,
    cause_of_guess as cause,
    guess_before as before,
    guess_now as now,
    count(*) as posts
from both_times
where guess_before is distinct from guess_now
group by all

order by what, posts desc, cause, before, now
