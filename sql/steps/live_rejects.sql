-- The rows of `rejects` that live: what the newest run over each CSV refused.
-- One row a refused row of a CSV.
select * exclude (kind)
from rejects
