//! What operators do (decisions H7, H17, I2, I3, M1, M3).

use crate::app::{ACCOUNT, CUST_KEY, Client, FUNDS, HOOK, TestApp, setup};
use crate::courier::{Does, TestCourier};
use ichae_domain::payout::State;
use ichae_server::admin::request::{PartnerAdd, PartnerSet};
use ichae_server::admin::{AdminError, Request};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn add(cst_id: &str) -> PartnerAdd {
    PartnerAdd {
        cst_id: cst_id.to_owned(), name: "새 파트너".to_owned(), ..PartnerAdd::default()
    }
}

fn id() -> String {
    "test".to_owned()
}

async fn show(app: &TestApp, cst_id: &str) -> Value {
    app.admin(Request::PartnerShow { cst_id: cst_id.to_owned() }).await.unwrap()
}

#[track_caller]
fn refused(answer: Result<Value, AdminError>, code: &str) -> AdminError {
    let error = answer.unwrap_err();
    assert_eq!(error.code.as_deref(), Some(code), "{error:?}");
    assert!(error.message_ko.is_some() && error.hint.is_some());
    error
}

#[tokio::test(start_paused = true)]
async fn a_new_partner_gets_its_secrets_once_and_can_call() {
    let app = setup().app().await;
    let made = app.admin(Request::PartnerAdd(add("new"))).await.unwrap();
    let cust_key = made["cust_key"].as_str().unwrap().to_owned();
    assert_eq!(cust_key.len(), 43, "256 random bits");
    assert!(made["webhook_secret"].as_str().unwrap().starts_with("whsec_"));
    let new = Client { app: &app, cst_id: "new".to_owned(), cust_key: cust_key.clone() };
    assert_eq!(new.remain().await, (0, 0, 0));
    let shown = show(&app, "new").await;
    for secret in [cust_key.as_str(), made["webhook_secret"].as_str().unwrap()] {
        assert!(!shown.to_string().contains(secret), "shown once");
    }
    let list = app.admin(Request::PartnerList).await.unwrap();
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|p| p["cst_id"].clone()).collect();
    assert_eq!(ids, ["test", "new"]);
    assert_eq!(list[1], shown);
}

#[tokio::test(start_paused = true)]
async fn a_partner_that_is_not_of_its_form_is_refused_by_the_setting() {
    let app = setup().app().await;
    let before = app.dump();
    refused(app.admin(Request::PartnerAdd(add("test"))).await, "P0102");
    let wrong = |change: fn(&mut PartnerAdd)| {
        let mut new = add("new");
        change(&mut new);
        Request::PartnerAdd(new)
    };
    for (request, named) in [
        (wrong(|new| new.cst_id = "thirteen_char".to_owned()), "cst_id"),
        (wrong(|new| new.cst_id = String::new()), "cst_id"),
        (wrong(|new| new.name = "!!!".to_owned()), "name"),
        (wrong(|new| new.webhook_url = Some("http://10.0.0.1/".to_owned())), "webhook_url"),
        (wrong(|new| new.webhook_url = Some("x".to_owned())), "webhook_url"),
        (wrong(|new| new.sources = vec!["10.0.0.0/33".to_owned()]), "sources"),
        (wrong(|new| new.transfer_cap = Some("0".to_owned())), "transfer_cap"),
    ] {
        let error = refused(app.admin(request).await, "P0103");
        assert!(error.message.ends_with(&format!("({named})")), "{error:?}");
    }
    for request in [
        Request::PartnerShow { cst_id: "nobody".to_owned() },
        Request::PartnerSuspend { cst_id: "nobody".to_owned(), suspended: true },
        Request::PartnerRotateKey {
            cst_id: "nobody".to_owned(),
            webhook_secret: false,
            refund_key: false,
        },
        Request::PartnerSet(PartnerSet { cst_id: "nobody".to_owned(), ..Default::default() }),
        Request::GroupList { cst_id: "nobody".to_owned() },
        Request::EventList { cst_id: Some("nobody".to_owned()), limit: 1 },
    ] {
        refused(app.admin(request).await, "P0101");
    }
    assert_eq!(app.dump(), before);
}

/// In LIVE a webhook goes to https, so nothing else can be registered (decision H18).
#[tokio::test(start_paused = true)]
async fn live_registers_https_only() {
    let app = setup().live().app().await;
    for (url, taken) in [
        (HOOK, false),
        ("http://partner.example/", false),
        ("https://127.0.0.1/", false),
        ("https://partner.example/hook", true),
    ] {
        let set =
            PartnerSet { cst_id: id(), webhook_url: Some(url.to_owned()), ..PartnerSet::default() };
        assert_eq!(app.admin(Request::PartnerSet(set)).await.is_ok(), taken, "{url}");
    }
}

/// What is absent stays, an empty text takes a setting away.
#[tokio::test(start_paused = true)]
async fn settings_change_one_by_one() {
    let app = setup().app().await;
    app.set("test", |set| {
        set.webhook_url = Some(HOOK.to_owned());
        set.sources = Some(vec!["192.0.2.1".to_owned(), "10.0.0.0/8".to_owned()]);
        set.transfer_cap = Some("5000".to_owned());
    })
    .await;
    app.set("test", |set| set.name = Some("다른 이름".to_owned())).await;
    let shown = show(&app, "test").await;
    assert_eq!(shown["name"], "다른 이름");
    assert_eq!(shown["webhook_url"], HOOK);
    assert_eq!(shown["sources"], json!(["192.0.2.1/32", "10.0.0.0/8"]));
    assert_eq!(shown["transfer_cap"], 5_000);
    app.set("test", |set| {
        set.webhook_url = Some(String::new());
        set.transfer_cap = Some(String::new());
        set.sources = Some(Vec::new());
    })
    .await;
    let shown = show(&app, "test").await;
    assert_eq!((&shown["webhook_url"], &shown["transfer_cap"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["sources"], json!([]));
}

/// A reference counts once, and taking back stops at what is available (decision M1).
#[tokio::test(start_paused = true)]
async fn funding_counts_a_reference_once() {
    let app = setup().app().await;
    let fund = |amount: &str, reference: &str, take_back| Request::PartnerFund {
        cst_id: id(),
        amount: amount.to_owned(),
        reference: reference.to_owned(),
        take_back,
    };
    let first = app.admin(fund("500", "r-1", false)).await.unwrap();
    assert_eq!((&first["available"], &first["repeated"]), (&json!(FUNDS + 500), &json!(false)));
    let again = app.admin(fund("500", "r-1", false)).await.unwrap();
    assert_eq!((&again["available"], &again["repeated"]), (&json!(FUNDS + 500), &json!(true)));
    refused(app.admin(fund("501", "r-1", false)).await, "P0110");
    refused(app.admin(fund("500", "r-1", true)).await, "P0110");
    refused(app.admin(fund(&(FUNDS + 501).to_string(), "r-2", true)).await, "P0111");
    for amount in ["0", "-5", "1.5", "", "x"] {
        refused(app.admin(fund(amount, "r-3", false)).await, "P0103");
    }
    refused(app.admin(fund("5", "", false)).await, "P0103");
    let back = app.admin(fund("500", "r-4", true)).await.unwrap();
    assert_eq!(back["available"], json!(FUNDS));
    assert_eq!(show(&app, "test").await["funded"], json!(FUNDS));
}

#[tokio::test(start_paused = true)]
async fn groups_are_listed_shown_and_cancelled() {
    let app = setup().app().await;
    let test = app.test();
    let other = app.partner("other").await;
    let key = test.key(ACCOUNT).await;
    let first = test.request(&key, "d-1").await;
    test.execute(&first, &key, "NOW").await;
    test.request(&key, "d-2").await;
    let second = test.request(&key, "d-3").await;
    let list = app.admin(Request::GroupList { cst_id: id() }).await.unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1, "those in which something waits");
    let of = |key: &str, cst_id: &str| Request::GroupShow {
        cst_id: cst_id.to_owned(),
        group_key: key.to_owned(),
    };
    let shown = app.admin(of(&second, "test")).await.unwrap();
    assert_eq!((&shown["state"], &shown["requests"]), (&json!("open"), &json!(2)));
    assert_eq!((&shown["waiting"], &shown["waiting_sum"]), (&json!(2), &json!(2_000)));
    assert_eq!(shown["states"], json!([{ "state": "requested", "count": 2, "sum": 2_000 }]));
    refused(app.admin(of(&second, &other.cst_id)).await, "E0101");
    refused(app.admin(of("made-up", "test")).await, "E0101");

    // An operator cancels for a suspended partner, too.
    app.suspend("test", true).await;
    let cancel = Request::GroupCancel { cst_id: id(), group_key: second.clone() };
    let done = app.admin(cancel.clone()).await.unwrap();
    assert_eq!((&done["canceled"], &done["sum"]), (&json!(2), &json!(2_000)));
    assert_eq!(done["available"], json!(FUNDS - 1_000));
    assert_eq!(app.state("d-2"), State::Canceled);
    refused(app.admin(cancel).await, "E0130");
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_listed_shown_and_sent_again() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    courier.script("test", [Does::Says(500)]);
    let engine = app.engine(&courier).await;
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, 3).await;
    test.execute_all(&group).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let list = |cst_id: Option<&str>, state: Option<&str>, after, limit| Request::WebhookList {
        cst_id: cst_id.map(str::to_owned),
        state: state.map(str::to_owned),
        after,
        limit,
    };
    let all = app.admin(list(None, None, 0, 10)).await.unwrap();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["state"], "pending");
    assert_eq!((&all[0]["tries"], &all[0]["last_status"]), (&json!(1), &json!(500)));
    assert!(all[0]["webhook_id"].as_str().unwrap().starts_with("msg_"));
    let no = all[0]["no"].as_i64().unwrap();
    for (request, count) in [
        (list(Some("test"), Some("pending"), 0, 10), 3),
        (list(Some("test"), Some("delivered"), 0, 10), 0),
        (list(None, Some("given-up"), 0, 10), 0),
        (list(None, None, no, 10), 2),
        (list(None, None, 0, 1), 1),
    ] {
        let found = app.admin(request.clone()).await.unwrap();
        assert_eq!(found.as_array().unwrap().len(), count, "{request:?}");
    }
    app.admin(list(None, Some("lost"), 0, 1)).await.unwrap_err();
    let shown = app.admin(Request::WebhookShow { no }).await.unwrap();
    assert_eq!(
        (&shown["payout_state"], &shown["distinct_key"]),
        (&json!("settled"), &json!("many-0"))
    );
    assert_eq!((&shown["amount"], &shown["group_key"]), (&json!(1_000), &json!(group)));
    refused(app.admin(Request::WebhookShow { no: 99 }).await, "W0101");
    refused(app.admin(Request::WebhookResend { no: 99 }).await, "W0101");

    courier.script("test", [Does::Says(204)]);
    let before = courier.tries().len();
    app.admin(Request::WebhookResend { no }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(courier.tries().len(), before + 1);
    let shown = app.admin(Request::WebhookShow { no }).await.unwrap();
    assert_eq!((&shown["state"], &shown["next_try"]), (&json!("delivered"), &Value::Null));
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_bank_is_paused_and_resumed_by_name() {
    let app = setup().app().await;
    let status = app.admin(Request::BankStatus).await.unwrap();
    assert_eq!((&status["paused"], &status["institution"]), (&json!(false), &json!("M202112389")));
    let paused = app.admin(Request::BankPause { reason: "maintenance".to_owned() }).await.unwrap();
    assert_eq!(paused["paused"], json!(true));
    assert_eq!((&paused["by"], &paused["reason"]), (&json!("kim"), &json!("maintenance")));
    // Once more changes nothing.
    let again = app.admin(Request::BankPause { reason: "other".to_owned() }).await.unwrap();
    assert_eq!(again, paused);
    assert_eq!(app.admin(Request::BankResume).await.unwrap(), status);
    assert_eq!(app.admin(Request::BankResume).await.unwrap(), status);
}

/// Every change has its line: when, who, what, how much. No secret and no person among it.
#[tokio::test(start_paused = true)]
async fn events_say_who_did_what() {
    let app = setup().app().await;
    let test = app.test();
    test.pay(ACCOUNT, "d-1").await;
    app.admin(Request::BankPause { reason: "maintenance".to_owned() }).await.unwrap();
    app.suspend("test", true).await;
    let list = app.admin(Request::EventList { cst_id: Some(id()), limit: 100 }).await.unwrap();
    let lines = list.as_array().unwrap();
    let what: Vec<_> = lines.iter().rev().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(
        what,
        [
            "partner added",
            "funded",
            "billing key made",
            "payout requested",
            "executed",
            "partner suspended"
        ]
    );
    assert_eq!((&lines[0]["by"], &lines[1]["by"]), (&json!("kim"), &json!("partner")));
    assert_eq!(lines[2]["amount"], json!(1_000));
    let text = list.to_string();
    for secret in [ACCOUNT, "홍길동", "880212", CUST_KEY] {
        assert!(!text.contains(secret), "{secret}");
    }
    let all = app.admin(Request::EventList { cst_id: None, limit: 3 }).await.unwrap();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!((&all[1]["what"], &all[1]["about"]), (&json!("rail paused"), &json!("rail 0")));
}

/// Keys that are in memory only have nothing to rotate.
#[tokio::test(start_paused = true)]
async fn a_hub_in_memory_rotates_nothing() {
    let app = setup().app().await;
    app.admin(Request::KeyRotate).await.unwrap_err();
}

/// Decision I2: the keys rotate under load, and nobody notices. On real time: the writer has its
/// thread, as in a server.
#[tokio::test]
async fn the_keys_rotate_while_everybody_calls() {
    let app = Arc::new(setup().in_a_file().with_its_thread().app().await);
    let key = app.test().key(ACCOUNT).await;
    let token = app.test().token().await;
    let (over, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (app, over, calls) = (Arc::clone(&app), Arc::clone(&over), Arc::clone(&calls));
            let (key, token) = (key.clone(), token.clone());
            tokio::spawn(async move {
                let test = app.test();
                let mut no = 0;
                // A few more after the rotation is done.
                let mut left = 5;
                while left > 0 {
                    left -= usize::from(over.load(Ordering::Relaxed));
                    assert_eq!(test.ask(&key, &format!("{caller}-{no}")).await.code(), "A0000");
                    assert_eq!(test.key(ACCOUNT).await, key, "the account is still found");
                    let body = test.body(json!({})).to_string();
                    let remain = app.raw("/account/remain", Some(&token), body).await;
                    assert_eq!(remain.code(), "A0000", "a token of before stays good");
                    no += 1;
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for rotation in 2..=4 {
        let before = calls.load(Ordering::Relaxed);
        while calls.load(Ordering::Relaxed) < before + 4 {
            tokio::task::yield_now().await;
        }
        let done = app.admin(Request::KeyRotate).await.unwrap();
        assert_eq!(done, json!({ "sealing_key": rotation, "done": true }));
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let app = Arc::into_inner(app).unwrap().reopen();
    assert_eq!(app.test().key(ACCOUNT).await, key, "and after a restart, too");
}
