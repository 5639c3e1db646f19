-- The posts that were measured after the run $before and are now, by the same rule and bar: how
-- many are guessed rightly (stands), were wrong then and are not now (mended), and the other way
-- round (broken). Both guesses are held against today's label: other likes mend no answer.
-- One row; new counts the posts that were not decided on then.
-- params: $source, $before
with

newest as (

    select id, max(decided_at) as decided_at
    from history.engagement
    where source = $source and run <= $before
    group by id

),

past as (

    select
        decided.id,
        decided.evaluated,
        decided.guess,
        decided.rule,
        decided.bar
    from history.engagement as decided
    semi join newest using (id, decided_at)
    where source = $source and run <= $before

),

present as (

    select
        past.id is null as new,
        coalesce(
            past.evaluated
            and engagement.evaluated
            and past.rule = engagement.rule
            and past.bar is not distinct from engagement.bar,
            false
        ) as paired,
        engagement.label = past.guess as was_right,
        engagement.label = engagement.guess as is_right
    from engagement
    left join past using (id)
    where source = $source

)

select
    count(*) filter (where new) as new,
    count(*) filter (where paired) as n,
    count(*) filter (where paired and is_right and not was_right) as mended,
    count(*) filter (where paired and was_right and not is_right) as broken,
    count(*) filter (where paired and is_right) as stands
from present
