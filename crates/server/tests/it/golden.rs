//! The official samples, word for word (decision C7; wire, the samples of each endpoint).
//!
//! The requests are the documents' own, with the token, the billing key and the group that were
//! obtained before in place of the printed ones. The clock stands at the moment that the sample
//! shows, and the history is made to fit it, so that every other value has to be the printed one.

use crate::answer::Answer;
use crate::app::{HOOK, TestApp, setup};
use crate::courier::TestCourier;
use ichae_domain::time::Time;
use serde_json::Value;
use std::time::Duration;

/// 2021-10-22 15:20:40.289 in Seoul.
const REQUESTED: Time = Time(1_634_883_640_289);
/// 2021-11-03 09:04:26.239 in Seoul.
const ASKED: Time = Time(1_635_897_866_239);
/// 2021-10-25 14:23:15.647 in Seoul.
const EXECUTED: Time = Time(1_635_139_395_647);

const TOKEN: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "code":"as12345678" }"#;
const TOKEN_SAID: &str = r#"{ "result":"T0000", "message":"처리 성공", "code":"as12345678", "access_token":"eyJhlNDlj...", "token_type":"Bearer", "expires_in":"60" }"#;
const REAL_NAME: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "sub_id":"test12385610", "bank_code_std":"020", "account_num":"1234567890123456", "account_holder_info_type":"0", "account_holder_info":"880212" }"#;
const REQUEST: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "sub_id":"test12385610", "distinct_key":"c9z116521650283...", "billing_tran_id":"6fen3g2m-j9hb-...", "tran_amt":"1000", "print_content":"정산테스트" }"#;
const REQUEST_SAID: &str = r#"{ "result":"A0000", "message":"처리 성공", "cst_id":"test", "sub_id":"test12385610", "distinct_key":"c9z116521650283...", "group_key":"Q0RSSkYzWUI3...", "billing_tran_id":"6fen3g2m-j9hb-...", "tran_amt":"1000", "remain_amt":"9995000", "print_content":"정산테스트", "api_tran_dtm":"20211022152040289" }"#;
const EXECUTE: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "group_key":"Q0RSSkYzWUI3...", "billing_tran_id":"ALL", "execute_type":"NOW", "webhook_url":"https://partner.example/webhook" }"#;
const CANCEL: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "group_key":"Q0RSSkYzWUI3...", "billing_tran_id":"6fen3g2m-j9hb-...", "execute_type":"CANCEL" }"#;
const BY_GROUP: &str =
    r#"{ "cst_id":"test", "custKey":"abcd1234567890", "group_key":"Q0RSSkYzWUI3..." }"#;
const RESULT: &str =
    r#"{ "cst_id":"test", "custKey":"abcd1234567890", "api_tran_id":"ohr8ps3m-j5x..." }"#;
const BY_DATE: &str =
    r#"{ "cst_id":"test", "custKey":"abcd1234567890", "bank_tran_date":"20211025" }"#;
const REMAIN: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890" }"#;
const REMAIN_SAID: &str = r#"{
"result": "A0000",
"message": "처리 성공",
"cst_id": "test",
"total_account_amt": "10000000",
"total_transfer_amt": "56000",
"remain_amt": "9944000",
"api_tran_dtm": "20211103090426239"
}"#;
const WEBHOOK: &str = r#"{ "result":"A0000", "message":"처리 성공", "cst_id":"test", "sub_id":"test12385610", "group_key":"Q0RSSkYzWUI3...", "billing_tran_id":"6fen3g2m-j9hb-...", "api_tran_id":"ohr8ps3m-j5x...", "api_tran_dtm":"20211025142315647", "bank_tran_id":"M202112389U142315646", "bank_tran_date":"20211025", "bank_rsp_code":"000", "bank_code_std":"020", "bank_code_sub":"0000000", "bank_name":"우리은행", "account_num":"1234567890123456", "account_num_masked":"1234567890123***", "account_holder_name":"홍길동", "print_content":"정산테스트", "tran_amt":"1000" }"#;

/// Sends a sample with some printed values replaced.
async fn say(app: &TestApp, path: &str, sample: &str, replaced: &[(&str, &str)]) -> Answer {
    let bearer = app.test().token().await;
    let bearer = (path != "/oauth/token").then_some(bearer.as_str());
    let body = replaced.iter().fold(sample.to_owned(), |body, (printed, ours)| {
        assert!(body.contains(printed), "{printed} stands in {body}");
        body.replace(printed, ours)
    });
    app.raw(path, bearer, body).await
}

/// The answer has the sample's fields in the sample's order, with its values but for those named.
#[track_caller]
fn same(answer: &str, sample: &str, of_its_own: &[&str]) {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (answer, sample) = (answer.as_object().unwrap(), sample.as_object().unwrap());
    assert_eq!(answer.keys().collect::<Vec<_>>(), sample.keys().collect::<Vec<_>>());
    for (name, printed) in sample {
        let ours = answer[name].as_str();
        if of_its_own.contains(&name.as_str()) {
            assert!(ours.is_some_and(|text| !text.is_empty()), "{name}");
        } else {
            assert_eq!(ours, printed.as_str(), "{name}");
        }
    }
}

/// The seller's key, as the account check of the documents gives it.
async fn billing_key(app: &TestApp) -> String {
    say(app, "/inquiry/real_name", REAL_NAME, &[]).await.get("billing_tran_id")
}

async fn request(app: &TestApp, key: &str, distinct_key: &str) -> Answer {
    let replaced = [("6fen3g2m-j9hb-...", key), ("c9z116521650283...", distinct_key)];
    say(app, "/transfer/request", REQUEST, &replaced).await
}

#[tokio::test(start_paused = true)]
async fn token() {
    let app = setup().app().await;
    let answer = say(&app, "/oauth/token", TOKEN, &[]).await;
    same(&answer.text, TOKEN_SAID, &["access_token"]);
}

/// Its answer is known as a list of fields only.
#[tokio::test(start_paused = true)]
async fn real_name() {
    let app = setup().app().await;
    let answer = say(&app, "/inquiry/real_name", REAL_NAME, &[]).await;
    let names = [
        "result",
        "message",
        "cst_id",
        "sub_id",
        "billing_tran_id",
        "api_tran_dtm",
        "bank_tran_id",
        "bank_tran_date",
        "bank_rsp_code",
        "bank_code_std",
        "bank_code_sub",
        "bank_name",
        "account_num",
        "account_holder_name",
    ];
    assert_eq!(answer.names(), names);
    assert!(names.iter().all(|name| !answer.get(name).is_empty()), "{}", answer.text);
}

/// The fifth thousand of ten million leaves 9,995,000, as printed.
#[tokio::test(start_paused = true)]
async fn request_of_the_documents() {
    let app = setup().at(REQUESTED).app().await;
    let key = billing_key(&app).await;
    for no in 0..4 {
        assert_eq!(request(&app, &key, &format!("before-{no}")).await.code(), "A0000");
    }
    let replaced = [("6fen3g2m-j9hb-...", key.as_str())];
    let answer = say(&app, "/transfer/request", REQUEST, &replaced).await;
    same(&answer.text, REQUEST_SAID, &["group_key", "billing_tran_id"]);
    assert_eq!(answer.get("billing_tran_id"), key);
}

/// 56 thousands of ten million: 56,000 used, 9,944,000 left, as printed.
#[tokio::test(start_paused = true)]
async fn remain() {
    let app = setup().at(ASKED).app().await;
    let key = billing_key(&app).await;
    for no in 0..56 {
        assert_eq!(request(&app, &key, &format!("before-{no}")).await.code(), "A0000");
    }
    let answer = say(&app, "/account/remain", REMAIN, &[]).await;
    same(&answer.text, REMAIN_SAID, &[]);
}

/// The whole flow with the documents' bodies, up to the webhook and every look-up.
#[tokio::test(start_paused = true)]
async fn execute_results_and_webhook() {
    let app = setup().at(EXECUTED).app().await;
    let key = billing_key(&app).await;
    let group = request(&app, &key, "c9z116521650283...").await.get("group_key");
    let replaced = [("Q0RSSkYzWUI3...", group.as_str())];
    let waiting = say(&app, "/request/result/group_key", BY_GROUP, &replaced).await;
    assert_eq!(waiting.get("res_cnt"), "1");

    let executed = [replaced[0], ("https://partner.example/webhook", HOOK)];
    let answer = say(&app, "/transfer/execute", EXECUTE, &executed).await;
    let said = format!(
        r#"{{"result":"A0000","message":"처리 성공","cst_id":"test","group_key":"{group}","billing_tran_id":"ALL","tot_tran_amt":"1000","remain_amt":"9999000","execute_type":"NOW","api_tran_dtm":"20211025142315647"}}"#
    );
    assert_eq!(answer.text, said);

    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.stop().await;
    let transfer = courier.tries()[0].api_tran_id.clone();

    let replaced_id = [("ohr8ps3m-j5x...", transfer.as_str())];
    let row = say(&app, "/transfer/result", RESULT, &replaced_id).await;
    let shown = WEBHOOK.trim_end_matches('}').trim_end();
    let with_key = format!(r#"{shown}, "distinct_key":"c9z116521650283..." }}"#);
    let ids = ["group_key", "billing_tran_id", "api_tran_id", "bank_tran_id"];
    same(&row.text, &with_key, &ids);
    assert!(row.get("bank_tran_id").starts_with("M202112389U"));

    for (path, sample, replaced) in [
        ("/transfer/result/date", BY_DATE, &[][..]),
        ("/transfer/result/group_key", BY_GROUP, &replaced[..]),
    ] {
        let list = say(&app, path, sample, replaced).await;
        assert_eq!((list.code(), list.get("res_cnt")), ("A0000".into(), "1".into()), "{path}");
        let item = list.json()["res_list"][0].to_string();
        assert_eq!(item, row.text, "{path}: a list's item is the look-up's row");
    }
}

/// A cancel as third parties send it: without an address.
#[tokio::test(start_paused = true)]
async fn cancel() {
    let app = setup().at(EXECUTED).app().await;
    let key = billing_key(&app).await;
    let group = request(&app, &key, "c9z116521650283...").await.get("group_key");
    let replaced = [("Q0RSSkYzWUI3...", group.as_str()), ("6fen3g2m-j9hb-...", key.as_str())];
    let answer = say(&app, "/transfer/execute", CANCEL, &replaced).await;
    let said = format!(
        r#"{{"result":"A0000","message":"처리 성공","cst_id":"test","group_key":"{group}","billing_tran_id":"{key}","tot_tran_amt":"1000","remain_amt":"10000000","execute_type":"CANCEL","api_tran_dtm":"20211025142315647"}}"#
    );
    assert_eq!(answer.text, said);
}

/// Decision H16: the path that one client knows is not served.
#[tokio::test(start_paused = true)]
async fn the_path_that_no_document_knows_is_not_served() {
    let app = setup().app().await;
    let answer = say(&app, "/transfer/cancel", BY_GROUP, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "T0400".into()));
}
