//! `/oauth/token` (decision H6, wire "1. /oauth/token").

use crate::app::{CUST_KEY, setup};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_token_is_issued_and_the_code_comes_back() {
    let app = setup().app().await;
    let body = app.test().body(json!({ "code": "Zz09876543" }));
    let answer = app.raw("/oauth/token", None, body.to_string()).await;
    let names = ["result", "message", "code", "access_token", "token_type", "expires_in"];
    assert_eq!(answer.names(), names);
    assert_eq!((answer.code(), answer.message()), ("T0000".into(), "처리 성공".into()));
    assert_eq!(answer.get("code"), "Zz09876543");
    assert_eq!(
        (answer.get("token_type"), answer.get("expires_in")),
        ("Bearer".into(), "60".into())
    );
    assert!(answer.get("access_token").starts_with("eyJ"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

/// Decision on T0300: a wrong key and an unknown partner are not told apart.
#[tokio::test(start_paused = true)]
async fn a_wrong_key_and_an_unknown_partner_get_one_answer() {
    let app = setup().app().await;
    let mut texts = Vec::new();
    for (cst_id, cust_key) in [("test", "wrong"), ("nobody", CUST_KEY), ("nobody", "wrong")] {
        let body = json!({ "cst_id": cst_id, "custKey": cust_key, "code": "as12345678" });
        texts.push(app.raw("/oauth/token", None, body.to_string()).await.text);
    }
    assert_eq!(texts[0], r#"{"result":"T0300","message":"인증요청 거부 - 사용자 불일치"}"#);
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

/// The endpoint takes no token and looks at none.
#[tokio::test(start_paused = true)]
async fn a_bearer_header_is_not_looked_at() {
    let app = setup().app().await;
    let body = app.test().body(json!({ "code": "as12345678" })).to_string();
    assert_eq!(app.raw("/oauth/token", Some("nonsense"), body).await.code(), "T0000");
}
