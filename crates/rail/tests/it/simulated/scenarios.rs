//! Every scenario as one row: the deposit, then inquiries in order, then notices over time.

use crate::common::{DAY, START, deposit};
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::time::Day;
use ichae_rail::port::CheckAnswer;
use ichae_rail::simulated::bank::{Bank, HOLDER, real_name};
use ichae_rail::simulated::journal::MemoryJournal;
use ichae_rail::simulated::scenario::{SCENARIOS, Scenario, scenario};
use secrecy::ExposeSecret as _;
use std::collections::HashSet;
use std::mem::discriminant;

const SETTLED: Answer = Answer::Settled { day: DAY, bank_code_sub: 0 };
const LOST: Answer = Answer::Unknown(Why::Lost);
const NO_HISTORY: Answer = Answer::Unknown(Why::NoHistory);
const PROCESSING: Answer = Answer::Unknown(Why::Processing);

struct Row {
    account: &'static str,
    answer: Answer,
    delay_ms: i64,
    times_paid: i64,
    /// When each inquiry comes, in milliseconds after the deposit, and what it is told.
    inquiries: &'static [(i64, Answer)],
    /// From when on there is a return, in milliseconds after the deposit.
    returned_ms: Option<i64>,
}

const fn refused(code: u16) -> Answer {
    Answer::Refused { code: BankCode(code), day: DAY }
}

const fn row(account: &'static str, answer: Answer, inquiries: &'static [(i64, Answer)]) -> Row {
    let times_paid = matches!(answer, Answer::Settled { .. }) as i64;
    Row { account, answer, delay_ms: 0, times_paid, inquiries, returned_ms: None }
}

const OWN_SIDE: Answer = Answer::OwnSide { code: BankCode(453) };
const UNDECIDED: Answer = Answer::Unknown(Why::Undecided(BankCode(813)));
const UNLISTED: Answer = Answer::Unknown(Why::Undecided(BankCode(777)));

const ROWS: &[Row] = &[
    row("1234567890123456", SETTLED, &[(0, SETTLED), (60_000, SETTLED)]),
    row("9900000415", refused(415), &[(0, refused(415)), (60_000, refused(415))]),
    row("9900000421", refused(421), &[(0, refused(421))]),
    row("9900000453", OWN_SIDE, &[(0, OWN_SIDE)]),
    row("9900000813", UNDECIDED, &[(0, UNDECIDED), (60_000, UNDECIDED)]),
    row("9900000777", UNLISTED, &[(0, UNLISTED)]),
    row("9900001412", refused(412), &[(0, refused(412))]),
    Row {
        delay_ms: 1_500,
        times_paid: 1,
        ..row("9900002804", LOST, &[(0, SETTLED), (60_000, SETTLED)])
    },
    Row { delay_ms: 1_500, ..row("9900002803", LOST, &[(0, refused(499)), (1, refused(499))]) },
    Row {
        times_paid: 1,
        ..row(
            "9900002400",
            PROCESSING,
            &[(0, PROCESSING), (60_000, PROCESSING), (60_001, SETTLED), (60_002, SETTLED)],
        )
    },
    Row {
        returned_ms: Some(5_000),
        ..row("9900003000", SETTLED, &[(0, SETTLED), (9_000, SETTLED)])
    },
    Row {
        delay_ms: 5_000,
        ..row("9900004000", SETTLED, &[(0, PROCESSING), (4_999, PROCESSING), (5_000, SETTLED)])
    },
];

#[test]
fn every_row_behaves_as_it_says() {
    for row in ROWS {
        let mut bank = Bank::new(MemoryJournal::default());
        let (asked, account) = (deposit(7), row.account);
        let reply = bank.deposit(&asked, scenario(account), START).unwrap();
        assert_eq!((reply.answer, reply.delay_ms), (row.answer, row.delay_ms), "{account}");

        for (ms, expected) in row.inquiries {
            let answer = bank.inquire(&asked, START.plus_ms(*ms)).unwrap();
            assert_eq!(answer, *expected, "{account} after {ms} ms");
        }
        let done = bank.executions().unwrap()[0];
        assert_eq!((done.calls, done.times_paid), (1, row.times_paid), "{account}");
        assert_eq!(done.paid, Won(1_000 * row.times_paid), "{account}");

        let returns = |ms| bank.notices(0, 10, START.plus_ms(ms)).unwrap().len();
        let Some(due) = row.returned_ms else {
            assert_eq!(returns(i64::MAX), 0, "{account}");
            continue;
        };
        assert_eq!((returns(due - 1), returns(due)), (0, 1), "{account}");
    }
}

#[test]
fn the_rows_cover_the_whole_scenario_table() {
    let covered: HashSet<_> = ROWS.iter().map(|row| discriminant(&scenario(row.account))).collect();
    assert_eq!(covered.len(), SCENARIOS.len());
}

#[test]
fn an_account_check_names_the_holder_or_the_code() {
    for row in ROWS {
        let picked = scenario(row.account);
        match (real_name(picked, START), picked) {
            (CheckAnswer::Refused(code), Scenario::CheckRefused(asked)) => assert_eq!(code, asked),
            (CheckAnswer::Holder { name, bank_code_sub, day }, _) => {
                assert!(!matches!(picked, Scenario::CheckRefused(_)));
                assert_eq!((name.expose_secret(), bank_code_sub, day), (HOLDER, 0, DAY));
            }
            (other, _) => panic!("{}: {other:?}", row.account),
        }
    }
}

#[test]
fn a_second_call_with_the_same_number_pays_again() {
    let mut bank = Bank::new(MemoryJournal::default());
    for _ in 0..2 {
        assert_eq!(bank.deposit(&deposit(7), Scenario::Plain, START).unwrap().answer, SETTLED);
    }
    let done = bank.executions().unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].calls, done[0].times_paid, done[0].paid), (2, 2, Won(2_000)));
}

#[test]
fn an_inquiry_has_to_know_number_day_and_amount() {
    let mut bank = Bank::new(MemoryJournal::default());
    let asked = deposit(7);
    bank.deposit(&asked, Scenario::Processing, START).unwrap();
    let mut others = [asked; 3];
    others[0].bank_no = BankNo(8);
    others[1].day = Day(20_211_023);
    others[2].amount = Won(1_001);
    for _ in 0..5 {
        for other in &others {
            assert_eq!(bank.inquire(other, START).unwrap(), NO_HISTORY, "{other:?}");
        }
    }
    // None of those counted as an inquiry about the call that there is.
    assert_eq!(bank.inquire(&asked, START).unwrap(), PROCESSING);
}

#[test]
fn returns_are_read_in_pages_and_wait_for_an_earlier_one() {
    let mut bank = Bank::new(MemoryJournal::default());
    // The second call comes while the clock shows less than at the first.
    for (bank_no, at) in [(11, 2_000), (12, 0), (13, 3_000)] {
        bank.deposit(&deposit(bank_no), Scenario::Returned, START.plus_ms(at)).unwrap();
    }
    let read = |after, limit, ms| -> Vec<(i64, i64)> {
        let notices = bank.notices(after, limit, START.plus_ms(ms)).unwrap();
        assert!(notices.iter().all(|notice| notice.code.is_none()));
        notices.iter().map(|notice| (notice.number, notice.bank_no.0)).collect()
    };
    assert_eq!(read(0, 10, 6_999), []);
    assert_eq!(read(0, 10, 7_000), [(1, 11), (2, 12)]);
    assert_eq!(read(0, 1, 9_000), [(1, 11)]);
    assert_eq!(read(1, 10, 9_000), [(2, 12), (3, 13)]);
    assert_eq!(read(3, 10, 9_000), []);
}
