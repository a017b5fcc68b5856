-- Payers' billing keys and what is paid with them (decisions C1 to C7). No card or account number is in any
-- of it: the acquirer keeps those and gave a token, which stands sealed with what people are called.

CREATE TABLE payers (
    no         INTEGER PRIMARY KEY,
    partner    INTEGER NOT NULL,
    method     INTEGER NOT NULL,
    owner      INTEGER NOT NULL,
    org        TEXT NOT NULL,
    org_name   TEXT NOT NULL,
    alias      BLOB,
    made_at    INTEGER NOT NULL,
    removed_at INTEGER,
    instrument BLOB NOT NULL
);
CREATE INDEX payers_of ON payers (partner);
-- Keys that were brought along keep the id that another service gave them.
CREATE UNIQUE INDEX payers_by_alias ON payers (partner, alias) WHERE alias IS NOT NULL;

CREATE TABLE charges (
    no         INTEGER PRIMARY KEY,
    partner    INTEGER NOT NULL,
    payer      INTEGER NOT NULL,
    method     INTEGER NOT NULL,
    oid        TEXT NOT NULL,
    month      INTEGER,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    taxed      INTEGER NOT NULL,
    vat        INTEGER NOT NULL CHECK (vat >= 0),
    at         INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    pay        INTEGER NOT NULL,
    refunded   INTEGER NOT NULL CHECK (refunded >= 0),
    refunding  INTEGER NOT NULL CHECK (refunding >= 0),
    refund_vat INTEGER NOT NULL CHECK (refund_vat BETWEEN 0 AND vat),
    settled_at INTEGER,
    receipt    INTEGER,
    texts      BLOB NOT NULL,
    CHECK (refunded + refunding <= amount)
);
CREATE INDEX charges_by_oid ON charges (partner, oid);
CREATE INDEX charges_by_month ON charges (payer, month) WHERE month IS NOT NULL;
CREATE INDEX charges_of ON charges (partner);
CREATE INDEX charges_unsettled ON charges (partner) WHERE settled_at IS NULL AND state = 3;

CREATE TABLE trades (
    no             INTEGER PRIMARY KEY,
    charge         INTEGER NOT NULL,
    partner        INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    amount         INTEGER NOT NULL CHECK (amount > 0),
    vat            INTEGER NOT NULL,
    from_captured  INTEGER NOT NULL CHECK (from_captured >= 0),
    undoes         INTEGER,
    epoch          INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    state          INTEGER NOT NULL,
    reason         INTEGER,
    why            INTEGER,
    answered_at    INTEGER,
    inquiries      INTEGER NOT NULL,
    inquire_at     INTEGER,
    auth_no        TEXT,
    receipt_no     TEXT,
    receipt_reason INTEGER
);
CREATE INDEX trades_of ON trades (charge);
CREATE INDEX trades_open ON trades (state) WHERE state IN (1, 2);
CREATE INDEX trades_to_inquire ON trades (inquire_at) WHERE inquire_at IS NOT NULL;

ALTER TABLE ledgers ADD COLUMN captured INTEGER NOT NULL DEFAULT 0 CHECK (captured >= 0);
ALTER TABLE ledgers ADD COLUMN refunding INTEGER NOT NULL DEFAULT 0 CHECK (refunding >= 0);
ALTER TABLE ledgers ADD COLUMN receivable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledgers ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0 CHECK (unsettled >= 0);

ALTER TABLE partners ADD COLUMN refund_verifier BLOB;
ALTER TABLE partners ADD COLUMN domains TEXT NOT NULL DEFAULT '';
ALTER TABLE partners ADD COLUMN payment_url TEXT;
ALTER TABLE partners ADD COLUMN removal_url TEXT;

-- A notice may be about a payment, with the call that it tells the end of, or about a payer's key.
ALTER TABLE notices RENAME COLUMN payout TO subject;
ALTER TABLE notices ADD COLUMN detail INTEGER;
