-- What did each run cost?
-- One row a run, the newest first.
-- $job (text, optional): only this command, such as tag
-- $top (whole number, default 20): at most so many rows
with

newest as (

    select run, job, source, started, seconds, rows, bytes
    from runs
    where $job is null or job = $job
    order by run desc
    limit $top

),

asked as (

    select
        run,
        count(*) as locations,
        sum(attempts) as tries,
        sum(seconds) as fetch_seconds,
        sum(size) filter (where outcome = 'fetched') as fetched_bytes
    from history.fetches
    semi join newest using (run)
    group by run

),

looked as (

    select run, count(distinct picture) as pictures
    from history.predictions
    semi join newest using (run)
    where rank = 1
    group by run

)

select
    newest.run,
    newest.job,
    newest.source,
    newest.started,
    newest.seconds,
    newest.rows as rows_written,
    newest.bytes as bytes_written,
    coalesce(asked.locations, 0) as locations_asked,
    coalesce(asked.tries, 0) as tries,
    round(coalesce(asked.fetch_seconds, 0), 1) as fetch_seconds,
    coalesce(asked.fetched_bytes, 0) as bytes_fetched,
    coalesce(looked.pictures, 0) as pictures_looked_at,
    round(1000 * newest.seconds / nullif(looked.pictures, 0), 1) as seconds_per_1000_pictures
from newest
left join asked using (run)
left join looked using (run)
order by newest.run desc
