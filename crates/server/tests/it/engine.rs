//! The engine on virtual time: execute, bank, outcome, webhook (decisions H11, H13, M3, "The
//! simulated bank").

use crate::app::{ACCOUNT, FUNDS, LIMITS, setup};
use crate::bank::OWN_SIDE;
use crate::courier::TestCourier;
use ichae_domain::bank::Answer as Bank;
use ichae_domain::notice::Outcome;
use ichae_domain::payout::State;
use ichae_server::admin::Request;
use ichae_server::engine::Limits;
use serde_json::json;
use std::time::Duration;

async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// A scenario account, the states that it goes through with the time by which each is there, and
/// what the webhooks say: result, message, bank code.
struct Scenario {
    account: &'static str,
    states: &'static [(State, std::ops::RangeInclusive<i64>)],
    told: &'static [(&'static str, &'static str, &'static str)],
    /// What is free at the end of what was funded.
    used: i64,
}

const DONE: (&str, &str, &str) = ("A0000", "처리 성공", "000");
/// The engine looks for new work twice a second, and is rung for it at once.
const AT_ONCE: std::ops::RangeInclusive<i64> = 0..=500;

fn scenarios() -> Vec<Scenario> {
    use State::*;
    vec![
        Scenario {
            account: "1111111111",
            states: &[(Settled, AT_ONCE)],
            told: &[DONE],
            used: 1_000,
        },
        Scenario {
            account: "9900000412",
            states: &[(Failed, AT_ONCE)],
            told: &[("A0009", "해당계좌 없음(412)", "412")],
            used: 0,
        },
        Scenario {
            account: "9900000421",
            states: &[(Failed, AT_ONCE)],
            told: &[("A0009", "법인계좌 이체불가(421)", "421")],
            used: 0,
        },
        Scenario {
            account: "9900000424",
            states: &[(Failed, AT_ONCE)],
            told: &[("A0009", "연체계좌(424)", "424")],
            used: 0,
        },
        Scenario {
            account: "9900000815",
            states: &[(Failed, AT_ONCE)],
            told: &[("A0009", "예금주명 불일치(815)", "815")],
            used: 0,
        },
        // The money moves, the answer gets lost; asked, the bank says 000, within 30 s.
        Scenario {
            account: "9900002804",
            states: &[(Unknown, 1_500..=2_000), (Settled, 1_500..=30_000)],
            told: &[DONE],
            used: 1_000,
        },
        // No money moves, the answer gets lost; asked, the bank refuses with 499.
        Scenario {
            account: "9900002803",
            states: &[(Unknown, 1_500..=2_000), (Failed, 1_500..=30_000)],
            told: &[("A0009", "기타 처리불가(해당 지점 연락요망)(499)", "499")],
            used: 0,
        },
        // "Processing"; asked a few times, the bank says 000.
        Scenario {
            account: "9900002400",
            states: &[(Unknown, AT_ONCE), (Settled, 1_000..=30_000)],
            told: &[DONE],
            used: 1_000,
        },
        // Settles and comes back after 5 s; the engine asks for returns once a second.
        Scenario {
            account: "9900003000",
            states: &[(Settled, AT_ONCE), (Returned, 5_000..=6_500)],
            told: &[DONE, ("A0998", "입금 반환", "")],
            used: 0,
        },
        Scenario {
            account: "9900004000",
            states: &[(Sending, AT_ONCE), (Settled, 5_000..=5_500)],
            told: &[DONE],
            used: 1_000,
        },
    ]
}

#[tokio::test(start_paused = true)]
async fn every_scenario_account_from_its_execution_to_its_webhooks() {
    for Scenario { account, states, told, used } in scenarios() {
        let app = setup().app().await;
        let test = app.test();
        let courier = TestCourier::new();
        let engine = app.engine(&courier).await;
        let began = app.hub.now();
        test.pay(account, "d-1").await;
        for (state, within) in states {
            app.until("d-1", *state).await;
            let passed = app.hub.now().0 - began.0;
            assert!(within.contains(&passed), "{account} {state:?} after {passed} ms");
        }
        pass(2_000).await;
        let said: Vec<_> = courier.told("d-1");
        let said: Vec<_> =
            said.iter().map(|t| (t.result, t.message.as_str(), t.bank_rsp_code.as_str())).collect();
        assert_eq!(said, told, "{account}");
        assert_eq!(test.remain().await, (FUNDS, used, FUNDS - used), "{account}");
        assert_eq!(app.bank.most_often_sent(), 1, "{account}");
        engine.stop().await;
    }
}

/// A bank code that does not decide is asked about until it does, and never fails the payout.
#[tokio::test(start_paused = true)]
async fn a_code_that_does_not_decide_leaves_the_outcome_open() {
    for account in ["9900000701", "9900000822", "9900000999", "9900000123"] {
        let app = setup().app().await;
        let test = app.test();
        let courier = TestCourier::new();
        let engine = app.engine(&courier).await;
        test.pay(account, "d-1").await;
        pass(3_600_000).await;
        assert_eq!(app.state("d-1"), State::Unknown, "{account}");
        assert_eq!(app.bank.deposits().len(), 1, "{account}");
        // Every five seconds, the ceiling of these rules, and the engine's look every half of one.
        assert!((600..=720).contains(&app.bank.inquiries()), "{}", app.bank.inquiries());
        assert!(courier.tries().is_empty(), "{account}");
        assert_eq!(test.remain().await.1, 1_000, "its amount stays held");
        engine.stop().await;
    }
}

/// Decision H11, from the death of a key to the new one.
#[tokio::test(start_paused = true)]
async fn a_dead_key_fails_what_is_left_on_it_and_a_new_check_gives_a_new_one() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let key = test.key("9900000415").await;
    let first = test.request(&key, "kills").await;
    test.execute_all(&first).await;
    let waits = test.request(&key, "waits").await;
    let engine = app.engine(&courier).await;
    app.until("kills", State::Failed).await;
    assert_eq!(app.state("waits"), State::Requested, "what was not executed waits on");

    let answer = test.ask(&key, "new").await;
    assert_eq!(answer.code(), "R0103");
    assert_eq!(answer.message(), "사용할 수 없는 빌링키입니다. - 해약 계좌(415)");

    test.execute_all(&waits).await;
    app.until("waits", State::Failed).await;
    pass(1_000).await;
    let told = &courier.told("waits")[0];
    assert_eq!((told.result, told.bank_rsp_code.as_str()), ("R0103", "415"));
    assert_eq!(told.message, "사용할 수 없는 빌링키입니다. - 해약 계좌(415)");
    assert_eq!(app.bank.deposits().len(), 1, "the bank hears nothing of it");
    assert_eq!(test.remain().await, (FUNDS, 0, FUNDS));

    let fresh = test.key("9900000415").await;
    assert_ne!(fresh, key);
    assert_eq!(test.key("9900000415").await, fresh, "and that one stays");
    assert_eq!(test.ask(&fresh, "new").await.code(), "A0000", "the refusal left it free");
    engine.stop().await;
}

/// Executed together: the first one's death fails those that were not sent yet.
#[tokio::test(start_paused = true)]
async fn what_was_executed_but_not_sent_fails_with_its_key() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let key = test.key("9900000420").await;
    let group = test.request_many(&key, 10).await;
    test.execute_all(&group).await;
    let engine = app.engine_with(&courier, Limits { in_flight: 1, ..LIMITS }).await;
    app.until("many-9", State::Failed).await;
    pass(2_000).await;
    let results: Vec<_> = (0..10).map(|no| courier.told(&format!("many-{no}"))[0].result).collect();
    assert_eq!(results[0], "A0009");
    assert!(results[1..].iter().all(|result| *result == "R0103"), "{results:?}");
    assert_eq!(app.bank.deposits().len(), 1);
    assert_eq!(test.remain().await, (FUNDS, 0, FUNDS));
    engine.stop().await;
}

/// A refusal that is not on the list leaves the key usable.
#[tokio::test(start_paused = true)]
async fn other_refusals_leave_the_key_alive() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    let paid = test.pay("9900000424", "d-1").await;
    app.until("d-1", State::Failed).await;
    assert_eq!(test.ask(&paid.key, "d-2").await.code(), "A0000");
    assert_eq!(test.key("9900000424").await, paid.key);
    engine.stop().await;
}

/// The stop switch: nothing is claimed, and the API goes on (decision M3).
#[tokio::test(start_paused = true)]
async fn a_paused_rail_claims_nothing_and_the_api_still_takes_everything() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    app.admin(Request::BankPause { reason: "the bank asked us to".to_owned() }).await.unwrap();
    test.pay(ACCOUNT, "d-1").await;
    let key = test.key("2222222222").await;
    let group = test.request(&key, "d-2").await;
    assert_eq!(test.execute(&group, "ALL", "CANCEL").await.code(), "A0000");
    let group = test.request(&key, "d-3").await;
    assert_eq!(test.execute(&group, &key, "NOW").await.code(), "A0000");
    pass(600_000).await;
    assert_eq!(app.state("d-1"), State::Executing);
    assert_eq!(app.state("d-3"), State::Executing);
    assert!(app.bank.deposits().is_empty());
    app.admin(Request::BankResume).await.unwrap();
    assert!(app.until("d-1", State::Settled).await <= 1_000);
    assert!(app.until("d-3", State::Settled).await <= 1_000);
    engine.stop().await;
}

/// What is at the bank already is finished while the rail is paused, unknown outcomes too.
#[tokio::test(start_paused = true)]
async fn a_pause_does_not_keep_outcomes_away() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    test.pay("9900004000", "slow").await;
    test.pay("9900002804", "lost").await;
    app.until("slow", State::Sending).await;
    app.until("lost", State::Sending).await;
    app.admin(Request::BankPause { reason: "maintenance".to_owned() }).await.unwrap();
    app.until("slow", State::Settled).await;
    app.until("lost", State::Settled).await;
    engine.stop().await;
}

/// Trouble on our own side pauses the rail, puts back, fails nothing (decision M3).
#[tokio::test(start_paused = true)]
async fn trouble_on_our_own_side_pauses_the_rail_and_fails_no_payout() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, 200).await;
    test.execute_all(&group).await;
    app.bank.deposits_say(Some(OWN_SIDE));
    app.bank.deposits_take(Duration::from_millis(100));
    let engine = app.engine_with(&courier, Limits { in_flight: 8, ..LIMITS }).await;
    pass(600_000).await;
    let status = app.admin(Request::BankStatus).await.unwrap();
    assert_eq!(status["paused"], json!(true));
    assert_eq!(
        (&status["by"], &status["reason"]),
        (&json!("engine"), &json!("bank: 출금계좌 잔액 부족(453)"))
    );
    let reached = app.bank.deposits().len();
    assert!(reached <= 8, "{reached}: no more than were in flight");
    for no in 0..200 {
        assert_eq!(app.state(&format!("many-{no}")), State::Executing, "{no}");
    }
    assert!(courier.tries().is_empty());
    assert_eq!(test.remain().await.1, 200_000);

    app.bank.deposits_say(None);
    app.admin(Request::BankResume).await.unwrap();
    app.until("many-199", State::Settled).await;
    pass(10_000).await;
    let deposits = app.bank.deposits();
    assert_eq!(deposits.len(), reached + 200);
    // The bank has answered the old number: paying again takes a new one (bank-rail).
    assert_eq!(app.bank.most_often_sent(), 1);
    assert_eq!(app.bank.paid().await, 200_000);
    engine.stop().await;
}

/// A listed "not sent": back to executing, and again under the same number (decision H13).
#[tokio::test(start_paused = true)]
async fn what_was_provably_not_sent_is_sent_again_under_its_number() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.deposits_say(Some(Bank::NotSent));
    app.bank.deposits_take(Duration::from_secs(1));
    let engine = app.engine(&courier).await;
    test.pay(ACCOUNT, "d-1").await;
    pass(3_500).await;
    assert!(courier.tries().is_empty());
    assert_eq!(test.remain().await.1, 1_000);
    app.bank.deposits_say(None);
    app.until("d-1", State::Settled).await;
    let deposits = app.bank.deposits();
    assert!(deposits.len() >= 2);
    assert!(deposits.iter().all(|deposit| deposit.bank_no == deposits[0].bank_no));
    assert_eq!(app.bank.paid().await, 1_000);
    engine.stop().await;
}

/// A bank that cannot be reached is tried a few times a second, not as fast as the engine runs.
#[tokio::test(start_paused = true)]
async fn a_bank_that_cannot_be_reached_is_not_stormed() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.deposits_say(Some(Bank::NotSent));
    app.bank.deposits_take(Duration::from_millis(1));
    let engine = app.engine(&courier).await;
    test.pay(ACCOUNT, "d-1").await;
    pass(10_000).await;
    let calls = app.bank.deposits().len();
    assert!((2..=50).contains(&calls), "{calls} calls in 10 s");
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_bank_calls_are_under_way_than_may_be() {
    for in_flight in [1, 7, 64] {
        let app = setup().app().await;
        for client in [app.test(), app.partner("other").await] {
            let key = client.key(ACCOUNT).await;
            let group = client.request_many(&key, 100).await;
            client.execute_all(&group).await;
        }
        app.bank.deposits_take(Duration::from_secs(1));
        let courier = TestCourier::new();
        let engine = app.engine_with(&courier, Limits { in_flight, ..LIMITS }).await;
        while app.bank.deposits().len() < 200 {
            pass(1_000).await;
        }
        pass(5_000).await;
        assert_eq!(app.bank.in_flight_most(), in_flight, "the room is used and not exceeded");
        assert_eq!(app.bank.deposits().len(), 200);
        assert_eq!(app.bank.most_often_sent(), 1);
        engine.stop().await;
    }
}

/// One partner's thousands do not delay another's one.
#[tokio::test(start_paused = true)]
async fn partners_take_turns() {
    let app = setup().app().await;
    let (big, small) = (app.test(), app.partner("small").await);
    let key = big.key(ACCOUNT).await;
    let group = big.request_many(&key, 5_000).await;
    app.bank.deposits_take(Duration::from_secs(1));
    let courier = TestCourier::new();
    let engine = app.engine_with(&courier, Limits { in_flight: 64, ..LIMITS }).await;
    big.execute_all(&group).await;
    pass(2_500).await;
    small.pay("2222222222", "one").await;
    let waited = app.until("one", State::Settled).await;
    assert!(waited <= 4_000, "{waited} ms: its turn, and the bank's second");
    let sent = app.bank.deposits_of(big.no());
    assert!(sent < 500, "{sent} of the big partner's were sent by then");
    drop(engine);
}

/// Decision M3 and figure 1's end: stopping gives open calls their time-out.
#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_at_the_bank() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    test.pay("9900004000", "d-1").await;
    app.until("d-1", State::Sending).await;
    let began = app.hub.now();
    engine.stop().await;
    assert_eq!(app.state("d-1"), State::Settled);
    assert!(app.hub.now().0 - began.0 <= 5_500);
    // What is executed afterwards waits for the next start.
    test.pay(ACCOUNT, "d-2").await;
    pass(10_000).await;
    assert_eq!(app.state("d-2"), State::Executing);
    let engine = app.engine(&courier).await;
    app.until("d-2", State::Settled).await;
    pass(1_000).await;
    assert_eq!(courier.told("d-1").len(), 1, "and so does the webhook");
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.deposits_hang(true);
    app.bank.inquiries_hang(true);
    let engine = app.engine(&courier).await;
    test.pay(ACCOUNT, "d-1").await;
    app.until("d-1", State::Sending).await;
    let began = app.hub.now();
    engine.stop().await;
    assert!(app.hub.now().0 - began.0 <= 12_000);
    assert_eq!(app.state("d-1"), State::Unknown, "timed out, and written down");
}

/// A crash between the intent and the answer: asked, never sent again (decision H13).
#[tokio::test(start_paused = true)]
async fn after_a_crash_the_bank_is_asked_and_nothing_is_sent_twice() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.deposits_hang(true);
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, 50).await;
    test.execute_all(&group).await;
    let engine = app.engine_with(&courier, Limits { in_flight: 20, ..LIMITS }).await;
    pass(1_000).await;
    drop(engine);
    pass(60_000).await;
    let sending = |state| (0..50).filter(|no| app.state(&format!("many-{no}")) == state).count();
    assert_eq!((sending(State::Sending), sending(State::Executing)), (20, 30));

    app.bank.deposits_hang(false);
    let engine = app.engine_with(&courier, Limits { in_flight: 20, ..LIMITS }).await;
    let twenty = sending(State::Unknown);
    assert_eq!(twenty, 20, "before anything else is done");
    pass(30_000).await;
    assert_eq!(sending(State::Settled), 50);
    assert_eq!(app.bank.deposits().len(), 50);
    assert_eq!(app.bank.most_often_sent(), 1);
    assert_eq!(app.bank.paid().await, 50_000);
    engine.stop().await;
}

/// The same with the store closed and opened again.
#[tokio::test(start_paused = true)]
async fn after_a_crash_the_store_in_its_file_tells_what_was_sent() {
    let app = setup().in_a_file().app().await;
    let courier = TestCourier::new();
    app.bank.deposits_hang(true);
    let engine = app.engine(&courier).await;
    let paid = app.test().pay(ACCOUNT, "d-1").await;
    pass(1_000).await;
    assert_eq!(app.bank.deposits().len(), 1);
    drop(engine);
    let app = app.reopen();
    assert_eq!(app.test().ask(&paid.key, "d-1").await.get("state"), "sending");
    app.bank.deposits_hang(false);
    let engine = app.engine(&courier).await;
    assert_eq!(app.test().ask(&paid.key, "d-1").await.get("state"), "unknown");
    pass(6_000).await;
    assert_eq!(app.test().ask(&paid.key, "d-1").await.get("state"), "settled");
    assert_eq!(app.bank.deposits().len(), 1);
    assert_eq!(courier.told("d-1").len(), 1);
    engine.stop().await;
}

/// A deposit that the bank has never heard of may still be on its way: it stays unknown, however
/// often the bank says so, and is never sent again (bank-rail, "Where an answer decides nothing").
#[tokio::test(start_paused = true)]
async fn what_the_bank_does_not_know_is_neither_failed_nor_sent_again() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.deposits_take(Duration::from_secs(9));
    let engine = app.engine(&courier).await;
    test.pay(ACCOUNT, "d-1").await;
    app.until("d-1", State::Sending).await;
    drop(engine);
    assert_eq!(app.bank.paid().await, 0, "it went down before the bank took it in");
    let engine = app.engine(&courier).await;
    pass(3_600_000).await;
    assert_eq!(app.state("d-1"), State::Unknown);
    assert_eq!(app.bank.deposits().len(), 1);
    assert_eq!(test.remain().await.1, 1_000);
    assert!(courier.tries().is_empty());
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_never_answers_is_asked_until_it_does() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.deposits_hang(true);
    app.bank.inquiries_hang(true);
    let engine = app.engine(&courier).await;
    let began = app.hub.now();
    test.pay(ACCOUNT, "d-1").await;
    app.until("d-1", State::Unknown).await;
    let passed = app.hub.now().0 - began.0;
    assert!((10_000..=10_500).contains(&passed), "{passed} ms: its time-out");
    pass(2 * 3_600_000).await;
    assert_eq!(app.state("d-1"), State::Unknown, "nothing ends by age");
    let asked = app.bank.inquiries();
    assert!(asked >= 60, "{asked}");
    app.bank.inquiries_hang(false);
    let waited = app.until("d-1", State::Settled).await;
    assert!(waited <= 60_500 + 10_000, "{waited}");
    assert_eq!(app.bank.deposits().len(), 1);
    pass(1_000).await;
    assert_eq!(courier.told("d-1").len(), 1);
    engine.stop().await;
}

/// Unknown outcomes of many payouts: none is forgotten, none told before it is known.
#[tokio::test(start_paused = true)]
async fn many_unknown_outcomes_are_all_settled() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let key = test.key("9900002804").await;
    let group = test.request_many(&key, 300).await;
    test.execute_all(&group).await;
    let engine = app.engine(&courier).await;
    pass(30_000).await;
    let settled = (0..300).filter(|no| app.state(&format!("many-{no}")) == State::Settled);
    assert_eq!(settled.count(), 300, "within 30 s of their execution");
    assert_eq!(app.bank.most_often_sent(), 1);
    pass(5_000).await;
    let tries = courier.tries();
    assert_eq!(tries.len(), 300);
    assert!(tries.iter().all(|told| told.outcome == Outcome::Settled));
    engine.stop().await;
}
