//! Every scenario number, through the port.

use crate::common::{
    ACCOUNT, AMOUNT, CARD, NO_HISTORY, TIMED_OUT, approval, is_done, issuing, paying, refunding,
    refused, token, with_receipt,
};
use ichae_acquirer::port::Acquirer as _;
use ichae_acquirer::simulated::SimulatedAcquirer;
use ichae_acquirer::simulated::scenario::SCENARIOS;
use ichae_domain::billing::{Approval, Method, Reason, TradeAnswer, TradeKind, TradeWhy};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What is expected of a call.
#[derive(Debug)]
enum Said {
    Done,
    Lost,
    NoHistory,
    Refused(u16),
    Undecided(u16),
}

impl Said {
    fn is(&self, answer: &TradeAnswer) -> bool {
        match self {
            Said::Done => is_done(answer),
            Said::Lost => *answer == TIMED_OUT,
            Said::NoHistory => *answer == NO_HISTORY,
            Said::Refused(code) => *answer == refused(*code),
            Said::Undecided(code) => {
                *answer == TradeAnswer::Unknown(TradeWhy::Undecided(Reason(*code)))
            }
        }
    }
}

/// Number of a card, of an account; the payment's answer, its inquiries', a refund's and the refund's
/// inquiry's; whether it was captured.
type Line = (&'static str, &'static str, Said, [Said; 3], Said, Said, bool);

fn table() -> Vec<Line> {
    use Said::*;
    let c3112 = ("9900000000003112", "990000003112");
    let c1113 = ("9900000000001113", "990000001113");
    let c4321 = ("9900000000004321", "990000004321");
    let no = || Refused(1117);
    let done = || [Done, Done, Done];
    vec![
        (c3112.0, c3112.1, Refused(3112), [3112; 3].map(Refused), no(), no(), false),
        (c1113.0, c1113.1, Undecided(1113), [1113; 3].map(Undecided), no(), no(), false),
        (c4321.0, c4321.1, Undecided(4321), [4321; 3].map(Undecided), no(), no(), false),
        ("9900000200000001", "990000020001", Lost, done(), Done, Done, true),
        ("9900000200000002", "990000020002", Lost, [3112; 3].map(Refused), no(), no(), false),
        ("9900000200000003", "990000020003", Lost, [NoHistory, NoHistory, Done], Done, Done, true),
        ("9900000200000011", "990000020011", Done, done(), Refused(1116), Refused(1116), true),
        ("9900000200000012", "990000020012", Done, done(), Lost, Done, true),
        ("9900000200000030", "990000020030", Done, done(), Done, Done, true),
        (CARD, "990000020021", Done, done(), Done, Done, true),
        (CARD, ACCOUNT, Done, done(), Done, Done, true),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_number_does_what_the_table_says() {
    for (at, (card, account, paid, inquired, back, back_inquired, captured)) in
        table().into_iter().enumerate()
    {
        for (method, number) in [(Method::Card, card), (Method::Account, account)] {
            let acquirer = SimulatedAcquirer::in_memory().unwrap();
            let token = token(&acquirer, method, number).await;
            let told = acquirer.pay(&paying("1", method, &token)).await;
            assert!(paid.is(&told), "{number}: {told:?}, not {paid:?}");
            for expected in &inquired {
                let told = acquirer.inquire("pay 1", TradeKind::Pay).await;
                assert!(expected.is(&told), "{number}: {told:?}, not {expected:?}");
            }
            let told = acquirer.refund(&refunding("back", "1", AMOUNT.0)).await;
            assert!(back.is(&told), "{number}: {told:?}, not {back:?}");
            let told = acquirer.inquire("back", TradeKind::Refund).await;
            assert!(back_inquired.is(&told), "{number}: {told:?}, not {back_inquired:?}");
            let rows = acquirer.audit().await.unwrap();
            assert_eq!(rows.len(), 2);
            assert_eq!((rows[0].done, rows[0].amount), (captured, AMOUNT), "{at} {number}");
        }
    }
}

#[test]
fn no_row_of_the_scenarios_is_left_out() {
    let lines = table();
    for entry in SCENARIOS {
        for pattern in [entry.card, entry.account].into_iter().flatten() {
            // Refused registrations are tested with the registrations.
            let start = pattern.trim_end_matches('C');
            let found = lines.iter().any(|l| l.0.starts_with(start) || l.1.starts_with(start));
            assert!(found || start.starts_with("99000001"), "{pattern}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_slow_one_takes_five_seconds_and_giving_up_takes_nothing_back() {
    let acquirer = SimulatedAcquirer::in_memory().unwrap();
    let token = token(&acquirer, Method::Card, "9900000200000030").await;
    let start = Instant::now();
    assert!(is_done(&acquirer.pay(&paying("1", Method::Card, &token)).await));
    assert_eq!(start.elapsed(), Duration::from_secs(5));

    let pay = paying("2", Method::Card, &token);
    assert!(timeout(Duration::from_secs(1), acquirer.pay(&pay)).await.is_err());
    assert!(is_done(&acquirer.inquire("pay 2", TradeKind::Pay).await));
}

#[tokio::test]
async fn a_refused_receipt_does_not_keep_the_money_from_moving() {
    let acquirer = SimulatedAcquirer::in_memory().unwrap();
    let token = token(&acquirer, Method::Account, "990000020021").await;
    let pay = with_receipt(paying("1", Method::Account, &token));
    let expected =
        Approval { auth_no: String::new(), receipt_no: None, receipt_reason: Some(Reason(1101)) };
    assert_eq!(approval(acquirer.pay(&pay).await), expected);
    assert_eq!(approval(acquirer.inquire("pay 1", TradeKind::Pay).await), expected);
    assert_eq!(acquirer.receipt(&issuing("r", "1", 1_000)).await, refused(1101));
    assert_eq!(acquirer.inquire("r", TradeKind::Receipt).await, refused(1101));
}
