-- The rows of `engagement_ladder` that live: all. They are few, and the history of each figure.
-- One row a run, source and rung.
select *
from history.engagement_ladder
