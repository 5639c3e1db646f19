-- What was staged and is new, or reads otherwise than the last time, as rows of its table.
-- One row a product or post.
-- params: $source, $seen_at
select
    staged.*,
    $seen_at::timestamptz as seen_at
from staged
left join known
    on known.source = $source
    and known.id = staged.id
    and not known.gone
where known.row_hash is distinct from staged.row_hash
