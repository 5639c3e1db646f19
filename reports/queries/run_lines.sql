-- The finished runs of a store, each with the headline of its report as JSON, where one was kept.
-- One row a run.
with

headlines as (

    select run, any_value(value) as headline
    from history.results
    where part = 'headline'
    group by run

)

select
    runs.run,
    runs.job,
    runs.started,
    runs.seconds,
    runs.source,
    runs.model,
    runs.counts::varchar as counts,
    runs.report,
    headlines.headline
from runs
left join headlines using (run)
