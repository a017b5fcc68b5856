//! `/transfer/execute` (decision H10; wire "4. /transfer/execute").

use crate::app::{ACCOUNT, FUNDS, HOOK, START, setup};
use ichae_domain::payout::State;
use serde_json::{Value, json};

const PATH: &str = "/transfer/execute";

fn now(group: &str) -> Value {
    json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW" })
}

#[tokio::test(start_paused = true)]
async fn an_execution_says_what_it_took() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    for no in 0..3 {
        test.request(&key, &format!("d-{no}")).await;
    }
    let group = test.request(&key, "d-3").await;
    let answer = test.execute(&group, "ALL", "NOW").await;
    let names = [
        "result",
        "message",
        "cst_id",
        "group_key",
        "billing_tran_id",
        "tot_tran_amt",
        "remain_amt",
        "execute_type",
        "api_tran_dtm",
    ];
    assert_eq!(answer.names(), names);
    for (name, expected) in [
        ("result", "A0000"),
        ("message", "처리 성공"),
        ("cst_id", "test"),
        ("group_key", group.as_str()),
        ("billing_tran_id", "ALL"),
        ("tot_tran_amt", "4000"),
        ("remain_amt", "9996000"),
        ("execute_type", "NOW"),
    ] {
        assert_eq!(answer.get(name), expected, "{name}");
    }
    assert_eq!(answer.get("api_tran_dtm"), START.seoul_17());
    assert_eq!(app.state("d-0"), State::Executing);
}

/// A cancel frees the amounts at once, and needs no address (decisions H8, H10).
#[tokio::test(start_paused = true)]
async fn a_cancel_gives_the_money_back() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.request(&key, "d-1").await;
    let group = test.request(&key, "d-2").await;
    let body = json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "CANCEL" });
    let answer = test.post(PATH, body).await;
    assert_eq!(answer.get("tot_tran_amt"), "2000");
    assert_eq!(answer.get("remain_amt"), FUNDS.to_string());
    assert_eq!(answer.get("execute_type"), "CANCEL");
    assert_eq!(app.state("d-1"), State::Canceled);
    assert_eq!(test.remain().await, (FUNDS, 0, FUNDS));
}

/// In TEST an execution brings its address along, unless the partner has one registered.
#[tokio::test(start_paused = true)]
async fn test_needs_an_address_somewhere() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    let before = app.dump();
    assert_eq!(test.post(PATH, now(&group)).await.code(), "E0120");
    assert_eq!(app.dump(), before);
    app.set("test", |set| set.webhook_url = Some(HOOK.to_owned())).await;
    assert_eq!(test.post(PATH, now(&group)).await.code(), "A0000");
}

/// Decision H18: where a webhook may not go is refused when it is named.
#[tokio::test(start_paused = true)]
async fn an_address_that_may_not_be_reached_is_refused() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    let before = app.dump();
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/hook",
        "http://user:secret@127.0.0.1/hook",
        "ftp://127.0.0.1/",
        "http://",
        "127.0.0.1/hook",
        "http://[fd00::1]/",
    ] {
        let mut body = now(&group);
        body["webhook_url"] = url.into();
        assert_eq!(test.post(PATH, body).await.code(), "E0120", "{url}");
    }
    assert_eq!(app.dump(), before);
    let mut body = now(&group);
    body["webhook_url"] = "http://localhost:9/hook?a=b".into();
    assert_eq!(test.post(PATH, body).await.code(), "A0000");
}

/// In LIVE the field has no effect, whatever it holds (decision H10).
#[tokio::test(start_paused = true)]
async fn live_does_not_look_at_the_address() {
    let app = setup().live().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    for url in [json!(null), json!("http://10.0.0.1/"), json!(7), json!(["x"])] {
        let group =
            test.request(&key, &format!("d-{url}").replace(['"', '/', ':', '[', ']'], "")).await;
        let mut body = now(&group);
        body["webhook_url"] = url;
        assert_eq!(test.post(PATH, body).await.code(), "A0000");
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspended_partner_neither_executes_nor_cancels() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    app.suspend("test", true).await;
    let before = app.dump();
    for how in ["NOW", "CANCEL"] {
        assert_eq!(test.execute(&group, "ALL", how).await.code(), "T0340");
        assert_eq!(test.execute(&group, &key, how).await.code(), "T0340");
    }
    assert_eq!(app.dump(), before);
}

/// Many callers at once: one of them gets the rows, the others hear that they are gone.
#[tokio::test(start_paused = true)]
async fn of_many_executions_at_once_one_takes_the_rows() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.request(&key, "d-1").await;
    let group = test.request(&key, "d-2").await;
    let calls = (0..20).map(|no| {
        let target = if no % 2 == 0 { "ALL" } else { key.as_str() };
        test.execute(&group, target, "NOW")
    });
    let answers = futures_util::future::join_all(calls).await;
    let took: Vec<_> = answers.iter().filter(|answer| answer.code() == "A0000").collect();
    assert_eq!(took.len(), 1);
    assert_eq!(took[0].get("tot_tran_amt"), "2000");
    assert!(answers.iter().filter(|a| a.code() == "E0130").count() == 19);
}
