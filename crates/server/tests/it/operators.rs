//! Operators with keys: what they sign counts once, what is not signed changes nothing, and what is
//! above the set amount needs two (decisions H13, M2).

use crate::app::{ACCOUNT, FUNDS, SETTLED, TestApp, setup};
use crate::courier::TestCourier;
use crate::cpay::unknown::Silent;
use crate::cpay::{self, CARD_KEY, Shop};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_domain::bank::BankCode;
use ichae_domain::command::{Actor, Command};
use ichae_domain::ident::PayoutNo;
use ichae_domain::payout::State;
use ichae_domain::view::EventKind;
use ichae_server::admin::billing::BillingRequest;
use ichae_server::admin::request::PayoutName;
use ichae_server::admin::{self, AdminError, Envelope, Request, Signature, signed_text};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

struct Person {
    name: &'static str,
    pair: Ed25519KeyPair,
}

impl Person {
    fn new(name: &'static str) -> Person {
        Person { name, pair: Ed25519KeyPair::generate().unwrap() }
    }

    fn public_key(&self) -> String {
        STANDARD.encode(self.pair.public_key())
    }

    fn sign(&self, store: &str, at: i64, body: &str) -> Signature {
        let text = signed_text(store, self.name, at, body);
        let signature = STANDARD.encode(self.pair.sign(text.as_bytes()));
        Signature { by: self.name.to_owned(), at, signature }
    }

    /// As the command line does it: asks what to sign, signs, gives.
    async fn give(&self, app: &TestApp, request: Request) -> Result<Value, AdminError> {
        let identity = over(app, Request::Identity { name: self.name.into() }, None).await.unwrap();
        let body = serde_json::to_string(&request).unwrap();
        let (store, at) = (identity["store"].as_str().unwrap(), identity["at"].as_i64().unwrap());
        let signed = Some(self.sign(store, at, &body));
        admin::serve(&app.hub, "uid 7", Envelope { body, signed }, |_| ()).await
    }
}

async fn over(
    app: &TestApp,
    request: Request,
    signed: Option<Signature>,
) -> Result<Value, AdminError> {
    let body = serde_json::to_string(&request).unwrap();
    admin::serve(&app.hub, "uid 7", Envelope { body, signed }, |_| ()).await
}

fn code(done: Result<Value, AdminError>) -> String {
    done.expect_err("refused").code.unwrap()
}

fn add(person: &Person) -> Request {
    Request::OperatorAdd { name: person.name.to_owned(), public_key: person.public_key() }
}

fn fund(amount: &str, reference: &str) -> Request {
    let (amount, reference) = (amount.to_owned(), reference.to_owned());
    Request::PartnerFund { cst_id: "test".to_owned(), amount, reference, take_back: false }
}

fn named(app: &TestApp, distinct_key: &str) -> PayoutName {
    PayoutName { id: app.number(distinct_key).to_string(), cst_id: None }
}

#[tokio::test(start_paused = true)]
async fn once_there_are_operators_nothing_changes_unsigned() {
    let app = setup().app().await;
    let (kim, lee) = (Person::new("kim"), Person::new("lee"));
    // Before the first, whoever may use the socket may change things; looking is always free.
    over(&app, fund("100", "a"), None).await.unwrap();
    over(&app, add(&kim), None).await.unwrap();
    let before = app.dump();
    assert_eq!(code(over(&app, add(&lee), None).await), "P0120");
    assert_eq!(code(over(&app, fund("100", "b"), None).await), "P0120");
    assert_eq!(code(over(&app, Request::BankPause { reason: "x".into() }, None).await), "P0120");
    assert_eq!(app.dump(), before, "a refusal leaves nothing");
    over(&app, Request::PartnerList, None).await.unwrap();
    kim.give(&app, add(&lee)).await.unwrap();
    lee.give(&app, fund("100", "b")).await.unwrap();
    let events = over(&app, Request::EventList { cst_id: None, limit: 1 }, None).await.unwrap();
    assert_eq!(events[0]["by"], json!("lee"));
}

#[tokio::test(start_paused = true)]
async fn a_signature_is_for_one_store_one_command_one_moment_and_one_person() {
    let app = setup().app().await;
    let (kim, mallory) = (Person::new("kim"), Person::new("kim"));
    over(&app, add(&kim), None).await.unwrap();
    let identity = over(&app, Request::Identity { name: "kim".into() }, None).await.unwrap();
    let (store, at) = (identity["store"].as_str().unwrap(), identity["at"].as_i64().unwrap());
    let request = fund("100", "a");
    let body = serde_json::to_string(&request).unwrap();
    let good = kim.sign(store, at, &body);
    let other = serde_json::to_string(&fund("900", "a")).unwrap();
    let bad = [
        mallory.sign(store, at, &body),
        kim.sign("another store", at, &body),
        kim.sign(store, at, &other),
        kim.sign(store, at + 1, &body),
        Signature { by: "lee".to_owned(), ..good.clone() },
        Signature { at: at + 1, ..good.clone() },
        Signature { signature: "?".to_owned(), ..good.clone() },
        Signature { signature: String::new(), ..good.clone() },
    ];
    for (place, signature) in bad.into_iter().enumerate() {
        let signature = match place {
            3 => Signature { at, ..signature },
            _ => signature,
        };
        assert_eq!(code(over(&app, request.clone(), Some(signature)).await), "P0121", "{place}");
    }
    over(&app, request.clone(), Some(good.clone())).await.unwrap();
    assert_eq!(code(over(&app, request.clone(), Some(good)).await), "P0122", "a replay");
    let old = kim.sign(store, at - 61_000, &body);
    assert_eq!(code(over(&app, request, Some(old)).await), "P0122");
}

/// A payment that the acquirer never explains ends by two persons too.
#[tokio::test(start_paused = true)]
async fn an_unknown_payment_above_the_set_amount_is_ended_by_two() {
    let acquirer = Silent::new();
    let app = setup().acquirer(Arc::clone(&acquirer) as _).app().await;
    let (kim, lee) = (Person::new("kim"), Person::new("lee"));
    over(&app, add(&kim), None).await.unwrap();
    kim.give(&app, add(&lee)).await.unwrap();
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    acquirer.be_silent(true);
    assert_eq!(cpay::code(&shop.pay(CARD_KEY, "o-1", 1_000_001).await), "PAYU0001");
    let listed = Request::Billing(BillingRequest::Unknown { after: 0, limit: 10 });
    let listed = over(&app, listed, None).await.unwrap();
    let reference = listed[0]["reference"].as_str().unwrap().to_owned();
    let resolve = |reference: &str| {
        let (reference, evidence) = (reference.to_owned(), "their report of the day".to_owned());
        Request::Billing(BillingRequest::Resolve { reference, done: true, evidence })
    };
    assert_eq!(code(over(&app, resolve(&reference), None).await), "P0120");
    assert_eq!(code(kim.give(&app, resolve("P-none")).await), "P0143");
    let proposed = kim.give(&app, resolve(&reference)).await.unwrap();
    assert_eq!(cpay::code(&shop.check("o-1", "card").await), "PAYU0001", "proposed only");
    let no = proposed["proposal"].as_i64().unwrap();
    assert_eq!(code(kim.give(&app, Request::ProposalApprove { no }).await), "P0133");
    lee.give(&app, Request::ProposalApprove { no }).await.unwrap();
    assert_eq!(cpay::code(&shop.check("o-1", "card").await), "PCHK0000");
    assert_eq!(shop.money().0, 1_000_001, "captured");
    assert_eq!(code(kim.give(&app, resolve(&reference)).await), "P0143", "once");
    let events = over(&app, Request::EventList { cst_id: None, limit: 5 }, None).await.unwrap();
    assert!(events.to_string().contains("their report of the day"), "{events}");
}

/// A payout whose answer and whose history are lost ends by two persons, and not by one.
#[tokio::test(start_paused = true)]
async fn an_unknown_payout_above_the_set_amount_is_ended_by_two() {
    let app = setup().any_amount().app().await;
    let (kim, lee) = (Person::new("kim"), Person::new("lee"));
    over(&app, add(&kim), None).await.unwrap();
    kim.give(&app, add(&lee)).await.unwrap();
    app.bank
        .deposits_say(Some(ichae_domain::bank::Answer::Unknown(ichae_domain::bank::Why::TimedOut)));
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let body = json!({ "distinct_key": "d-1", "billing_tran_id": key, "tran_amt": "1000001" });
    let group = test.post("/transfer/request", body).await.get("group_key");
    test.execute_all(&group).await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let listed = over(&app, Request::PayoutUnknown { after: 0, limit: 10 }, None).await.unwrap();
    assert_eq!((&listed["unknown"], &listed["at_risk"]), (&json!(1), &json!(1_000_001)));
    let row = &listed["payouts"][0];
    assert_eq!((&row["needs_person"], &row["age"]), (&json!(true), &json!("10m 0s")));
    assert!(row["why"].as_str().unwrap().starts_with("the bank knows no such transfer"), "{row}");

    let resolve = || Request::PayoutResolve {
        payout: named(&app, "d-1"),
        paid_on: None,
        evidence: "statement of the day, not in it".to_owned(),
    };
    assert_eq!(code(over(&app, resolve(), None).await), "P0120");
    let proposed = kim.give(&app, resolve()).await.unwrap();
    assert_eq!(app.state("d-1"), State::Unknown, "proposed only");
    let no = proposed["proposal"].as_i64().unwrap();
    assert_eq!(code(kim.give(&app, Request::ProposalApprove { no }).await), "P0133");
    lee.give(&app, Request::ProposalApprove { no }).await.unwrap();
    assert_eq!(app.state("d-1"), State::Failed);
    assert_eq!(code(lee.give(&app, Request::ProposalApprove { no }).await), "P0132");
    assert_eq!(test.remain().await, (FUNDS, 0, FUNDS));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(courier.told("d-1").len(), 1, "its webhook went out");

    let story = over(&app, Request::PayoutExplain { payout: named(&app, "d-1") }, None).await;
    let story = story.unwrap();
    let lines: Vec<(String, String)> = story["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["by"].to_string(), line["what"].as_str().unwrap().to_owned()))
        .collect();
    let has = |by: &str, what: &str| lines.contains(&(format!("{by:?}"), what.to_owned()));
    assert!(has("partner", "payout requested") && has("engine", "intent written"), "{lines:?}");
    assert!(has("engine", "outcome unknown") && has("engine", "asked what became of it"));
    assert!(has("kim", "proposed, waits for a second person"), "{lines:?}");
    assert!(has("lee", "approved by a second person") && has("lee", "resolved by operators"));
    assert_eq!(story["timeline"].as_array().unwrap().last().unwrap()["held"], json!(0));
    assert!(!story.to_string().contains(ACCOUNT), "no account number in the clear");
    engine.stop().await;
}

/// What was called failed and turns out to be paid is owed in suspense, and told to the partner.
#[tokio::test(start_paused = true)]
async fn a_correction_leaves_what_is_available_alone_and_tells() {
    let app = setup().app().await;
    let kim = Person::new("kim");
    over(&app, add(&kim), None).await.unwrap();
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    app.test().pay("9900000421", "d-1").await;
    app.until("d-1", State::Failed).await;
    let correct = Request::PayoutCorrect {
        payout: named(&app, "d-1"),
        paid_on: "2026-11-22".to_owned(),
        evidence: "statement line 7".to_owned(),
    };
    kim.give(&app, correct).await.unwrap();
    assert_eq!(app.state("d-1"), State::Settled);
    assert_eq!(app.test().remain().await, (FUNDS, 0, FUNDS), "never against what is available");
    let partner = over(&app, Request::PartnerShow { cst_id: "test".into() }, None).await.unwrap();
    assert_eq!(partner["suspense"], json!(-1_000));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told: Vec<&str> = courier.told("d-1").iter().map(|t| t.result).collect();
    assert_eq!(told, ["A0009", "A0000"]);
    let recover = |amount: &str| Request::PartnerRecover {
        cst_id: "test".to_owned(),
        amount: amount.to_owned(),
        evidence: "agreed by letter".to_owned(),
    };
    assert_eq!(code(kim.give(&app, recover("1001")).await), "P0136");
    kim.give(&app, recover("1000")).await.unwrap();
    assert_eq!(app.test().remain().await, (FUNDS, 1_000, FUNDS - 1_000));
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_revoked_operator_signs_nothing_and_its_proposals_are_taken_back() {
    let app = setup().app().await;
    let (kim, lee) = (Person::new("kim"), Person::new("lee"));
    over(&app, add(&kim), None).await.unwrap();
    kim.give(&app, add(&lee)).await.unwrap();
    kim.give(&app, fund("1000001", "big")).await.unwrap();
    let revoke = Request::OperatorRevoke { name: "kim".to_owned() };
    let done = lee.give(&app, revoke).await.unwrap();
    assert_eq!(done["proposals_withdrawn"], json!(1));
    assert_eq!(code(kim.give(&app, fund("1", "small")).await), "P0121");
    let open = over(&app, Request::ProposalList { all: false }, None).await.unwrap();
    assert_eq!(open, json!([]));
    assert_eq!(code(lee.give(&app, add(&kim)).await), "P0123", "a name stays with its signatures");
}

#[tokio::test(start_paused = true)]
async fn funds_are_held_against_the_banks_word() {
    let app = setup().app().await;
    let funds = || over(&app, Request::Funds, None);
    assert!(funds().await.unwrap()["alarm"].as_str().unwrap().contains("no balance"));
    let note = |amount: i64| Request::BankBalance {
        amount: amount.to_string(),
        source: "the bank's page".to_owned(),
    };
    over(&app, note(FUNDS - 1), None).await.unwrap();
    let seen = funds().await.unwrap();
    assert_eq!((&seen["owed_to_partners"], &seen["over"]), (&json!(FUNDS), &json!(-1)));
    assert_eq!(seen["alarm"], json!("the account holds 1 won too little"));
    over(&app, note(FUNDS), None).await.unwrap();
    assert_eq!(funds().await.unwrap()["alarm"], json!(null));
    tokio::time::sleep(Duration::from_secs(25 * 3_600)).await;
    assert!(funds().await.unwrap()["alarm"].as_str().unwrap().contains("more than a day old"));
    for amount in ["", "1.5", "--1", "+1", "1e3"] {
        let bad = Request::BankBalance { amount: amount.to_owned(), source: "x".to_owned() };
        assert_eq!(code(over(&app, bad, None).await), "P0103", "{amount}");
    }
}

/// A return is one line of the story, by the code that it came back with.
#[tokio::test(start_paused = true)]
async fn a_return_is_told_once() {
    let app = setup().app().await;
    let test = app.test();
    test.pay(ACCOUNT, "d-1").await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let payout = PayoutNo(app.number("d-1"));
    let code = Some(BankCode(415));
    let back = Command::Return { payout, partner: test.no(), code, notice: 1 };
    app.hub.submit(Actor::Engine, back).await.unwrap();
    let explain = Request::PayoutExplain { payout: named(&app, "d-1") };
    let story = over(&app, explain, None).await.unwrap();
    let lines = story["timeline"].as_array().unwrap();
    let returned = |line: &&Value| line["what"] == EventKind::Returned.text();
    let returned: Vec<_> = lines.iter().filter(returned).collect();
    assert_eq!((returned.len(), &returned[0]["by"]), (1, &json!("bank")), "{lines:?}");
    let note = returned[0]["note"].as_str().unwrap();
    assert!(note.starts_with("1000 won came back; 415: "), "{note}");
    assert_eq!(lines.last().unwrap(), returned[0]);
}
