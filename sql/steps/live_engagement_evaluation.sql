-- The rows of `engagement_evaluation` that live: all. They are few, and the history of each figure.
-- One row a run, source and metric.
select *
from history.engagement_evaluation
