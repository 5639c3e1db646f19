-- Where the labels of a source's products come from, attribute by attribute, and how many of those
-- that the tagger alone gave are sure enough: null where it is not known how sure that is.
-- One row per attribute.
-- params: $source, $below (confidence of a label that wants review)
select
    attribute,
    count(given) as given,
    count(predicted) filter (where given is null) as predicted,
    count(*) filter (where given is null and confidence < $below) as unsure,
    count(*) as products,
    if(count(review) > 0, count(*) filter (where given is null and not review), null) as accepted,
    if(count(review) > 0, count(*) filter (where review), null) as to_review
from labels
where source = $source
group by attribute
having count(label) > 0
order by attribute
