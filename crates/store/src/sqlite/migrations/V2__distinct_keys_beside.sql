-- Which distinct_keys were used is indexed in a file of its own, made from the rows
-- (docs/adr/0010): a unique index on random keys cost a random page in every commit.
DROP INDEX payouts_by_distinct_key;
