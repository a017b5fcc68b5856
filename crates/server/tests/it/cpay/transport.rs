//! What real clients send, and what comes back when it cannot be read (decisions C3, H1, H2).

use super::{CARD_KEY, SIMPLE_CARD, Shop, USER, code, payment, post};
use crate::app::{PEER, setup};
use axum::body::Body;
use axum::http::Request as HttpRequest;
use ichae_server::api::Peer;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn whatever_the_content_type_the_body_counts() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let body = shop.body(json!({ "PCD_PAYER_ID": CARD_KEY })).to_string();
    let kinds = [
        Some("application/json;"),
        Some("application/json; charset=UTF-8"),
        Some("text/html"),
        None,
    ];
    for kind in kinds {
        let mut request = post(&format!("{USER}?ACT_=PUSERINFO"), body.clone());
        request.headers_mut().remove("content-type");
        request.headers_mut().remove("referer");
        request.headers_mut().insert("accept", "text/html".parse().unwrap());
        request.headers_mut().insert("charset", "UTF-8".parse().unwrap());
        if let Some(kind) = kind {
            request.headers_mut().insert("content-type", kind.parse().unwrap());
        }
        let answer = app.send(request).await;
        assert_eq!(code(&answer), "0000", "{kind:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[tokio::test(start_paused = true)]
async fn empty_null_and_numbers_are_taken_in_any_order() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let mut body = json!({ "PCD_PAY_TOTAL": 1000, "PCD_PAYER_NO": 2324, "PCD_PAY_TAXTOTAL": "",
        "PCD_PAYER_HP": null, "PCD_USER_DEFINE1": "", "PCD_PAY_OID": "", "PCD_UNKNOWN": [1, 2] });
    body["PCD_SIMPLE_FLAG"] = "Y".into();
    body["PCD_PAY_GOODS"] = "상품".into();
    body["PCD_PAYER_ID"] = CARD_KEY.into();
    let answer = shop.send(SIMPLE_CARD, body).await;
    assert_eq!(code(&answer), "SPCD0000", "{}", answer.text);
    assert_eq!(
        (answer.get("PCD_PAY_TOTAL"), answer.get("PCD_PAYER_NO")),
        ("1000".into(), "2324".into())
    );
    assert!(!answer.get("PCD_PAY_OID").is_empty(), "one is made where none is given");
}

#[tokio::test(start_paused = true)]
async fn the_old_query_form_is_for_test_only() {
    let get = |uri: &str| {
        let request = HttpRequest::builder().method("GET").uri(uri).header("host", "localhost");
        request.extension(Peer(PEER)).body(Body::empty()).unwrap()
    };
    let query = "/php/auth.php?cst_id=test&custKey=abcd1234567890&PCD_PAY_WORK=PUSERINFO";
    let app = setup().app().await;
    assert_eq!(app.send(get(query)).await.get("result"), "success");
    for path in [USER, SIMPLE_CARD, super::REFUND, super::CHECK, super::RECEIPT] {
        let answer = app.send(get(path)).await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (405, "T0400".into()), "{path}");
        assert_eq!((answer.get("PCD_PAY_RST"), answer.code()), ("error".into(), "T0400".into()));
    }
    let live = setup().live().app().await;
    assert_eq!(live.send(get(query)).await.status, 405);
}

/// With its status, and both APIs' fields.
#[tokio::test(start_paused = true)]
async fn a_fault_below_the_api_has_the_fields_that_clients_read() {
    let app = setup().app().await;
    let before = app.dump();
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    for path in ["/php/auth.php", USER, SIMPLE_CARD, super::REFUND, super::CHECK, super::RECEIPT] {
        for (body, status) in [
            ("no json", 400),
            ("{\"a\":1,\"a\":2}", 400),
            (&format!("{{\"a\":{deep}}}"), 400),
            (&large, 413),
        ] {
            let answer = app.send(post(path, body.to_owned())).await;
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.code(), "T0400");
            if path == "/php/auth.php" {
                assert!(answer.get("result_msg").starts_with("[T0400] "), "{}", answer.text);
                assert_eq!((answer.get("AuthKey"), answer.get("return_url")), Default::default());
                continue;
            }
            assert_eq!(
                (answer.get("PCD_PAY_RST"), code(&answer)),
                ("error".into(), "T0400".into())
            );
            assert!(!answer.message().is_empty());
        }
    }
    let unknown = app.send(post("/php/Nothing.php", "{}")).await;
    assert_eq!((unknown.status.as_u16(), code(&unknown)), (404, "T0400".into()));
    app.draining.send(true).unwrap();
    let busy = app.send(post("/php/auth.php", "{}")).await;
    assert_eq!((busy.status.as_u16(), busy.code()), (503, "T0503".into()));
    assert!(busy.get("result_msg").starts_with("[T0503] "), "{}", busy.text);
    let busy = app.send(post(SIMPLE_CARD, payment(CARD_KEY, "o", 1_000).to_string())).await;
    assert_eq!((busy.status.as_u16(), code(&busy)), (503, "T0503".into()));
    assert_eq!(busy.header("retry-after"), Some("1"));
    assert_eq!(app.dump(), before);
}

#[tokio::test(start_paused = true)]
async fn an_address_without_its_job_is_refused() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    for path in [USER.to_owned(), format!("{USER}?ACT_=PAYM"), format!("{}?ACT_=", super::RECEIPT)]
    {
        assert_eq!(code(&shop.send(&path, json!({})).await), "PUIF0003", "{path}");
    }
}
