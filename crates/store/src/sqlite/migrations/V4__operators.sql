-- What persons decide (decisions M2, M3, H13): who they are, what they hold back, what waits for a second
-- one of them, and what the bank said to be there.

CREATE TABLE operators (
    name        TEXT PRIMARY KEY,
    public_key  BLOB NOT NULL,
    added_at    INTEGER NOT NULL,
    revoked_at  INTEGER,
    last_signed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE proposals (
    no        INTEGER PRIMARY KEY,
    kind      INTEGER NOT NULL,
    detail    INTEGER NOT NULL,
    partner   INTEGER NOT NULL,
    payout    INTEGER,
    amount    INTEGER NOT NULL,
    note      TEXT NOT NULL,
    by_whom   TEXT NOT NULL,
    at        INTEGER NOT NULL,
    state     INTEGER NOT NULL,
    closed_by TEXT,
    closed_at INTEGER
);
CREATE INDEX proposals_open ON proposals (no) WHERE state = 0;

ALTER TABLE partners ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

CREATE TABLE holds (
    payout  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    by_whom TEXT NOT NULL,
    reason  TEXT NOT NULL
);

ALTER TABLE rails ADD COLUMN balance INTEGER;
ALTER TABLE rails ADD COLUMN balance_at INTEGER;
ALTER TABLE rails ADD COLUMN balance_by TEXT;

-- Bank statements that were matched, by the digest of the file: the same one counts once.
CREATE TABLE statements (
    digest   BLOB PRIMARY KEY,
    at       INTEGER NOT NULL,
    by_whom  TEXT NOT NULL,
    name     TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    findings INTEGER NOT NULL
) WITHOUT ROWID;

-- Suspense is what a partner owes after a correction: never above zero.
CREATE TABLE ledgers_of_4 (
    partner      INTEGER PRIMARY KEY,
    available    INTEGER NOT NULL CHECK (available >= 0),
    held         INTEGER NOT NULL CHECK (held >= 0),
    suspense     INTEGER NOT NULL CHECK (suspense <= 0),
    funded       INTEGER NOT NULL CHECK (funded >= 0),
    open_group   INTEGER,
    chain_head   BLOB NOT NULL,
    chain_length INTEGER NOT NULL
);
INSERT INTO ledgers_of_4 SELECT * FROM ledgers;
DROP TABLE ledgers;
ALTER TABLE ledgers_of_4 RENAME TO ledgers;

-- The story of one payout, but for the lines that every payout has: those follow from its rows, and an
-- index on them would cost every payout a random page.
CREATE INDEX events_of ON events (about_kind, about)
    WHERE kind IN (12, 13, 17, 18, 19, 26, 27, 28, 31, 32, 33, 34, 35, 40);
