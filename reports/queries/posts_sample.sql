-- Posts to show beside their score, lot by lot:
-- wrong (measured, and guessed wrongly; the surest mistakes), right (measured, and guessed rightly),
-- unknown (their likes can't be labelled), seen (labelled, but the model learned from them).
-- One row per post; but for the wrong ones the order is that of a hash.
-- params: $source, $wrong, $right, $unknown, $seen (posts a lot)
with

scored as (

    select
        engagement.id,
        left(posts.account, 80) as account,
        left(posts.caption, 160) as caption,
        posts.likes,
        engagement.label,
        engagement.reason,
        engagement.score,
        engagement.threshold,
        engagement.guess,
        engagement.pictures[1] as picture,
        case
            when engagement.label is null then 'unknown'
            when not engagement.evaluated then 'seen'
            when engagement.label = engagement.guess then 'right'
            else 'wrong'
        end as lot
    from engagement
    inner join posts using (source, id)
    where source = $source and engagement.score is not null

),

numbered as (

    select
        *,
        row_number() over (
            partition by lot
            order by if(lot = 'wrong', abs(score - threshold), 0) desc, md5(id), id
        ) as place
    from scored

)

select lot, left(id, 80) as id, account, caption, likes, label, reason, score, threshold, guess, picture
from numbered
where
    place <= case lot
        when 'wrong' then $wrong when 'right' then $right when 'unknown' then $unknown else $seen
    end
order by list_position(['wrong', 'right', 'unknown', 'seen'], lot), place
