-- Several PostgreSQL clusters, called cells, and which of them has which of the 1,024 logical shards
-- (docs/adr/0024). A store without cells has no row in `shards`: everything is its own.

-- Which cell this is; whose epoch it is.
ALTER TABLE store ADD COLUMN cell SMALLINT;
ALTER TABLE epochs ADD COLUMN cell SMALLINT;

-- Counts changes of what this cell has.
ALTER TABLE versions ADD COLUMN map BIGINT NOT NULL DEFAULT 0;

-- What a node knows how to do; a shard moves only where all of them know of shards. And how often they had
-- to give up the serials that they keep: a shard that arrives brings higher ones.
ALTER TABLE nodes ADD COLUMN knows INTEGER NOT NULL DEFAULT 1;
ALTER TABLE nodes ADD COLUMN renewed BIGINT NOT NULL DEFAULT 0;

-- Every batch locks the ledgers of its partners, so this is where it finds out that one is not here.
-- 0: here; 1: frozen, while its shard is handed over; 2: gone; 3: arriving.
ALTER TABLE ledgers ADD COLUMN away SMALLINT NOT NULL DEFAULT 0;

-- state 0: steady; 1: leaving, still served; 2: frozen; 3: arriving; 4: gone, and being cleared away here;
-- 5: brought whole, not handed over yet.
-- version counts the moves of a shard: of what two cells say the higher one is so.
CREATE TABLE shards (
    shard   SMALLINT PRIMARY KEY CHECK (shard BETWEEN 0 AND 1023),
    cell    SMALLINT NOT NULL,
    state   SMALLINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0,
    -- Where it goes to, or comes from.
    other   SMALLINT,
    -- When its nodes thaw it, if nobody has handed it over.
    until   TIMESTAMPTZ
) WITH (fillfactor = 50);

-- What changed of a shard since it began to leave: filled by triggers that stand only meanwhile.
CREATE UNLOGGED TABLE shard_changes (
    part SMALLINT NOT NULL,
    key  BIGINT NOT NULL
);
