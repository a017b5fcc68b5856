PRAGMA application_id = 0x69634b31;

-- One row for each call to deposit. There is no uniqueness on bank_tran_id: a number that comes
-- twice is paid twice, so that a double send shows. Nothing of an account or a person is kept.
CREATE TABLE calls (
    no INTEGER PRIMARY KEY,
    bank_tran_id TEXT NOT NULL,
    bank_tran_date INTEGER NOT NULL,
    tran_amt INTEGER NOT NULL,
    bank TEXT NOT NULL,
    -- Whether an inquiry can find it: not what was turned away at the door.
    known INTEGER NOT NULL CHECK (known IN (0, 1)),
    paid INTEGER NOT NULL CHECK (paid IN (0, 1)),
    returned INTEGER NOT NULL DEFAULT 0 CHECK (returned IN (0, 1) AND returned <= paid),
    -- 000 if it is paid or will be, else why not: a bank's three digits or the centre's code.
    code TEXT NOT NULL,
    fault TEXT,
    at INTEGER NOT NULL,
    -- Inquiries before this time say 400.
    open_until INTEGER NOT NULL,
    pay_at INTEGER,
    return_at INTEGER,
    -- Inquiries that are still to say 400, to be lost, to go wrong, to find nothing.
    open_asks INTEGER NOT NULL,
    lost_asks INTEGER NOT NULL,
    wrong_asks INTEGER NOT NULL,
    no_history_asks INTEGER NOT NULL
) STRICT;

CREATE INDEX calls_by_id ON calls (bank_tran_id);
CREATE INDEX calls_to_pay ON calls (pay_at) WHERE pay_at IS NOT NULL;
CREATE INDEX calls_to_return ON calls (return_at) WHERE return_at IS NOT NULL;
