-- The posts, and on which night each came. Of twenty posts one hides its likes, four show no
-- product and one shows a product that never was.
-- One row a post.
create table posted as
select
    number,
    format('m{:07d}', number) as id,
    greatest(
        0,
        1 + (number - getvariable('posts') + getvariable('posted') * (getvariable('nights') - 1))
        // getvariable('posted')
    ) as came,
    'account ' || hash(number, 'account') % 1000 as account,
    1000 + hash(account) % 500000 as followers,
    if(number % 20 = 0, -1, (2 ** (4 + hash(number, 'likes') % 1000 / 80.0))::bigint) as likes,
    hash(number, 'comments') % 300 as comments,
    timestamptz '2024-06-01 00:00:00Z' + interval 1 minute * (hash(number, 'time') % 300000)
        as posted_at,
    case
        when number % 20 between 1 and 4 then null
        when number % 20 = 5 then 'q' || number
        else format('p{:07d}', hash(number, 'product') % getvariable('ever'))
    end as product_id,
    format('https://cdn.network.example/v/{}/{}.jpg', md5('' || number), number) as location
from range(getvariable('posts')) as numbers(number)
order by number;
