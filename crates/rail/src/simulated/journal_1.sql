PRAGMA application_id = 0x69634a31;

-- One row for each call to deposit. There is no uniqueness on bank_no: a number that comes twice
-- is paid twice, so that a double send shows.
CREATE TABLE calls (
    no INTEGER PRIMARY KEY,
    bank_no INTEGER NOT NULL,
    day INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    scenario INTEGER NOT NULL,
    paid INTEGER NOT NULL CHECK (paid IN (0, 1)),
    at INTEGER NOT NULL,
    inquiries INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX calls_by_bank_no ON calls (bank_no);

CREATE TABLE returns (
    number INTEGER PRIMARY KEY,
    bank_no INTEGER NOT NULL,
    due INTEGER NOT NULL
) STRICT;
