-- The refused rows of a source's CSV of products or posts: the first few of every reason, in the
-- order of the CSV.
-- One row per refused row.
-- params: $kind (product or post), $source, $each (rows a reason), $top
with

numbered as (

    select
        line, first_line, "column", reason, detail,
        row_number() over (partition by reason order by line) as place
    from rejects
    where kind = $kind and source = $source

)

select line, first_line, "column", reason, detail
from numbered
where place <= $each
order by line
limit $top
