-- The staged posts that were last decided on with something else than now: another model, or
-- another rule; or never.
-- One row a post.
-- params: $source, $basis (what decides, in the words of the job)
with

newest as (

    select arguments ->> 'basis' as basis
    from runs
    where job = 'engage' and source = $source
    order by run desc
    limit 1

)

select staged.id
from staged
where not exists (from newest where newest.basis = $basis)
