-- What share of the posts that show a label are high?
-- One row a source, attribute and label, the highest share first; the interval is Wilson's, 95 %.
-- What posts show is the current tagger's opinion, and a share is no cause.
-- $attribute (text, optional): only this attribute, such as colour
-- $fewest (whole number, default 20): leave out labels of fewer posts
-- $top (whole number, default 20): at most so many rows
with

counted as (

    select
        post_tags.source,
        post_tags.attribute,
        post_tags.label,
        count(*) as posts,
        count_if(engagement.label = 'high') as high,
        high / posts as share,
        1.959964 ^ 2 as z2
    from post_tags
    join engagement using (source, id)
    where
        engagement.label is not null
        and ($attribute is null or post_tags.attribute = $attribute)
    group by post_tags.source, post_tags.attribute, post_tags.label

),

bounded as (

    select
        *,
        (share + z2 / (2 * posts)) / (1 + z2 / posts) as centre,
        sqrt(z2 * (share * (1 - share) / posts + z2 / (4 * posts ^ 2))) / (1 + z2 / posts) as reach
    from counted

)

select
    source,
    attribute,
    label,
    posts,
    high,
    round(share, 4) as share,
    round(centre - reach, 4) as share_low,
    round(centre + reach, 4) as share_high
from bounded
where posts >= $fewest
order by bounded.share desc, posts desc, source, attribute, label
limit $top
