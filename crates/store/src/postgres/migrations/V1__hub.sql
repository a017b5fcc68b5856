-- The hub on PostgreSQL: the tables and columns of the embedded store. Serials come from one sequence, in
-- blocks, so that several nodes make rows at once; a partner's row in `ledgers` is what a batch locks.

CREATE TABLE store (
    one         SMALLINT PRIMARY KEY CHECK (one = 1),
    store_id    BYTEA NOT NULL,
    made_at     BIGINT NOT NULL,
    environment TEXT NOT NULL
);

-- Counts changes of what every node keeps in memory. Apart, because it is the last row that a batch locks.
CREATE TABLE versions (
    one     SMALLINT PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
) WITH (fillfactor = 20);
INSERT INTO versions VALUES (1, 0);

-- Which serials were handed out in which epoch (decision I1).
CREATE TABLE epochs (
    epoch        INTEGER PRIMARY KEY,
    first_serial BIGINT NOT NULL,
    in_doubt     BOOLEAN NOT NULL DEFAULT FALSE
);

-- A block of serials each time (docs/adr/0021).
CREATE SEQUENCE serials AS BIGINT INCREMENT BY 1024 MINVALUE 1 START WITH 1;

-- Which keys this store knows, by fingerprint (decision I2).
CREATE TABLE key_prints (
    kind  TEXT NOT NULL,
    id    BIGINT NOT NULL,
    print BYTEA NOT NULL,
    PRIMARY KEY (kind, id)
);

-- One row a start of a node. `batch` is the last batch that it committed: whoever lost the answer to a
-- COMMIT finds it here. A row that has ended fences its node: no batch of it is committed any more.
CREATE TABLE nodes (
    no         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    ended_at   TIMESTAMPTZ,
    batch      BIGINT NOT NULL DEFAULT 0,
    looks      BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
CREATE INDEX nodes_alive ON nodes (no) WHERE ended_at IS NULL;

-- When each of them was last heard of, apart from what its batches lock.
CREATE TABLE leases (
    node    BIGINT PRIMARY KEY,
    seen_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 20);

CREATE TABLE partners (
    no              BIGINT PRIMARY KEY,
    cst_id          TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    suspended       BOOLEAN NOT NULL,
    key_generation  BIGINT NOT NULL,
    verifier        BYTEA NOT NULL,
    webhook_url     TEXT,
    webhook_secret  BYTEA,
    sources         TEXT NOT NULL,
    transfer_cap    BIGINT,
    made_at         BIGINT NOT NULL,
    held            BOOLEAN NOT NULL,
    refund_verifier BYTEA,
    domains         TEXT NOT NULL,
    payment_url     TEXT,
    removal_url     TEXT
);

-- Balances can not fall below zero; decide sees to it first, this is the wall behind it (figure 4).
-- What a partner's payouts moved over the rail's settlement account stands with the partner: one row for
-- all would be where every node waits for every other.
CREATE TABLE ledgers (
    partner      BIGINT PRIMARY KEY,
    available    BIGINT NOT NULL CHECK (available >= 0),
    held         BIGINT NOT NULL CHECK (held >= 0),
    suspense     BIGINT NOT NULL CHECK (suspense <= 0),
    funded       BIGINT NOT NULL CHECK (funded >= 0),
    open_group   BIGINT,
    captured     BIGINT NOT NULL CHECK (captured >= 0),
    refunding    BIGINT NOT NULL CHECK (refunding >= 0),
    receivable   BIGINT NOT NULL,
    unsettled    BIGINT NOT NULL CHECK (unsettled >= 0),
    chain_head   BYTEA NOT NULL,
    chain_length BIGINT NOT NULL,
    settlement   BIGINT NOT NULL
) WITH (fillfactor = 40);

CREATE TABLE rails (
    no           SMALLINT PRIMARY KEY,
    paused_at    BIGINT,
    paused_by    TEXT,
    pause_reason TEXT,
    bank_counter BIGINT NOT NULL,
    notices_seen BIGINT NOT NULL,
    balance      BIGINT,
    balance_at   BIGINT,
    balance_by   TEXT
) WITH (fillfactor = 20);
INSERT INTO rails (no, bank_counter, notices_seen) VALUES (1, 0, 0);

CREATE TABLE groups (
    no          BIGINT PRIMARY KEY,
    partner     BIGINT NOT NULL,
    opened_at   BIGINT NOT NULL,
    mode        SMALLINT NOT NULL,
    row_count   BIGINT NOT NULL,
    waiting     BIGINT NOT NULL CHECK (waiting >= 0),
    waiting_sum BIGINT NOT NULL CHECK (waiting_sum >= 0),
    unclaimed   BIGINT NOT NULL CHECK (unclaimed >= 0),
    webhook_url TEXT,
    -- What the indexes go by changes seldom, so that a request's update of its group touches no index.
    waits       BOOLEAN NOT NULL GENERATED ALWAYS AS (waiting > 0) STORED,
    works       BOOLEAN NOT NULL GENERATED ALWAYS AS (unclaimed > 0) STORED
) WITH (fillfactor = 40);
CREATE INDEX groups_at_work ON groups (partner, no) WHERE works;
CREATE INDEX groups_waiting ON groups (partner, no) WHERE waits;

CREATE TABLE billing_keys (
    no          BIGINT PRIMARY KEY,
    partner     BIGINT NOT NULL,
    sub_id      TEXT,
    bank        TEXT NOT NULL,
    made_at     BIGINT NOT NULL,
    dead        INTEGER,
    account     BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL
);
CREATE INDEX billing_keys_by_fingerprint ON billing_keys (fingerprint);

-- own: the row's own state; NULL where its group decides (decision H13).
CREATE TABLE payouts (
    no           BIGINT PRIMARY KEY,
    partner      BIGINT NOT NULL,
    grp          BIGINT NOT NULL,
    billing_key  BIGINT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount > 0),
    print_sent   BOOLEAN NOT NULL,
    own          SMALLINT,
    at           BIGINT NOT NULL,
    distinct_key TEXT COLLATE "C" NOT NULL,
    sub_id       TEXT,
    print        TEXT NOT NULL,
    webhook_url  TEXT
);
CREATE UNIQUE INDEX payouts_by_distinct_key ON payouts (partner, distinct_key);
CREATE INDEX payouts_by_group ON payouts (grp, no);
CREATE INDEX payouts_at_work ON payouts (own, partner, no) WHERE own IN (1, 2, 5);

-- node: whose batch wrote it last; an intent of a node that has ended is taken over.
CREATE TABLE attempts (
    payout        BIGINT PRIMARY KEY,
    partner       BIGINT NOT NULL,
    bank_no       BIGINT,
    day           INTEGER NOT NULL,
    sent_at       BIGINT NOT NULL,
    sends         BIGINT NOT NULL,
    bank_code     INTEGER,
    bank_code_sub BIGINT NOT NULL,
    failure       TEXT,
    why           SMALLINT,
    answered_at   BIGINT,
    inquiries     BIGINT NOT NULL,
    inquire_at    BIGINT,
    returned_at   BIGINT,
    return_code   INTEGER,
    node          BIGINT NOT NULL
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX attempts_by_bank_no ON attempts (bank_no) WHERE bank_no IS NOT NULL;
CREATE INDEX attempts_by_day ON attempts (partner, day, payout);
CREATE INDEX attempts_to_inquire ON attempts (inquire_at) WHERE inquire_at IS NOT NULL;

-- Append only; hash chains every partner's lines (docs/adr/0004). A partner's lines are numbered in their
-- order, because its row is locked meanwhile; lines of different partners may stand in any order.
CREATE TABLE postings (
    no           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner      BIGINT NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount > 0),
    subject      BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    entry        SMALLINT NOT NULL,
    subject_kind SMALLINT NOT NULL,
    hash         BYTEA NOT NULL
);

CREATE TABLE funds (
    partner   BIGINT NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    amount    BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (partner, reference)
);

-- A notice may be about a payout, a payment with the call that it tells the end of, or a payer's key.
CREATE TABLE notices (
    no          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner     BIGINT NOT NULL,
    subject     BIGINT NOT NULL,
    detail      BIGINT,
    outcome     SMALLINT NOT NULL,
    state       SMALLINT NOT NULL,
    made_at     BIGINT NOT NULL,
    tries       BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    last_status BIGINT NOT NULL,
    last_at     BIGINT
) WITH (fillfactor = 80);
CREATE INDEX notices_due ON notices (partner, next_at, no) WHERE state = 0;
CREATE INDEX notices_by_subject ON notices (subject);

CREATE TABLE events (
    no         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
    about      BIGINT NOT NULL,
    partner    BIGINT,
    amount     BIGINT,
    kind       SMALLINT NOT NULL,
    about_kind SMALLINT NOT NULL,
    actor_kind SMALLINT NOT NULL,
    actor      TEXT,
    note       TEXT
);
CREATE INDEX events_of ON events (about_kind, about)
    WHERE kind IN (12, 13, 17, 18, 19, 26, 27, 28, 31, 32, 33, 34, 35, 40);

CREATE TABLE operators (
    name        TEXT COLLATE "C" PRIMARY KEY,
    public_key  BYTEA NOT NULL,
    added_at    BIGINT NOT NULL,
    revoked_at  BIGINT,
    last_signed BIGINT NOT NULL
);

CREATE TABLE proposals (
    no        BIGINT PRIMARY KEY,
    kind      BIGINT NOT NULL,
    detail    BIGINT NOT NULL,
    partner   BIGINT NOT NULL,
    payout    BIGINT,
    amount    BIGINT NOT NULL,
    note      TEXT NOT NULL,
    by_whom   TEXT NOT NULL,
    at        BIGINT NOT NULL,
    state     SMALLINT NOT NULL,
    closed_by TEXT,
    closed_at BIGINT
);
CREATE INDEX proposals_open ON proposals (no) WHERE state = 0;

CREATE TABLE holds (
    payout  BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    by_whom TEXT NOT NULL,
    reason  TEXT NOT NULL
);

-- Bank statements that were matched, by the digest of the file: the same one counts once.
CREATE TABLE statements (
    digest    BYTEA PRIMARY KEY,
    at        BIGINT NOT NULL,
    by_whom   TEXT NOT NULL,
    name      TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    findings  BIGINT NOT NULL
);

-- Payers' billing keys and what is paid with them (decisions C1 to C7). No card or account number is in any
-- of it: the acquirer keeps those and gave a token, which stands sealed with what people are called.
CREATE TABLE payers (
    no         BIGINT PRIMARY KEY,
    partner    BIGINT NOT NULL,
    method     SMALLINT NOT NULL,
    owner      SMALLINT NOT NULL,
    org        TEXT NOT NULL,
    org_name   TEXT NOT NULL,
    alias      BYTEA,
    made_at    BIGINT NOT NULL,
    removed_at BIGINT,
    instrument BYTEA NOT NULL
);
CREATE INDEX payers_of ON payers (partner, no);
CREATE UNIQUE INDEX payers_by_alias ON payers (partner, alias) WHERE alias IS NOT NULL;

CREATE TABLE charges (
    no         BIGINT PRIMARY KEY,
    partner    BIGINT NOT NULL,
    payer      BIGINT NOT NULL,
    method     SMALLINT NOT NULL,
    oid        TEXT COLLATE "C" NOT NULL,
    month      INTEGER,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    taxed      BOOLEAN NOT NULL,
    vat        BIGINT NOT NULL CHECK (vat >= 0),
    at         BIGINT NOT NULL,
    day        INTEGER NOT NULL,
    state      SMALLINT NOT NULL,
    pay        BIGINT NOT NULL,
    refunded   BIGINT NOT NULL CHECK (refunded >= 0),
    refunding  BIGINT NOT NULL CHECK (refunding >= 0),
    refund_vat BIGINT NOT NULL CHECK (refund_vat BETWEEN 0 AND vat),
    settled_at BIGINT,
    receipt    BIGINT,
    texts      BYTEA NOT NULL,
    CHECK (refunded + refunding <= amount)
) WITH (fillfactor = 80);
CREATE INDEX charges_by_oid ON charges (partner, oid, no);
CREATE INDEX charges_by_month ON charges (payer, month, no) WHERE month IS NOT NULL;
-- The wall behind the rule that an order number, and a key's month, is charged once; a payment that failed
-- does not count.
CREATE UNIQUE INDEX charges_once ON charges (partner, oid) WHERE state <> 4;
CREATE UNIQUE INDEX charges_once_a_month ON charges (payer, month) WHERE month IS NOT NULL AND state <> 4;
CREATE INDEX charges_of ON charges (partner, no);
CREATE INDEX charges_unsettled ON charges (partner, no) WHERE settled_at IS NULL AND state = 3;

CREATE TABLE trades (
    no             BIGINT PRIMARY KEY,
    charge         BIGINT NOT NULL,
    partner        BIGINT NOT NULL,
    kind           SMALLINT NOT NULL,
    amount         BIGINT NOT NULL CHECK (amount > 0),
    vat            BIGINT NOT NULL,
    from_captured  BIGINT NOT NULL CHECK (from_captured >= 0),
    undoes         BIGINT,
    epoch          INTEGER NOT NULL,
    at             BIGINT NOT NULL,
    state          SMALLINT NOT NULL,
    reason         INTEGER,
    why            SMALLINT,
    answered_at    BIGINT,
    inquiries      BIGINT NOT NULL,
    inquire_at     BIGINT,
    auth_no        TEXT,
    receipt_no     TEXT,
    receipt_reason INTEGER,
    node           BIGINT NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX trades_of ON trades (charge, no);
CREATE INDEX trades_open ON trades (state, no) WHERE state IN (1, 2);
CREATE INDEX trades_to_inquire ON trades (inquire_at) WHERE inquire_at IS NOT NULL;
