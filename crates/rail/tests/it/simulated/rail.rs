//! The simulated bank through the port.

use crate::common::{DAY, Hand, Scratch, deposit, payee};
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::ident::BankNo;
use ichae_domain::key::InfoKind;
use ichae_rail::port::{AccountCheck, CheckAnswer, LateNotice, Rail};
use ichae_rail::simulated::audit::read_journal;
use ichae_rail::simulated::{INSTITUTION, SimulatedRail};
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, timeout};

fn open(path: Option<&Path>, hand: &Hand) -> SimulatedRail {
    SimulatedRail::open(path, hand.clock()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn memory_and_file_answer_alike() {
    let scratch = Scratch::new("alike");
    let path = scratch.journal();
    for path in [None, Some(path.as_path())] {
        let hand = Hand::new();
        let rail: Box<dyn Rail> = Box::new(open(path, &hand));
        let settled = Answer::Settled { day: DAY, bank_code_sub: 0 };
        let refused = Answer::Refused { code: BankCode(415), day: DAY };
        assert_eq!(rail.institution(), INSTITUTION);
        assert_eq!(rail.deposit(&deposit(1), &payee("110123"), &|| true).await, settled);
        assert_eq!(rail.deposit(&deposit(2), &payee("9900000415"), &|| true).await, refused);
        assert_eq!(rail.inquire(&[deposit(2)]).await, [refused]);
        assert_eq!(rail.inquire(&[deposit(3)]).await, [Answer::Unknown(Why::NoHistory)]);

        rail.deposit(&deposit(4), &payee("9900003000"), &|| true).await;
        hand.forward_ms(4_999);
        assert_eq!(rail.notices(0, 10).await, []);
        hand.forward_ms(1);
        let back = LateNotice { number: 1, bank_no: BankNo(4), code: None };
        assert_eq!(rail.notices(0, 10).await, [back]);
        assert_eq!(rail.notices(1, 10).await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_waits_but_the_journal_does_not() {
    let scratch = Scratch::new("waits");
    let path = scratch.journal();
    let rail = open(Some(&path), &Hand::new());
    let settled = Answer::Settled { day: DAY, bank_code_sub: 0 };
    let table = [
        ("9900002804", 1_500, Answer::Unknown(Why::Lost)),
        ("9900002803", 1_500, Answer::Unknown(Why::Lost)),
        ("9900004000", 5_000, settled),
        ("110123", 0, settled),
    ];
    for (bank_no, (account, ms, expected)) in (1..).zip(table) {
        let start = Instant::now();
        assert_eq!(
            rail.deposit(&deposit(bank_no), &payee(account), &|| true).await,
            expected,
            "{account}"
        );
        assert_eq!(start.elapsed(), Duration::from_millis(ms), "{account}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_takes_nothing_back() {
    let rail = open(None, &Hand::new());
    let (asked, to) = (deposit(1), payee("9900002804"));
    let given_up = timeout(Duration::from_millis(100), rail.deposit(&asked, &to, &|| true)).await;
    assert!(given_up.is_err());
    let settled = Answer::Settled { day: DAY, bank_code_sub: 0 };
    assert_eq!(rail.inquire(&[asked]).await, [settled]);
}

#[tokio::test]
async fn many_at_once_are_each_paid_once() {
    let scratch = Scratch::new("many");
    let path = scratch.journal();
    let rail = Arc::new(open(Some(&path), &Hand::new()));
    let mut calls = JoinSet::new();
    for bank_no in 0..2_000 {
        let rail = rail.clone();
        calls.spawn(
            async move { rail.deposit(&deposit(bank_no), &payee("110123"), &|| true).await },
        );
    }
    for answer in calls.join_all().await {
        assert!(matches!(answer, Answer::Settled { .. }));
    }
    let done = rail.executions().await.unwrap();
    assert_eq!(done.len(), 2_000);
    assert!(done.iter().all(|done| (done.calls, done.times_paid) == (1, 1)));
    let summary = read_journal(&path).unwrap();
    assert_eq!((summary.payments, summary.numbers_paid, summary.most_paid), (2_000, 2_000, 1));
}

#[tokio::test]
async fn dropping_the_bank_ends_its_thread_and_another_goes_on() {
    let scratch = Scratch::new("dropping");
    let path = scratch.journal();
    let clock = Hand::new().clock();
    for bank_no in 1..=2 {
        let rail = SimulatedRail::open(Some(&path), clock.clone()).unwrap();
        rail.deposit(&deposit(bank_no), &payee("9900003000"), &|| true).await;
        assert!(Arc::strong_count(&clock) > 1);
        drop(rail);
        // The thread had a share of the clock.
        assert_eq!(Arc::strong_count(&clock), 1);
    }
    assert_eq!(read_journal(&path).unwrap().payments, 2);
}

#[tokio::test]
async fn an_account_check_is_answered_without_a_trace() {
    let rail = open(None, &Hand::new());
    let check = |number: &str| AccountCheck {
        bank_tran_id: BankNo(1).text(INSTITUTION),
        bank: "020".to_owned(),
        number: number.into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    };
    let refused = rail.real_name(&check("9900001412")).await;
    assert!(matches!(refused, CheckAnswer::Refused(BankCode(412))), "{refused:?}");
    let held = rail.real_name(&check("9900000412")).await;
    assert!(matches!(&held, CheckAnswer::Holder { day, .. } if *day == DAY), "{held:?}");
    assert!(!format!("{held:?}").contains("홍길동"));
    assert_eq!(rail.executions().await.unwrap(), []);
}
