-- Rows that the newest run over each CSV refused: `tag` for products, `engage` for posts.
-- One row a refused row of a CSV.
-- kind: what the CSV lists: product or post
with

newest as (

    select max(run) as run, job
    from history.manifests
    where job in ('tag', 'engage')
    group by job, source

)

select
    case newest.job when 'tag' then 'product' else 'post' end as kind,
    rejects.*
from history.rejects as rejects
join newest using (run)
