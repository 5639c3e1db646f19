-- What is no longer in the CSV of this source, as rows of its table.
-- One row a product or post.
-- params: $source, $seen_at
select known.* replace (true as gone, $seen_at::timestamptz as seen_at)
from known
anti join staged using (id)
where known.source = $source and not known.gone
