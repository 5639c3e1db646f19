-- What a night's run found on the ladder.
-- One row a rung.
select
    'posts' as source,
    'engagement/1' as model,
    'likes > 10000' as rule,
    'account' as split,
    place,
    'rung ' || place as rung,
    0.6 as roc_auc,
    0.55 as roc_auc_low,
    0.65 as roc_auc_high,
    0.6 as inside_accounts,
    0.55 as inside_accounts_low,
    0.65 as inside_accounts_high,
    190000 as n,
    $at as evaluated_at
from range(1, 6) as places(place)
where $since <= $night
