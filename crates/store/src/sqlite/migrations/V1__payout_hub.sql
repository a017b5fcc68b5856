-- The payout hub on one SQLite file. Keys that the server makes are integers in ascending order, so
-- that rows are appended; the only random key is a client's distinct_key.

CREATE TABLE store (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    store_id    BLOB NOT NULL,
    made_at     INTEGER NOT NULL,
    environment TEXT NOT NULL
);

-- Which serials were handed out in which epoch (decision I1).
CREATE TABLE epochs (
    epoch        INTEGER PRIMARY KEY,
    first_serial INTEGER NOT NULL
);

-- Which keys this store knows, by fingerprint (decision I2).
CREATE TABLE key_prints (
    kind  TEXT NOT NULL,
    id    INTEGER NOT NULL,
    print BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE TABLE partners (
    no             INTEGER PRIMARY KEY,
    cst_id         TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    suspended      INTEGER NOT NULL,
    key_generation INTEGER NOT NULL,
    verifier       BLOB NOT NULL,
    webhook_url    TEXT,
    webhook_secret BLOB,
    sources        TEXT NOT NULL,
    transfer_cap   INTEGER,
    made_at        INTEGER NOT NULL
);

-- Balances can not fall below zero; decide sees to it first, this is the wall behind it (figure 4).
CREATE TABLE ledgers (
    partner      INTEGER PRIMARY KEY,
    available    INTEGER NOT NULL CHECK (available >= 0),
    held         INTEGER NOT NULL CHECK (held >= 0),
    suspense     INTEGER NOT NULL CHECK (suspense >= 0),
    funded       INTEGER NOT NULL CHECK (funded >= 0),
    open_group   INTEGER,
    chain_head   BLOB NOT NULL,
    chain_length INTEGER NOT NULL
);

CREATE TABLE rails (
    no           INTEGER PRIMARY KEY,
    paused_at    INTEGER,
    paused_by    TEXT,
    pause_reason TEXT,
    bank_counter INTEGER NOT NULL,
    notices_seen INTEGER NOT NULL,
    settlement   INTEGER NOT NULL
);
INSERT INTO rails VALUES (1, NULL, NULL, NULL, 0, 0, 0);

CREATE TABLE groups (
    no          INTEGER PRIMARY KEY,
    partner     INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    mode        INTEGER NOT NULL,
    row_count   INTEGER NOT NULL,
    waiting     INTEGER NOT NULL CHECK (waiting >= 0),
    waiting_sum INTEGER NOT NULL CHECK (waiting_sum >= 0),
    unclaimed   INTEGER NOT NULL CHECK (unclaimed >= 0),
    webhook_url TEXT
);
CREATE INDEX groups_unclaimed ON groups (partner) WHERE unclaimed > 0;
CREATE INDEX groups_waiting ON groups (partner) WHERE waiting > 0;

CREATE TABLE billing_keys (
    no          INTEGER PRIMARY KEY,
    partner     INTEGER NOT NULL,
    sub_id      TEXT,
    bank        TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    dead        INTEGER,
    account     BLOB NOT NULL,
    fingerprint BLOB NOT NULL
);
CREATE INDEX billing_keys_by_fingerprint ON billing_keys (fingerprint);

-- own: the row's own state; NULL where its group decides (decision H13).
CREATE TABLE payouts (
    no           INTEGER PRIMARY KEY,
    partner      INTEGER NOT NULL,
    grp          INTEGER NOT NULL,
    billing_key  INTEGER NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    distinct_key TEXT NOT NULL,
    sub_id       TEXT,
    print        TEXT NOT NULL,
    print_sent   INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    own          INTEGER,
    webhook_url  TEXT
);
CREATE UNIQUE INDEX payouts_by_distinct_key ON payouts (partner, distinct_key);
CREATE INDEX payouts_by_group ON payouts (grp);
CREATE INDEX payouts_at_work ON payouts (own, partner) WHERE own IN (1, 2, 5);

CREATE TABLE attempts (
    payout        INTEGER PRIMARY KEY,
    partner       INTEGER NOT NULL,
    bank_no       INTEGER,
    day           INTEGER NOT NULL,
    sent_at       INTEGER NOT NULL,
    sends         INTEGER NOT NULL,
    bank_code     INTEGER,
    bank_code_sub INTEGER NOT NULL,
    failure       TEXT,
    why           INTEGER,
    answered_at   INTEGER,
    inquiries     INTEGER NOT NULL,
    inquire_at    INTEGER,
    returned_at   INTEGER,
    return_code   INTEGER
);
CREATE UNIQUE INDEX attempts_by_bank_no ON attempts (bank_no) WHERE bank_no IS NOT NULL;
CREATE INDEX attempts_by_day ON attempts (partner, day);
CREATE INDEX attempts_to_inquire ON attempts (inquire_at) WHERE inquire_at IS NOT NULL;

-- Append only; hash chains every partner's lines (docs/adr/0004).
CREATE TABLE postings (
    no           INTEGER PRIMARY KEY,
    partner      INTEGER NOT NULL,
    entry        INTEGER NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    subject_kind INTEGER NOT NULL,
    subject      INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    hash         BLOB NOT NULL
);

CREATE TABLE funds (
    partner   INTEGER NOT NULL,
    reference TEXT NOT NULL,
    amount    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (partner, reference)
) WITHOUT ROWID;

CREATE TABLE notices (
    no          INTEGER PRIMARY KEY,
    partner     INTEGER NOT NULL,
    payout      INTEGER NOT NULL,
    outcome     INTEGER NOT NULL,
    made_at     INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    last_status INTEGER NOT NULL,
    last_at     INTEGER
);
CREATE INDEX notices_due ON notices (partner, next_at) WHERE state = 0;
CREATE INDEX notices_by_payout ON notices (payout);

CREATE TABLE events (
    no         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor      TEXT,
    partner    INTEGER,
    kind       INTEGER NOT NULL,
    about_kind INTEGER NOT NULL,
    about      INTEGER NOT NULL,
    amount     INTEGER,
    note       TEXT
);
