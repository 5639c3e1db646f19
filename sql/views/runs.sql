-- Finished runs, from their manifests.
-- One row a run; ids sort by time.
select
    * replace (
        started::timestamptz as started,
        finished::timestamptz as finished,
        arguments::json as arguments,
        counts::json as counts
    )
from history.manifests
