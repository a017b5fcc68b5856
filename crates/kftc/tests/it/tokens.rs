//! Tokens: who gets one, and what they are good for.

use crate::site::{DEPOSIT, PLAIN, Site, codes, deposit};
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn a_token_is_for_whoever_knows_the_secret() {
    let site = Site::start("").await;
    let good = "client_id=sandbox&client_secret=sandbox%2Dsecret&scope=sa\
                &grant_type=client_credentials";
    let answer = site.ask_token(good).await;
    for (name, value) in
        [("token_type", "Bearer"), ("scope", "sa"), ("client_use_code", "M202112389")]
    {
        assert_eq!(answer[name], value);
    }
    assert_eq!(answer["expires_in"], 7_776_000);
    for bad in [
        "",
        "client_id=other&client_secret=sandbox-secret&scope=oob&grant_type=client_credentials",
        "client_id=sandbox&client_secret=other&scope=oob&grant_type=client_credentials",
        "client_id=sandbox&client_secret=sandbox-secret&scope=login&grant_type=client_credentials",
        "client_id=sandbox&client_secret=sandbox-secret&scope=oob&grant_type=password",
        "client_id=sandbox&client_id=sandbox&client_secret=sandbox-secret&scope=oob\
         &grant_type=client_credentials",
        "{\"client_id\":\"sandbox\"}",
    ] {
        let answer = site.ask_token(bad).await;
        assert_eq!(answer["rsp_code"], "O0001", "{bad}");
        assert!(answer.get("access_token").is_none());
    }
}

#[tokio::test]
async fn a_call_needs_a_token_that_is_known_and_alive() {
    let mut site = Site::with("", |mut settings| {
        settings.token_life = Duration::from_secs(60);
        settings
    })
    .await;
    let bare = site.client.post(site.url(DEPOSIT)).json(&deposit(1, PLAIN)).send();
    let answer: Value = bare.await.unwrap().json().await.unwrap();
    assert_eq!(answer["rsp_code"], "O0002", "none");
    let good = std::mem::replace(&mut site.token, "another".to_owned());
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("O0002", ""));
    site.token = good;
    site.pass(59_999);
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    site.pass(1);
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("O0003", ""));
    assert_eq!(site.rows().len(), 1, "no call to the bank");
    site.token = site.new_token().await;
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("A0000", "000"));
}

#[tokio::test]
async fn a_restart_forgets_tokens() {
    let mut site = Site::start("").await;
    let old = site.token.clone();
    site.close().await;
    site.open("", |settings| settings).await;
    site.token = old;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("O0002", ""));
}

#[tokio::test]
async fn a_method_or_a_path_that_is_none() {
    let site = Site::start("").await;
    let call = site.client.get(site.url(DEPOSIT)).bearer_auth(&site.token).send();
    let answer: Value = call.await.unwrap().json().await.unwrap();
    assert_eq!(answer["rsp_code"], "O0010");
    let call = site.client.get(site.url("/v2.0/inquiry/remain")).bearer_auth(&site.token).send();
    assert_eq!(call.await.unwrap().status(), 404);
}
