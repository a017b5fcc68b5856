//! Service hours, banks that are shut, and what operators hold: it waits, and goes out after (M3,
//! openbanking 11).

use crate::app::{ACCOUNT, LIMITS, Paid, TestApp, setup};
use crate::courier::TestCourier;
use ichae_domain::calendar::{Calendar, Span};
use ichae_domain::payout::State;
use ichae_rail::port::BankStatus;
use ichae_server::admin::Request;
use ichae_server::admin::request::PayoutName;
use ichae_server::engine::Limits;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn hours(hours: &str, closed: &[(&str, &str)]) -> Calendar {
    let span = |text: &str| Span::parse(text).unwrap();
    let closed = closed.iter().map(|(bank, text)| ((*bank).to_owned(), vec![span(text)]));
    Calendar { hours: span(hours), closed: closed.collect::<BTreeMap<_, _>>() }
}

/// The app's day begins at noon: it opens at one. An account check cannot wait for that.
#[tokio::test(start_paused = true)]
async fn outside_the_hours_no_account_is_checked_and_the_status_says_when() {
    let app = setup().calendar(hours("13:00-11:00", &[])).app().await;
    let test = app.test();
    assert_eq!(test.check(ACCOUNT).await.code(), "T0996");
    assert!(app.bank.checks().is_empty());
    let status = app.admin(Request::BankStatus).await.unwrap();
    assert_eq!((&status["open"], &status["opens"]), (&json!(false), &json!("2026-11-22 13:00:00")));
    pass(3_600_000).await;
    let status = app.admin(Request::BankStatus).await.unwrap();
    assert_eq!((&status["open"], &status["opens"]), (&json!(true), &json!(null)));
    assert_eq!(test.check(ACCOUNT).await.code(), "A0000");
}

/// At 23:56: the answer says when it goes out, and so does the look-up.
async fn executed_at_night(app: &TestApp) {
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    pass(11 * 3_600_000 + 56 * 60_000).await;
    let answer = test.execute(&group, "ALL", "NOW").await;
    assert_eq!(answer.get("opens_at"), "20261123000500000", "{}", answer.text);
    let paid = Paid { key, group, distinct_key: "d-1".to_owned() };
    let row = test.row(&paid).await;
    assert_eq!((&row["result"], &row["opens_at"]), (&json!("A0001"), &json!("20261123000500000")));
}

#[tokio::test(start_paused = true)]
async fn what_is_executed_at_night_goes_out_in_the_morning() {
    let app = setup().calendar(hours("00:05-23:55", &[])).app().await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    executed_at_night(&app).await;
    for minutes in 0..9 {
        assert_eq!(app.state("d-1"), State::Executing, "{minutes}");
        assert!(app.bank.deposits().is_empty());
        pass(60_000).await;
    }
    pass(1_000).await;
    assert_eq!(app.state("d-1"), State::Settled);
    // The business date is the day on which it was sent.
    assert_eq!(app.bank.deposits()[0].day.to_string(), "20261123");
    engine.stop().await;
}

/// One bank is shut, by its hours or by its own word: its payouts wait, the others do not.
#[tokio::test(start_paused = true)]
async fn what_goes_to_a_bank_that_is_shut_waits_and_holds_up_nobody() {
    let app = setup().calendar(hours("00:00-00:00", &[("020", "12:01-12:10")])).app().await;
    let courier = TestCourier::new();
    let test = app.test();
    let open = test.key_at("004", "22222222").await;
    app.bank.say_banks(&[("088", BankStatus::Failing)]);
    let failing = test.key_at("088", "33333333").await;
    // Made before its bank shut.
    let shut = test.key_at("020", ACCOUNT).await;
    pass(60_000).await;
    for at in 0..200 {
        test.request(&shut, &format!("s-{at}")).await;
    }
    test.request(&failing, "f-1").await;
    let group = test.request(&open, "o-1").await;
    test.execute_all(&group).await;
    let engine = app.engine_with(&courier, Limits { in_flight: 16, ..LIMITS }).await;
    pass(2_000).await;
    assert_eq!(app.state("o-1"), State::Settled);
    assert_eq!((app.state("s-0"), app.state("f-1")), (State::Executing, State::Executing));
    let status = app.admin(Request::BankStatus).await.unwrap();
    assert_eq!(status["banks_shut"], json!(["088 failing", "020 until 2026-11-22 12:10:00"]));
    pass(10 * 60_000).await;
    assert_eq!((app.state("s-0"), app.state("s-199")), (State::Settled, State::Settled));
    assert_eq!(app.state("f-1"), State::Executing);
    app.bank.say_banks(&[]);
    pass(31_000).await;
    assert_eq!(app.state("f-1"), State::Settled);
    assert_eq!(app.bank.most_often_sent(), 1);
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_held_payout_and_a_held_partner_wait_until_they_are_released() {
    let app = setup().app().await;
    let courier = TestCourier::new();
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.request(&key, "d-1").await;
    let group = test.request(&key, "d-2").await;
    let name = |id: i64| PayoutName { id: id.to_string(), cst_id: None };
    let no = app.number("d-1");
    let hold = |held| Request::PayoutHold { payout: name(no), held, reason: "asked".into() };
    app.admin(hold(true)).await.unwrap();
    test.execute_all(&group).await;
    let engine = app.engine(&courier).await;
    pass(2_000).await;
    assert_eq!((app.state("d-1"), app.state("d-2")), (State::Executing, State::Settled));
    let story = app.admin(Request::PayoutExplain { payout: name(no) }).await.unwrap();
    assert_eq!(story["held_back"], json!("by kim: asked"));
    app.admin(hold(false)).await.unwrap();
    pass(500).await;
    assert_eq!(app.state("d-1"), State::Settled);

    let partner =
        |held| Request::PartnerHold { cst_id: "test".into(), held, reason: "a question".into() };
    app.admin(partner(true)).await.unwrap();
    let group = test.request(&key, "d-3").await;
    test.execute_all(&group).await;
    pass(60_000).await;
    assert_eq!(app.state("d-3"), State::Executing);
    app.admin(partner(false)).await.unwrap();
    pass(500).await;
    assert_eq!(app.state("d-3"), State::Settled);
    engine.stop().await;
}

/// Calls that do not get through are made more and more rarely, and by ones.
#[tokio::test(start_paused = true)]
async fn a_bank_that_cannot_be_reached_is_tried_less_and_less_often() {
    let app = setup().app().await;
    let courier = TestCourier::new();
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let mut group = String::new();
    for at in 0..50 {
        group = test.request(&key, &format!("d-{at}")).await;
    }
    app.bank.deposits_say(Some(ichae_domain::bank::Answer::NotSent));
    test.execute_all(&group).await;
    let engine = app.engine(&courier).await;
    pass(60_000).await;
    let tries = app.bank.deposits().len();
    assert!((55..150).contains(&tries), "{tries}: fifty at once, then ones");
    app.bank.deposits_say(None);
    pass(6_000).await;
    for at in 0..50 {
        assert_eq!(app.state(&format!("d-{at}")), State::Settled, "{at}");
    }
    engine.stop().await;
}
