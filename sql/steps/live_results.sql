-- The rows of `results` that live: all. They are few, and `catalog report` draws any run again.
-- One row a run and part of its report.
select *
from history.results
