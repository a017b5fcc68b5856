//! How long a token is good, for whom, and what ends it (decision H6).

use crate::app::{CUST_KEY, Client, PEER, call, setup};
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use ichae_server::admin::Request;
use ichae_server::api::Peer;
use ichae_server::token::{Bearer, Tokens, Use};
use serde_json::json;
use std::time::Duration;

const PATH: &str = "/account/remain";

async fn with(client: &Client<'_>, token: &str) -> String {
    client.app.raw(PATH, Some(token), client.body(json!({})).to_string()).await.code()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_good_for_sixty_seconds_and_any_number_of_calls() {
    let app = setup().app().await;
    let test = app.test();
    let first = test.token().await;
    for _ in 0..5 {
        assert_eq!(with(&test, &first).await, "A0000");
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    let second = test.token().await;
    assert_eq!(with(&test, &first).await, "A0000", "a newer one leaves it alive");
    tokio::time::advance(Duration::from_millis(29_999)).await;
    assert_eq!(with(&test, &first).await, "A0000");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(with(&test, &first).await, "T0331");
    assert_eq!(with(&test, &second).await, "A0000");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(with(&test, &second).await, "T0331");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_its_partners_alone() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    assert_eq!(with(&test, &other.token().await).await, "T0320");
    assert_eq!(with(&other, &test.token().await).await, "T0320");
}

/// The body still has to bring the right credentials, each time.
#[tokio::test(start_paused = true)]
async fn a_token_does_not_stand_in_for_the_key() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    let wrong = Client { cust_key: "wrong".to_owned(), ..test.clone() };
    assert_eq!(with(&wrong, &token).await, "T0300");
}

#[tokio::test(start_paused = true)]
async fn a_rotation_acts_at_once() {
    let app = setup().app().await;
    let test = app.test();
    let before = test.token().await;
    let request = Request::PartnerRotateKey {
        cst_id: "test".to_owned(),
        webhook_secret: false,
        refund_key: false,
    };
    let made = app.admin(request).await.unwrap();
    let rotated =
        Client { cust_key: made["cust_key"].as_str().unwrap().to_owned(), ..test.clone() };
    assert_eq!(with(&test, &before).await, "T0331", "the old token with the old key");
    assert_eq!(with(&rotated, &before).await, "T0331", "the old token with the new key");
    let body = test.body(json!({ "code": "as12345678" })).to_string();
    assert_eq!(app.raw("/oauth/token", None, body).await.code(), "T0300");
    let token = rotated.token().await;
    assert_eq!(with(&rotated, &token).await, "A0000");
    assert_eq!(with(&test, &token).await, "T0300", "the new token with the old key");
}

/// A new webhook secret ends no token.
#[tokio::test(start_paused = true)]
async fn a_new_webhook_secret_leaves_tokens_alone() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    let request = Request::PartnerRotateKey {
        cst_id: "test".to_owned(),
        webhook_secret: true,
        refund_key: false,
    };
    app.admin(request).await.unwrap();
    assert_eq!(with(&test, &token).await, "A0000");
}

#[tokio::test(start_paused = true)]
async fn a_suspension_acts_on_tokens_in_use_and_on_what_it_blocks_only() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key("1").await;
    let token = test.token().await;
    app.suspend("test", true).await;
    assert_eq!(with(&test, &token).await, "A0000", "look-ups stay");
    let body = test.body(json!({ "billing_tran_id": key, "tran_amt": "1000" })).to_string();
    let blocked = app.raw("/transfer/request", Some(&token), body.clone()).await;
    assert_eq!(blocked.code(), "T0340");
    test.token().await;
    app.suspend("test", false).await;
    assert_eq!(app.raw("/transfer/request", Some(&token), body).await.code(), "A0000");
}

/// Any node takes what another of the installation issued; TEST's are nothing in LIVE.
#[tokio::test(start_paused = true)]
async fn a_token_is_good_throughout_its_installation_and_environment() {
    let keys = setup().app().await.hub.sealer.keys();
    for (app, environment, code) in [
        (setup().app().await, "test", "A0000"),
        (setup().app().await, "live", "T0330"),
        (setup().live().app().await, "live", "A0000"),
        (setup().live().app().await, "test", "T0330"),
    ] {
        let test = app.test();
        let (bearer, now) = (Bearer { partner: test.no(), generation: 1 }, app.hub.now());
        let ours = app.hub.sealer.keys();
        let elsewhere =
            Tokens::new(&ours.sealing, environment, Use::Token).issue(bearer, now).unwrap();
        assert_eq!(with(&test, &elsewhere).await, code, "{environment}");
        let foreign =
            Tokens::new(&keys.sealing, environment, Use::Token).issue(bearer, now).unwrap();
        assert_eq!(with(&test, &foreign).await, "T0330", "other keys");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_of_ours_is_unreadable() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    let none = "eyJhbGciOiJub25lIiwia2lkIjoiMSJ9.eyJwIjoxLCJnIjoxLCJ4Ijo5OTk5OTk5OTk5OTk5LCJlIjoidGVzdCJ9.";
    let (head, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let cut = &token[..token.len() - 1];
    let swapped = format!("{head}.{signature}.{claims}");
    for bad in ["x", "a.b.c", none, cut, &swapped, CUST_KEY] {
        assert_eq!(with(&test, bad).await, "T0330", "{bad}");
    }
}

/// Wire, "Transport": the header's ordinary form, its scheme in any case.
#[tokio::test(start_paused = true)]
async fn the_header_has_its_ordinary_form() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    let table = [
        (format!("Bearer {token}"), "A0000"),
        (format!("bearer {token}"), "A0000"),
        (format!("BEARER   {token} "), "A0000"),
        (format!("Bearer, {token}"), "T0330"),
        (format!("Basic {token}"), "T0330"),
        (token.clone(), "T0330"),
        ("Bearer".to_owned(), "T0330"),
        (String::new(), "T0330"),
    ];
    for (header, code) in table {
        let mut request = call(PATH, None, test.body(json!({})).to_string());
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&header).unwrap());
        assert_eq!(app.send(request).await.code(), code, "{header:?}");
    }
    let mut request = call(PATH, None, test.body(json!({})).to_string());
    let bytes = HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
    request.headers_mut().insert(AUTHORIZATION, bytes);
    request.extensions_mut().insert(Peer(PEER));
    assert_eq!(app.send(request).await.code(), "T0330");
    let without = app.raw(PATH, None, test.body(json!({})).to_string()).await;
    assert_eq!(without.code(), "T0330");
}
