//! The key against double payment, over the API (decision H9).

use crate::answer::Answer;
use crate::app::{ACCOUNT, Client, FUNDS, HOOK, SETTLED, START, setup};
use futures_util::future::join_all;
use ichae_domain::bank::{Answer as Bank, BankCode, Why};
use ichae_domain::command::{Actor, Command};
use ichae_domain::ident::PayoutNo;
use ichae_domain::time::Day;
use ichae_wire::ident::Kind;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

const PATH: &str = "/transfer/request";
const USED: &str = "이미 사용된 distinct_key입니다.";
/// What a repeat's answer holds before and after its execution.
const WAITING: [&str; 7] =
    ["result", "message", "group_key", "billing_tran_id", "tran_amt", "api_tran_dtm", "state"];

fn whole(key: &str) -> Value {
    json!({ "sub_id": "seller_1", "distinct_key": "d-1", "billing_tran_id": key,
        "tran_amt": "1000", "print_content": "정산비" })
}

#[tokio::test(start_paused = true)]
async fn a_repeat_carries_the_first_request_and_holds_nothing() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let first = test.post(PATH, whole(&key)).await;
    let before = app.dump();
    tokio::time::advance(Duration::from_secs(3)).await;
    let again = test.post(PATH, whole(&key)).await;
    assert_eq!(again.names(), WAITING);
    assert_eq!((again.code(), again.message()), ("R0132".into(), USED.into()));
    for name in ["group_key", "billing_tran_id", "tran_amt", "api_tran_dtm"] {
        assert_eq!(again.get(name), first.get(name), "{name}");
    }
    assert_eq!(again.get("api_tran_dtm"), START.seoul_17(), "the first request's time");
    assert_eq!(again.get("state"), "requested");
    assert_eq!(app.dump(), before);
    assert_eq!(test.remain().await, (FUNDS, 1_000, FUNDS - 1_000));
}

#[tokio::test(start_paused = true)]
async fn of_fifty_at_once_one_is_taken_and_the_others_carry_it() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let answers = join_all((0..50).map(|_| test.post(PATH, whole(&key)))).await;
    let (taken, repeats): (Vec<Answer>, _) =
        answers.into_iter().partition(|answer| answer.code() == "A0000");
    assert_eq!((taken.len(), repeats.len()), (1, 49));
    let texts: HashSet<&str> = repeats.iter().map(|answer| answer.text.as_str()).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    for name in ["group_key", "billing_tran_id", "tran_amt", "api_tran_dtm"] {
        assert_eq!(repeats[0].get(name), taken[0].get(name), "{name}");
    }
    assert_eq!(test.remain().await.1, 1_000);
}

#[tokio::test(start_paused = true)]
async fn of_fifty_different_ones_at_once_one_is_taken() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let calls = (0..50).map(|no| {
        let mut body = whole(&key);
        body["tran_amt"] = (1_000 + no).to_string().into();
        test.post(PATH, body)
    });
    let answers = join_all(calls).await;
    let taken: Vec<_> = answers.iter().filter(|answer| answer.code() == "A0000").collect();
    assert_eq!(taken.len(), 1);
    for other in answers.iter().filter(|answer| answer.code() != "A0000") {
        assert_eq!(other.code(), "R0133");
        assert_eq!(other.get("tran_amt"), taken[0].get("tran_amt"), "the first one's amount");
    }
    assert_eq!(test.remain().await.1.to_string(), taken[0].get("tran_amt"));
}

/// The same over a store in a file.
#[tokio::test(start_paused = true)]
async fn of_fifty_at_once_one_is_taken_in_a_file_too() {
    let app = setup().in_a_file().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let answers = join_all((0..50).map(|_| test.post(PATH, whole(&key)))).await;
    let taken = answers.iter().filter(|answer| answer.code() == "A0000").count();
    let repeats = answers.iter().filter(|answer| answer.code() == "R0132").count();
    assert_eq!((taken, repeats), (1, 49));
    assert_eq!(test.remain().await.1, 1_000);
    let app = app.reopen();
    let again = app.test().post(PATH, whole(&key)).await;
    assert_eq!((again.code(), again.get("state")), ("R0132".into(), "requested".into()));
}

/// What the repeat says of the first one's state, all along its way.
#[tokio::test(start_paused = true)]
async fn a_repeat_tells_the_state_and_the_transfer_once_there_is_one() {
    let refused = Bank::Refused { code: BankCode(421), day: Day(20_261_122) };
    let table: [(&str, Option<Bank>, &str); 5] = [
        ("executing", None, "executing"),
        ("sending", None, "sending"),
        ("settled", Some(SETTLED), "settled"),
        ("failed", Some(refused), "failed"),
        ("unknown", Some(Bank::Unknown(Why::Lost)), "unknown"),
    ];
    for (step, bank, state) in table {
        let app = setup().app().await;
        let test = app.test();
        let key = test.key(ACCOUNT).await;
        let group = test.post(PATH, whole(&key)).await.get("group_key");
        test.execute_all(&group).await;
        if step != "executing" {
            app.settle_by_hand(|_| bank).await;
        }
        let again = test.post(PATH, whole(&key)).await;
        assert_eq!((again.code(), again.get("state")), ("R0132".into(), state.into()));
        let mut names = WAITING.to_vec();
        names.push("api_tran_id");
        assert_eq!(again.names(), names, "{step}");
        let body = json!({ "api_tran_id": again.get("api_tran_id") });
        let row = test.post("/transfer/result", body).await;
        assert_eq!(row.get("distinct_key"), "d-1", "{step}: it names the transfer");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_stays_used_after_a_return_and_after_a_cancel() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.post(PATH, whole(&key)).await.get("group_key");
    test.execute_all(&group).await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    let transfer = test.post(PATH, whole(&key)).await.get("api_tran_id");
    let payout = app.hub.serial(Kind::Transfer, test.no(), &transfer).map(PayoutNo).unwrap();
    let back = Command::Return { payout, partner: test.no(), code: None, notice: 1 };
    app.hub.submit(Actor::Engine, back).await.unwrap();
    let again = test.post(PATH, whole(&key)).await;
    assert_eq!((again.code(), again.get("state")), ("R0132".into(), "returned".into()));
    assert_eq!(again.get("api_tran_id"), transfer);

    let group = test.request(&key, "d-2").await;
    test.execute(&group, "ALL", "CANCEL").await;
    let again = test.ask(&key, "d-2").await;
    assert_eq!((again.code(), again.get("state")), ("R0132".into(), "canceled".into()));
    assert_eq!(again.names(), WAITING, "what was never executed has no transfer");
}

/// R0133 names the first field that differs, in the documents' order.
#[tokio::test(start_paused = true)]
async fn other_content_is_refused_by_the_field_that_changed() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let second = test.key("2222222222").await;
    test.post(PATH, whole(&key)).await;
    let before = app.dump();
    let table: &[(&[(&str, Value)], &str)] = &[
        (&[("sub_id", "seller_2".into())], "sub_id"),
        (&[("sub_id", Value::Null)], "sub_id"),
        (&[("billing_tran_id", second.as_str().into())], "billing_tran_id"),
        (&[("billing_tran_id", "made-up".into())], "billing_tran_id"),
        (&[("tran_amt", "1001".into())], "tran_amt"),
        (&[("print_content", "정산".into())], "print_content"),
        (&[("print_content", Value::Null)], "print_content"),
        (&[("sub_id", "x".into()), ("tran_amt", "1001".into())], "sub_id"),
        (&[("billing_tran_id", "x".into()), ("tran_amt", "1".into())], "billing_tran_id"),
        (&[("tran_amt", "1".into()), ("print_content", "x".into())], "tran_amt"),
    ];
    for (changes, named) in table {
        let mut body = whole(&key);
        for (name, value) in *changes {
            body[*name] = value.clone();
        }
        let answer = test.post(PATH, body).await;
        assert_eq!(answer.code(), "R0133", "{changes:?}");
        let message = format!("이미 다른 내용으로 사용된 distinct_key입니다. - {named}");
        assert_eq!(answer.message(), message, "{changes:?}");
        assert_eq!(answer.names(), WAITING, "it carries the first request too");
        assert_eq!(answer.get("billing_tran_id"), key);
    }
    assert_eq!(app.dump(), before);
}

/// Compared in the form in which they were sent, normalised.
#[tokio::test(start_paused = true)]
async fn what_means_the_same_is_the_same_content() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.post(PATH, whole(&key)).await;
    // Spaces; the same syllables in pieces (NFD); the amount as a number; unknown fields.
    let pieces = "\u{110C}\u{1165}\u{11BC}\u{1109}\u{1161}\u{11AB}\u{1107}\u{1175}";
    for (name, value) in [
        ("print_content", json!("정 산 비")),
        ("print_content", json!(pieces)),
        ("tran_amt", json!(1000)),
        ("memo", json!("new")),
    ] {
        let mut body = whole(&key);
        body[name] = value;
        assert_eq!(test.post(PATH, body).await.code(), "R0132", "{name}");
    }
}

/// A text that was not sent is compared as not sent, whatever the partner's name is by then.
#[tokio::test(start_paused = true)]
async fn a_new_name_of_the_partner_makes_no_other_content() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.request(&key, "d-1").await;
    app.set("test", |set| set.name = Some("새이름".to_owned())).await;
    assert_eq!(test.ask(&key, "d-1").await.code(), "R0132");
    let body = json!({ "distinct_key": "d-1", "billing_tran_id": key, "tran_amt": "1000",
        "print_content": "주테스트파트" });
    assert_eq!(test.post(PATH, body).await.code(), "R0133");
}

#[tokio::test(start_paused = true)]
async fn every_partner_has_keys_of_its_own() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let (ours, theirs) = (test.key(ACCOUNT).await, other.key(ACCOUNT).await);
    assert_eq!(test.ask(&ours, "d-1").await.code(), "A0000");
    assert_eq!(other.ask(&theirs, "d-1").await.code(), "A0000");
}

/// Without one in the request the server makes it and gives it back, and it counts.
#[tokio::test(start_paused = true)]
async fn a_key_that_the_server_made_comes_back_and_counts() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let mut made = HashSet::new();
    for absent in [json!(null), json!("")] {
        let body = json!({ "distinct_key": absent, "billing_tran_id": key, "tran_amt": "1000" });
        for _ in 0..5 {
            made.insert(made_key(&test, &body).await);
        }
    }
    assert_eq!(made.len(), 10, "each is new");
    for distinct_key in &made {
        assert!(ichae_domain::text::is_distinct_key(distinct_key), "{distinct_key}");
        assert_eq!(test.ask(&key, distinct_key).await.code(), "R0132");
    }
    assert_eq!(test.remain().await.1, 10_000);
}

async fn made_key(test: &Client<'_>, body: &Value) -> String {
    test.post(PATH, body.clone()).await.get("distinct_key")
}

/// Step 8 before step 9 (decision H6a): a repeat hears of the first request, whatever has changed.
#[tokio::test(start_paused = true)]
async fn a_repeat_is_told_of_the_first_request_whatever_has_changed_since() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let funds =
        json!({ "distinct_key": "d-1", "billing_tran_id": key, "tran_amt": FUNDS.to_string() });
    assert_eq!(test.post(PATH, funds.clone()).await.code(), "A0000");
    let new =
        |amount: &str| json!({ "distinct_key": "new", "billing_tran_id": key, "tran_amt": amount });

    assert_eq!(test.post(PATH, new("1")).await.code(), "R0140", "the limit is used up");
    assert_eq!(test.post(PATH, funds.clone()).await.code(), "R0132");
    app.set("test", |set| set.transfer_cap = Some("100".to_owned())).await;
    assert_eq!(test.post(PATH, new("101")).await.code(), "R0113", "the cap is lower");
    assert_eq!(test.post(PATH, funds.clone()).await.code(), "R0132");
    let body = json!({ "group_key": test.post(PATH, funds.clone()).await.get("group_key"),
        "billing_tran_id": "ALL", "execute_type": "NOW", "webhook_url": HOOK });
    test.post("/transfer/execute", body).await;
    let day = Day(20_261_122);
    app.settle_by_hand(|_| Some(Bank::Refused { code: BankCode(415), day })).await;
    assert_eq!(test.post(PATH, new("1")).await.code(), "R0103", "the key is dead");
    assert_eq!(test.post(PATH, funds.clone()).await.code(), "R0132");
    app.suspend("test", true).await;
    assert_eq!(test.post(PATH, new("1")).await.code(), "T0340", "the partner is suspended");
    assert_eq!(test.post(PATH, funds).await.code(), "R0132");
}
