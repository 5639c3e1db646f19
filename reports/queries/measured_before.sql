-- What a run measured of the posts of a source, as the store keeps it, by which model,
-- rule and split.
-- One row for the posts that it measured, though there were none, and one an area.
-- params: $source, $run
select metric, model, rule, split, value, low, high, n
from history.engagement_evaluation
where source = $source and run = $run and metric in ('posts_measured', 'roc_auc', 'roc_auc_inside_accounts')
