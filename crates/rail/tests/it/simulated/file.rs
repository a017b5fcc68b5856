//! The journal as a file: what outlives the bank, what is never in it, which files are refused.

use crate::common::{Hand, START, Scratch, deposit, payee};
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::money::Won;
use ichae_rail::port::Rail as _;
use ichae_rail::simulated::SimulatedRail;
use ichae_rail::simulated::audit::{JournalSummary, read_journal};
use ichae_rail::simulated::bank::Bank;
use ichae_rail::simulated::error::RailError;
use ichae_rail::simulated::scenario::{Scenario, scenario};
use ichae_rail::simulated::sqlite::SqliteJournal;
use rusqlite::Connection;
use std::path::Path;

fn open(path: &Path) -> Bank<SqliteJournal> {
    Bank::new(SqliteJournal::open(path).unwrap())
}

#[test]
fn inquiry_counts_and_returns_outlive_the_bank() {
    let scratch = Scratch::new("outlive");
    let (slow, back) = (deposit(1), deposit(2));
    let mut bank = open(&scratch.journal());
    bank.deposit(&slow, Scenario::Processing, START).unwrap();
    bank.deposit(&back, Scenario::Returned, START).unwrap();
    bank.journal().commit().unwrap();
    drop(bank);

    let mut told = Vec::new();
    let mut numbers = Vec::new();
    for restart in 0..4 {
        let mut bank = open(&scratch.journal());
        told.push(bank.inquire(&slow, START).unwrap());
        let notices = bank.notices(0, 10, START.plus_ms(4_998 + restart)).unwrap();
        numbers.push(notices.iter().map(|n| (n.number, n.bank_no.0)).collect::<Vec<_>>());
        bank.journal().commit().unwrap();
    }
    let processing = Answer::Unknown(Why::Processing);
    let settled = Answer::Settled { day: slow.day, bank_code_sub: 0 };
    assert_eq!(told, [processing, processing, settled, settled]);
    assert_eq!(numbers, [vec![], vec![], vec![(1, 2)], vec![(1, 2)]]);
}

#[test]
fn what_was_not_committed_is_gone() {
    let scratch = Scratch::new("uncommitted");
    let mut bank = open(&scratch.journal());
    bank.deposit(&deposit(1), Scenario::Returned, START).unwrap();
    drop(bank);
    let mut bank = open(&scratch.journal());
    assert_eq!(bank.executions().unwrap(), []);
    bank.deposit(&deposit(1), Scenario::Returned, START).unwrap();
    bank.journal().abandon().unwrap();
    assert_eq!(bank.executions().unwrap(), []);
    assert_eq!(read_journal(&scratch.journal()).unwrap(), JournalSummary::default());
}

#[tokio::test(start_paused = true)]
async fn no_file_holds_an_account_number_or_a_name() {
    let scratch = Scratch::new("secrets");
    let rail = SimulatedRail::open(Some(&scratch.journal()), Hand::new().clock()).unwrap();
    let accounts = ["1234567890123456", "9900000415", "9900003000", "9900002804"];
    for (bank_no, account) in (1..).zip(accounts) {
        rail.deposit(&deposit(bank_no), &payee(account), &|| true).await;
        rail.inquire(&[deposit(bank_no)]).await;
    }
    // While the bank is open, so that its write-ahead log is there to be looked at as well.
    let mut files = 0;
    for file in std::fs::read_dir(scratch.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        for account in accounts {
            let number: i64 = account.parse().unwrap();
            // As text, and as the bytes of an integer in SQLite's order.
            assert!(!holds(account.as_bytes()) && !holds(&number.to_be_bytes()[3..]), "{account}");
        }
        assert!(!holds("홍길동".as_bytes()) && !holds(b"880212"));
        files += 1;
    }
    assert!(files >= 2);
}

#[test]
fn the_summary_shows_a_double_payment() {
    let scratch = Scratch::new("summary");
    let mut bank = open(&scratch.journal());
    for (bank_no, account) in [(1, "1"), (2, "9900000415"), (3, "9900002804"), (3, "9900002804")] {
        bank.deposit(&deposit(bank_no), scenario(account), START).unwrap();
    }
    bank.journal().commit().unwrap();
    // The bank still has the file open.
    let summary = read_journal(&scratch.journal()).unwrap();
    let expected =
        JournalSummary { calls: 4, payments: 3, numbers_paid: 2, most_paid: 2, paid: Won(3_000) };
    assert_eq!(summary, expected);
}

#[test]
fn a_stored_scenario_that_nobody_knows_is_an_error_not_a_payment() {
    let scratch = Scratch::new("damaged");
    let mut bank = open(&scratch.journal());
    let refused = Scenario::DepositRefused(BankCode(415));
    bank.deposit(&deposit(1), refused, START).unwrap();
    bank.journal().commit().unwrap();
    let db = Connection::open(scratch.journal()).unwrap();
    db.execute_batch("UPDATE calls SET scenario = 99000").unwrap();
    assert!(matches!(bank.inquire(&deposit(1), START), Err(RailError::Journal(_))));
}
