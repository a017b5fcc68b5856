//! Partner auth: what it prepares, what it refuses, and what its key is good for (decisions C1, C2).

use super::{Shop, auth, code, post};
use crate::app::{Client, setup};
use ichae_server::token::{Bearer, Tokens, Use};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn every_job_has_its_address_and_what_is_no_job_has_none() {
    let app = setup().app().await;
    let test = app.test();
    for (flags, url) in [
        (
            json!({ "PCD_PAY_TYPE": "card", "PCD_SIMPLE_FLAG": "Y" }),
            "/php/SimplePayCardAct.php?ACT_=PAYM",
        ),
        (json!({ "PCD_SIMPLE_FLAG": "Y" }), "/php/SimplePayAct.php?ACT_=PAYM"),
        (
            json!({ "PCD_PAY_TYPE": "card", "PCD_REGULER_FLAG": "Y" }),
            "/php/RePayCardAct.php?ACT_=PAYM",
        ),
        (json!({ "PCD_REGULER_FLAG": "Y" }), "/php/RePayAct.php?ACT_=PAYM"),
        (json!({ "PCD_PAYCANCEL_FLAG": "Y" }), "/php/account/api/cPayCAct.php"),
        (json!({ "PCD_PAYCHK_FLAG": "Y" }), "/php/PayChkAct.php"),
        (json!({ "PCD_PAY_WORK": "TSREG" }), "/php/taxsave/api/tsAct.php?ACT_=TSREG"),
        (json!({ "PCD_PAY_WORK": "TSCANCEL" }), "/php/taxsave/api/tsAct.php?ACT_=TSCANCEL"),
        (json!({ "PCD_PAY_WORK": "PUSERDEL" }), "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERDEL"),
    ] {
        let answer = auth(&test, flags.clone()).await;
        assert_eq!(answer.get("PCD_PAY_URL"), url, "{flags}");
        assert_eq!(answer.get("return_url"), format!("http://democpay.payple.kr{url}"));
    }
    let before = app.dump();
    for (flags, why) in
        [(json!({}), "[AUTH0008] "), (json!({ "PCD_PAY_WORK": "LINKREG" }), "[AUTH0008] ")]
    {
        refused(&auth(&test, flags).await, why);
    }
    let nobody = Client { cst_id: "nobody".into(), ..test.clone() };
    let wrong = Client { cust_key: "another".into(), ..test.clone() };
    let work = json!({ "PCD_PAY_WORK": "PUSERINFO" });
    let one = auth(&nobody, work.clone()).await;
    refused(&one, "[AUTH0003] 가맹점 계정이 존재하지 않습니다.");
    assert_eq!(auth(&wrong, work.clone()).await.text, one.text, "one answer for both");
    let blank = Client { cst_id: String::new(), ..test.clone() };
    refused(&auth(&blank, work.clone()).await, "[AUTH0001] ");
    let blank = Client { cust_key: String::new(), ..test.clone() };
    refused(&auth(&blank, work).await, "[AUTH0002] ");
    assert_eq!(app.dump(), before);
}

/// HTTP 200, and every field that a client reads without looking.
#[track_caller]
fn refused(answer: &crate::answer::Answer, why: &str) {
    assert_eq!((answer.status.as_u16(), answer.get("result")), (200, "error".to_owned()));
    assert!(answer.get("result_msg").starts_with(why), "{}", answer.text);
    for name in ["cst_id", "custKey", "AuthKey", "PCD_PAY_HOST", "PCD_PAY_URL", "return_url"] {
        assert_eq!(answer.get(name), "", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_auth_key_is_good_for_thirty_minutes_of_its_own_partner_here() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let shop = Shop::open(test.clone()).await;
    shop.documented_keys().await;
    let theirs = Shop::open(other).await;
    let partner = app.hub.directory.by_id("test").unwrap();
    let bearer = Bearer { partner: partner.partner.no, generation: 1 };
    let keys = app.hub.sealer.keys();
    let live = Tokens::new(&keys.sealing, "live", Use::AuthKey);
    let token = Tokens::new(&keys.sealing, "test", Use::Token);
    let ask = |auth_key: String| {
        let mut body = shop.body(json!({ "PCD_PAYER_ID": super::CARD_KEY }));
        body["PCD_AUTH_KEY"] = auth_key.into();
        app.send(post("/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO", body.to_string()))
    };
    assert_eq!(code(&ask(shop.auth_key.clone()).await), "0000");
    let mut altered = shop.auth_key.clone().into_bytes();
    altered[40] ^= 1;
    let bad = [
        String::from_utf8(altered).unwrap(),
        theirs.auth_key.clone(),
        live.issue(bearer, app.hub.now()).unwrap(),
        token.issue(bearer, app.hub.now()).unwrap(),
        String::new(),
        "a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d".to_owned(),
    ];
    let mut answers = Vec::new();
    for auth_key in bad {
        let answer = ask(auth_key.clone()).await;
        assert_eq!(code(&answer), "PUIF0002", "{auth_key}");
        answers.push(answer.text);
    }
    assert!(answers.iter().all(|text| *text == answers[0]));
    let began = app.hub.now().0 - 1;
    tokio::time::sleep(Duration::from_millis((30 * 60_000 - 1 - (app.hub.now().0 - began)) as u64))
        .await;
    assert_eq!(code(&ask(shop.auth_key.clone()).await), "0000", "its last millisecond");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(code(&ask(shop.auth_key.clone()).await), "PUIF0002", "one second too old");
    // A rotation of the partner's key ends the AuthKeys of before.
    let fresh = auth(&test, json!({ "PCD_PAY_WORK": "PUSERINFO" })).await.get("AuthKey");
    let rotate = ichae_server::admin::Request::PartnerRotateKey {
        cst_id: "test".into(),
        webhook_secret: false,
        refund_key: false,
    };
    let rotated = app.admin(rotate).await.unwrap();
    let mut body = shop.body(json!({ "PCD_PAYER_ID": super::CARD_KEY }));
    body["PCD_AUTH_KEY"] = fresh.into();
    body["PCD_CUST_KEY"] = rotated["cust_key"].clone();
    let path = "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO";
    assert_eq!(code(&app.send(post(path, body.to_string())).await), "PUIF0002");
}

/// LIVE looks at the Referer, also of follow-up calls; TEST does not.
#[tokio::test(start_paused = true)]
async fn live_takes_calls_from_registered_domains_only() {
    let app = setup().live().app().await;
    let domains = vec!["shop.example".to_owned()];
    app.set("test", |set| set.domains = Some(domains)).await;
    let body = app.test().body(json!({ "PCD_PAY_WORK": "PUSERINFO" })).to_string();
    let call = |path: &str, body: String, referer: Option<&str>| {
        let mut request = post(path, body);
        request.headers_mut().remove("referer");
        if let Some(referer) = referer {
            request.headers_mut().insert("referer", referer.parse().unwrap());
        }
        app.send(request)
    };
    for referer in [None, Some("https://evil.example"), Some("http://localhost:8080")] {
        let answer = call("/php/auth.php", body.clone(), referer).await;
        refused(&answer, "[AUTH0004] ");
    }
    let admitted = call("/php/auth.php", body, Some("https://www.shop.example/pay")).await;
    assert_eq!(admitted.get("result"), "success");
    let follow: Value = json!({ "PCD_CST_ID": "test", "PCD_CUST_KEY": app.test().cust_key,
        "PCD_AUTH_KEY": admitted.get("AuthKey"), "PCD_PAYER_ID": "x" });
    let path = "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO";
    let follow = follow.to_string();
    assert_eq!(code(&call(path, follow.clone(), None).await), "AUTH0004");
    let answer = call(path, follow, Some("https://shop.example")).await;
    assert_eq!(code(&answer), "PUIF0001");
    assert_eq!(
        answer.get("PCD_PAY_MSG"),
        "[PUIF0001] 등록되지 않은 빌링키입니다.",
        "no mark in LIVE"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_not_on_the_list_is_refused() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    app.set("test", |set| set.sources = Some(vec!["198.51.100.0/24".into()])).await;
    refused(&auth(&app.test(), json!({ "PCD_PAY_WORK": "PUSERINFO" })).await, "[AUTH0004] ");
    assert_eq!(code(&shop.info("x").await), "AUTH0004");
}
