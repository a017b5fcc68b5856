//! Both journals keep the same promises: one suite, one line for each.

use crate::common::{AMOUNT, DAY, START, Scratch};
use ichae_domain::bank::BankCode;
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::time::Day;
use ichae_rail::simulated::journal::{Call, Execution, Journal, MemoryJournal, Return, Triple};
use ichae_rail::simulated::scenario::Scenario;
use ichae_rail::simulated::sqlite::SqliteJournal;

#[test]
fn memory_conforms() {
    conforms(&mut MemoryJournal::default());
}

#[test]
fn sqlite_conforms() {
    let scratch = Scratch::new("conforms");
    conforms(&mut SqliteJournal::open(&scratch.journal()).unwrap());
}

fn call(bank_no: i64, scenario: Scenario, paid: bool) -> Call {
    let triple = Triple { bank_no: BankNo(bank_no), day: DAY, amount: AMOUNT };
    Call { triple, scenario, paid, at: START }
}

fn conforms(journal: &mut dyn Journal) {
    assert_eq!(journal.executions().unwrap(), []);
    assert_eq!(journal.returns(0, 10).unwrap(), []);

    let plain = call(5, Scenario::Plain, true);
    let refused = call(3, Scenario::DepositRefused(BankCode(415)), false);
    let returned = call(9, Scenario::Returned, true);
    journal.append(&plain, None).unwrap();
    journal.append(&refused, None).unwrap();
    journal.append(&returned, Some(START.plus_ms(2))).unwrap();
    journal.append(&plain, Some(START.plus_ms(1))).unwrap();

    // The same number on another day is a call of its own, and a bank would know it.
    let tomorrow = Call { triple: Triple { day: Day(20_211_023), ..plain.triple }, ..plain };
    journal.append(&tomorrow, None).unwrap();
    inquiries(journal, &[plain, refused, returned, tomorrow]);

    let back =
        |number, bank_no, ms| Return { number, bank_no: BankNo(bank_no), due: START.plus_ms(ms) };
    assert_eq!(journal.returns(0, 10).unwrap(), [back(1, 9, 2), back(2, 5, 1)]);
    assert_eq!(journal.returns(0, 1).unwrap(), [back(1, 9, 2)]);
    assert_eq!(journal.returns(1, usize::MAX).unwrap(), [back(2, 5, 1)]);
    assert_eq!(journal.returns(2, 10).unwrap(), []);
    assert_eq!(journal.returns(i64::MAX, 10).unwrap(), []);
    assert_eq!(journal.returns(0, 0).unwrap(), []);

    let done = |bank_no, calls, times_paid, paid| Execution {
        bank_no: BankNo(bank_no),
        calls,
        times_paid,
        paid: Won(paid),
    };
    let expected = [done(3, 1, 0, 0), done(5, 3, 3, 3_000), done(9, 1, 1, 1_000)];
    assert_eq!(journal.executions().unwrap(), expected);
}

/// A number that was called more than once: what was paid counts, else the last word.
#[test]
fn an_inquiry_is_answered_by_the_paid_call_or_else_by_the_last() {
    let scratch = Scratch::new("again");
    let file = SqliteJournal::open(&scratch.journal()).unwrap();
    let journals: [Box<dyn Journal>; 2] = [Box::new(MemoryJournal::default()), Box::new(file)];
    for mut journal in journals {
        let refused = |bank_no, code, ms| Call {
            at: START.plus_ms(ms),
            ..call(bank_no, Scenario::DepositRefused(BankCode(code)), false)
        };
        let paid =
            |bank_no, ms| Call { at: START.plus_ms(ms), ..call(bank_no, Scenario::Plain, true) };
        // (every call of a number, which of them counts)
        let table = [
            (vec![refused(1, 453, 0), paid(1, 1)], 1),
            (vec![paid(2, 0), refused(2, 453, 1)], 0),
            (vec![refused(3, 453, 0), refused(3, 415, 1)], 1),
            (vec![refused(4, 453, 0), paid(4, 1), paid(4, 2), refused(4, 415, 3)], 1),
        ];
        for (calls, counts) in table {
            for call in &calls {
                journal.append(call, None).unwrap();
            }
            for inquiry in 1..=2 {
                let told = journal.inquired(&calls[0].triple).unwrap();
                assert_eq!(told, Some((calls[counts], inquiry)), "{calls:?}");
            }
        }
        // A call that comes after an inquiry changes who answers, and is counted for itself.
        let first = refused(5, 453, 0);
        journal.append(&first, None).unwrap();
        assert_eq!(journal.inquired(&first.triple).unwrap(), Some((first, 1)));
        journal.append(&paid(5, 1), None).unwrap();
        assert_eq!(journal.inquired(&first.triple).unwrap(), Some((paid(5, 1), 1)));
    }
}

fn inquiries(journal: &mut dyn Journal, calls: &[Call]) {
    for inquiry in 1..=3 {
        for call in calls {
            assert_eq!(journal.inquired(&call.triple).unwrap(), Some((*call, inquiry)));
        }
    }
    let unknown = Triple { amount: Won(1), ..calls[0].triple };
    assert_eq!(journal.inquired(&unknown).unwrap(), None);
}
