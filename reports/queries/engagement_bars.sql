-- The lowest and the highest number that the posts of a source were compared with.
-- One row; nulls where every account has a bar of its own.
-- params: $source
select min(bar) as lowest, max(bar) as highest
from engagement
where source = $source
