-- The run to compare with: when it began, and its model.
-- One row, or none when there is no such run.
-- params: $before
select started::timestamptz as started, model
from history.manifests
where run = $before
