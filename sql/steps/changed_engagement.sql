-- What was decided about posts (table decided, in the columns of `engagement`), where it is not
-- what the store says already.
-- One row a post.
-- params: $source
with

before as (

    select *
    from engagement
    where source = $source

)

select decided.*
from decided
left join before on before.id = decided.id
where
    before.id is null
    or (
        decided.label,
        decided.reason,
        decided.score,
        decided.threshold,
        decided.guess,
        decided.head,
        decided.evaluated,
        decided.model,
        decided.rule,
        decided.bar,
        decided.pictures
    ) is distinct from (
        before.label,
        before.reason,
        before.score,
        before.threshold,
        before.guess,
        before.head,
        before.evaluated,
        before.model,
        before.rule,
        before.bar,
        before.pictures
    )
