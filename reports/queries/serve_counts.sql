-- How much a page over the store has to show.
-- One row.
select
    (select count(*) from products where not gone) as products,
    (select count(*) from failures) as failures
