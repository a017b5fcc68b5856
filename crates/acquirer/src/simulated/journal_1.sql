PRAGMA application_id = 0x69634131;

-- One row for each call that asked for something new, carried out or not. No number of a card, of an
-- account or of a person is among it: a token has no part of any.
CREATE TABLE trades (
    no INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    -- The payment that it is about; NULL for a payment itself, and where there was none.
    pay INTEGER REFERENCES trades (no),
    -- These two: of payments only.
    order_no TEXT,
    token TEXT,
    by_card INTEGER NOT NULL CHECK (by_card IN (0, 1)),
    amount INTEGER NOT NULL,
    -- Why it was not carried out; NULL where it was.
    reason INTEGER,
    -- The number of the cash receipt that it issued or canceled.
    receipt INTEGER,
    -- Why the cash receipt that was to go with it was refused.
    receipt_reason INTEGER,
    inquiries INTEGER NOT NULL DEFAULT 0
) STRICT;

-- An order is captured once.
CREATE UNIQUE INDEX captured ON trades (order_no) WHERE kind = 1 AND reason IS NULL;
CREATE INDEX trades_of_pay ON trades (pay) WHERE pay IS NOT NULL;

-- What calls came with. A payment has more than one where its order was asked for again.
CREATE TABLE refs (
    reference TEXT PRIMARY KEY,
    trade INTEGER NOT NULL REFERENCES trades (no),
    alias INTEGER NOT NULL CHECK (alias IN (0, 1)),
    calls INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

-- The cash receipt of a payment, while it stands.
CREATE TABLE receipts (
    pay INTEGER PRIMARY KEY REFERENCES trades (no),
    receipt INTEGER NOT NULL,
    amount INTEGER NOT NULL
) STRICT;
