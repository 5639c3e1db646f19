-- The refused rows of a source's CSV: the first few of every reason, in the CSV's order.
-- One row per refused row.
-- params: $source, $each (rows a reason), $top
with

numbered as (

    select
        line, first_line, "column", reason, detail,
        row_number() over (partition by reason order by line) as place
    from rejects
    where source = $source

)

select line, first_line, "column", reason, detail
from numbered
where place <= $each
order by line
limit $top
