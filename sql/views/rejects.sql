-- Rows that the newest `tag` run of each source refused.
-- One row a refused row of a CSV.
with

newest as (

    select max(run) as run
    from history.manifests
    where job = 'tag'
    group by source

)

select rejects.*
from history.rejects as rejects
semi join newest using (run)
