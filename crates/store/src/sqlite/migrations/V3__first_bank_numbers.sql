-- A payout's first bank number follows from its serial, so that it is known even to a store that went
-- back (docs/adr/0012). Numbers of before were counted from zero, so every store of before starts
-- an epoch in which none of them can come again.
ALTER TABLE epochs ADD COLUMN in_doubt INTEGER NOT NULL DEFAULT 0;
-- Its numbers were counted: what a payout's would have been is not known, and must not be guessed.
ALTER TABLE epochs ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
UPDATE epochs SET counted = 1;
INSERT INTO epochs (epoch, first_serial, in_doubt)
SELECT (SELECT max(epoch) + 1 FROM epochs),
       max((SELECT ifnull(max(no), 0) FROM payouts), (SELECT ifnull(max(no), 0) FROM groups),
           (SELECT ifnull(max(no), 0) FROM billing_keys), (SELECT ifnull(max(no), 0) FROM partners),
           (SELECT max(first_serial) - 1 FROM epochs)) + 1,
       0
WHERE EXISTS (SELECT 1 FROM epochs);
