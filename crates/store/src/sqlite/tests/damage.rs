//! What `check` finds: each kind of damage, planted by hand, and nothing else (figure 3).

use super::*;
use crate::sqlite::row;
use rusqlite::params;

/// Plants damage in a store with a payout in every state. Every line that is found must contain
/// one of `want`, and each of them must be found.
#[track_caller]
fn finds(plant: impl FnOnce(&Connection), want: &[&str]) {
    let (site, _) = told();
    assert_eq!(site.findings(), [""; 0], "good before");
    plant(&site.sql());
    let findings = site.findings();
    let all = want.iter().all(|want| findings.iter().any(|line| line.contains(want)));
    let only = findings.iter().all(|line| want.iter().any(|want| line.contains(want)));
    assert!(all && only, "{findings:#?}");
}

#[track_caller]
fn finds_after(sql: &'static str, want: &[&str]) {
    finds(|db| assert!(db.execute(sql, []).unwrap() > 0, "{sql}"), want);
}

#[test]
fn a_good_store_has_no_findings_and_everything_was_read() {
    let (site, _) = told();
    let mut last = (0, 0);
    let report = check(&site.file(), &site.sealer, |read, highest| last = (read, highest)).unwrap();
    assert_eq!(report.findings, []);
    let db = site.sql();
    let count = |table| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
    };
    let read = [report.postings, report.payouts, report.partners as u64];
    let there = ["postings", "payouts", "partners"].map(|table| count(table) as u64);
    assert_eq!(read, there);
    assert!(last.0 == last.1 && last.0 > 0);
}

#[test]
fn a_changed_posting_breaks_its_chain_and_its_sums() {
    finds_after(
        "UPDATE postings SET amount = amount + 1 WHERE entry = 1 AND partner = 1",
        &[
            "partner 1: the hash chain breaks at its line 1",
            "partner 1: available is stored as",
            "partner 1: funded is stored as",
            "settlement is stored as",
        ],
    );
}

/// What a posting is about and when it was made is chained as well as its amount.
#[test]
fn every_column_of_a_posting_is_chained() {
    finds_after(
        "UPDATE postings SET at = at + 1 WHERE no = 1",
        &["partner 1: the hash chain breaks at its line 1"],
    );
    finds_after(
        "UPDATE postings SET subject = 99 WHERE no = 3",
        &["partner 1: the hash chain breaks at its line 2"],
    );
    // A changed link breaks its own line and the one that was made from it.
    finds_after(
        "UPDATE postings SET hash = zeroblob(32) WHERE no = 1",
        &["the hash chain breaks at its line 1", "the hash chain breaks at its line 2"],
    );
}

#[test]
fn a_deleted_posting_breaks_the_chain_after_it() {
    finds_after(
        "DELETE FROM postings WHERE no = (SELECT min(no) FROM postings WHERE entry = 3)",
        &[
            "partner 1: the hash chain breaks at its line 2",
            "partner 1: its chain does not end where it should",
            "partner 1: available is stored as",
            "partner 1: held is",
            "partner 1: held came to -50",
        ],
    );
}

/// The last line has no successor; the ledger's end of the chain tells of it.
#[test]
fn a_deleted_last_posting_is_found_by_the_chains_end() {
    finds_after(
        "DELETE FROM postings WHERE no = (SELECT max(no) FROM postings WHERE partner = 1)",
        &[
            "partner 1: its chain does not end where it should",
            "partner 1: available is stored as",
            "partner 1: held is",
        ],
    );
}

#[test]
fn a_chain_that_was_made_again_under_another_key_is_found() {
    let foreign = Sealer::new(crate::keys::Keys::random().unwrap()).unwrap();
    finds(
        |db| {
            let sql =
                format!("SELECT {}, no FROM postings WHERE partner = 1 ORDER BY no", row::POSTING);
            let mut lines = db.prepare(&sql).unwrap();
            let lines = lines.query_map([], |r| Ok((row::posting(r)?, r.get::<_, i64>(6)?)));
            let mut head = [0; 32];
            for line in lines.unwrap().map(Result::unwrap) {
                head = foreign.link(&head, &crate::rows::posting_line(&line.0));
                let sql = "UPDATE postings SET hash = ?2 WHERE no = ?1";
                db.execute(sql, params![line.1, head]).unwrap();
            }
            let sql = "UPDATE ledgers SET chain_head = ?1 WHERE partner = 1";
            db.execute(sql, [head]).unwrap();
        },
        &["partner 1: the hash chain breaks at its line"],
    );
}

#[test]
fn changed_balances_are_found_by_name() {
    finds_after(
        "UPDATE ledgers SET available = available + 1 WHERE partner = 1",
        &["partner 1: available is stored as"],
    );
    finds_after(
        "UPDATE ledgers SET held = held - 1 WHERE partner = 1",
        &["partner 1: held is stored as"],
    );
    finds_after(
        "UPDATE ledgers SET suspense = -1 WHERE partner = 1",
        &["partner 1: suspense is stored as -1, its postings give 0"],
    );
    finds_after(
        "UPDATE ledgers SET funded = funded + 1 WHERE partner = 1",
        &["partner 1: funded is stored as"],
    );
    finds_after(
        "UPDATE ledgers SET chain_head = zeroblob(32) WHERE partner = 1",
        &["partner 1: its chain does not end where it should"],
    );
    finds_after("UPDATE rails SET settlement = settlement - 1", &["settlement is stored as"]);
    finds_after(
        "UPDATE ledgers SET chain_length = chain_length + 1 WHERE partner = 1",
        &["partner 1: its chain does not end where it should"],
    );
}

#[test]
fn a_ledger_that_is_gone_is_found() {
    finds_after(
        "DELETE FROM ledgers WHERE partner = 1",
        &["partner 1: postings without a ledger", "the sum of all accounts is"],
    );
}

/// Decision H13: what is held is what the rows hold.
#[test]
fn a_payout_whose_hold_was_changed_by_hand_is_found() {
    let held = "its payouts that hold sum to";
    let (settled, failed) = ("that are settled or returned sum to", "that are failed sum to");
    finds_after("UPDATE payouts SET own = 3 WHERE own = 2", &[held, settled]);
    finds_after("UPDATE payouts SET own = 4 WHERE own = 5", &[held, failed]);
    finds_after("UPDATE payouts SET own = 1 WHERE own = 3", &[held, settled]);
    finds_after("UPDATE payouts SET amount = amount + 1 WHERE own = 2", &[held]);
    finds_after("DELETE FROM payouts WHERE own = 2", &[held]);
    let canceled = "that are canceled sum to";
    let mode = "UPDATE groups SET mode = 1 WHERE mode = 3";
    finds_after(mode, &[held, canceled, "0 waiting of 0 won"]);
}

/// Between two states that hold nothing, no balance moves; the postings tell all the same.
#[test]
fn a_payout_that_was_called_something_else_by_hand_is_found() {
    let settled = "partner 1: 300 were settled by its postings, its payouts that are settled or \
                   returned sum to 200";
    let failed = "partner 1: 300 were refused by its postings, its payouts that are failed sum to";
    let returned = "partner 1: 200 were returned by its postings, its payouts that are returned \
                    sum to";
    let canceled = "partner 1: 1010 were canceled by its postings, its payouts that are canceled \
                    sum to";
    finds_after("UPDATE payouts SET own = 4 WHERE own = 3", &[settled, failed]);
    finds_after("UPDATE payouts SET own = 6 WHERE own = 3", &[returned]);
    finds_after("UPDATE payouts SET own = 3 WHERE own = 6", &[returned]);
    finds_after("UPDATE payouts SET own = 7 WHERE own = 4", &[failed, canceled]);
    finds_after("UPDATE payouts SET own = 4 WHERE own = 7", &[failed, canceled]);
}

#[test]
fn a_changed_counter_of_a_group_is_found_also_where_it_says_nothing_waits() {
    let table = [
        "UPDATE groups SET waiting = waiting + 1 WHERE mode = 0 AND partner = 1",
        "UPDATE groups SET waiting_sum = waiting_sum - 1 WHERE mode = 1 AND waiting > 0",
        "UPDATE groups SET unclaimed = unclaimed + 1 WHERE unclaimed > 0",
        "UPDATE groups SET waiting = 1 WHERE mode = 3",
        "UPDATE groups SET unclaimed = 1 WHERE mode = 1",
        "UPDATE groups SET waiting = 0, waiting_sum = 0 WHERE mode = 0 AND partner = 1",
        "UPDATE groups SET unclaimed = 0 WHERE unclaimed > 0",
    ];
    for sql in table {
        finds_after(sql, &["its rows give"]);
    }
}

/// Decision H17: one notice an outcome.
#[test]
fn a_missing_or_invented_notice_is_found() {
    finds_after("DELETE FROM notices WHERE no = 1", &["4 outcomes but 3 webhook notices"]);
    finds_after(
        "UPDATE attempts SET answered_at = NULL WHERE failure IS NOT NULL",
        &["3 outcomes but 4 webhook notices"],
    );
}

/// A value that is not of its vocabulary is an error in plain words, not a wrong sum.
#[test]
fn a_row_that_cannot_be_understood_stops_the_check() {
    for sql in
        ["UPDATE payouts SET own = 99 WHERE own = 2", "UPDATE postings SET entry = 99 WHERE no = 1"]
    {
        let (site, _) = told();
        assert!(site.sql().execute(sql, []).unwrap() > 0);
        assert!(check(&site.file(), &site.sealer, |_, _| {}).is_err(), "{sql}");
    }
}

/// No constraint stands behind the uniqueness of keys, so the check does (decision H9).
#[test]
fn a_key_that_stands_twice_is_found() {
    finds_after(
        "UPDATE payouts SET distinct_key = 'settled' WHERE distinct_key = 'returned'",
        &["partner 1: payouts", "have one distinct_key"],
    );
}
