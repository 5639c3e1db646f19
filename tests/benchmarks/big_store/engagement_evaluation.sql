-- What a night's run measured.
-- One row a metric.
select
    'posts' as source,
    'engagement/1' as model,
    'likes > 10000' as rule,
    'account' as split,
    metric,
    0.6 as value,
    0.55 as low,
    0.65 as high,
    190000 as n,
    $at as evaluated_at
from (
    select unnest(
        ['posts_measured', 'roc_auc', 'roc_auc_inside_accounts', 'precision', 'recall', 'f1',
        'accuracy', 'majority', 'pr_auc', 'base_rate', 'brier', 'calibration_error']
    ) as metric
)
where $since <= $night
