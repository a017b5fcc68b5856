//! `/transfer/request` (decisions H4, H7, H8, H15; wire "3. /transfer/request").

use crate::app::{ACCOUNT, FUNDS, START, setup};
use serde_json::{Value, json};

const PATH: &str = "/transfer/request";

#[tokio::test(start_paused = true)]
async fn a_request_is_queued_and_its_amount_held() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let body = json!({ "sub_id": "user_7", "distinct_key": "d-1", "billing_tran_id": key,
        "tran_amt": "1000", "print_content": "정 산 1" });
    let answer = test.post(PATH, body).await;
    for (name, expected) in [
        ("result", "A0000"),
        ("message", "처리 성공"),
        ("cst_id", "test"),
        ("sub_id", "user_7"),
        ("distinct_key", "d-1"),
        ("billing_tran_id", key.as_str()),
        ("tran_amt", "1000"),
        ("remain_amt", "9999000"),
        ("print_content", "정산1"),
    ] {
        assert_eq!(answer.get(name), expected, "{name}");
    }
    assert_eq!(answer.get("api_tran_dtm"), START.seoul_17());
    assert!(app.bank.deposits().is_empty(), "nothing moves before it is executed");
    assert_eq!(test.remain().await, (FUNDS, 1_000, FUNDS - 1_000));
}

/// Documented: absent, it is the partner's name cut to six, without spaces.
#[tokio::test(start_paused = true)]
async fn the_partners_name_stands_on_the_statement_where_nothing_else_is_sent() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    for print in [json!(null), json!(""), json!("   "), json!("\u{3000}")] {
        let body = json!({ "billing_tran_id": key, "tran_amt": "1000", "print_content": print });
        assert_eq!(test.post(PATH, body).await.get("print_content"), "주테스트파트");
    }
}

/// Decision H2: where the documents type a field N, an integer passes too.
#[tokio::test(start_paused = true)]
async fn an_amount_may_be_a_json_integer_and_comes_back_as_text() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let body = json!({ "billing_tran_id": key, "tran_amt": 1000 });
    assert_eq!(test.post(PATH, body).await.get("tran_amt"), "1000");
}

/// Decision H15 and the sandbox's option.
#[tokio::test(start_paused = true)]
async fn test_takes_a_thousand_won_alone_unless_it_is_told_otherwise() {
    let strict = setup().app().await;
    let loose = setup().any_amount().app().await;
    for (amount, in_strict) in [("999", "R0112"), ("1000", "A0000"), ("1001", "R0112")] {
        for (app, expected) in [(&strict, in_strict), (&loose, "A0000")] {
            let test = app.test();
            let key = test.key(ACCOUNT).await;
            let body = json!({ "billing_tran_id": key, "tran_amt": amount });
            assert_eq!(test.post(PATH, body).await.code(), expected, "{amount}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_state_or_configuration_refuses_writes_nothing() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let other = app.partner("other").await;
    let (ours, theirs) = (test.key(ACCOUNT).await, other.key(ACCOUNT).await);
    app.set("test", |set| set.transfer_cap = Some("20000000".to_owned())).await;
    let before = app.dump();
    let funds = FUNDS.to_string();
    let over = (FUNDS + 1).to_string();
    for (key, amount, code) in [
        ("1made-up-key", funds.as_str(), "R0102"),
        (theirs.as_str(), funds.as_str(), "R0102"),
        (ours.as_str(), "20000001", "R0113"),
        (ours.as_str(), over.as_str(), "R0140"),
    ] {
        let body = json!({ "billing_tran_id": key, "tran_amt": amount, "distinct_key": "free" });
        assert_eq!(test.post(PATH, body).await.code(), code, "{key} {amount}");
    }
    assert_eq!(app.dump(), before);
    // Decision H9: a refusal leaves the distinct_key free, and the whole limit can be used.
    let body = json!({ "billing_tran_id": ours, "tran_amt": funds, "distinct_key": "free" });
    assert_eq!(test.post(PATH, body).await.get("remain_amt"), "0");
    let one = json!({ "billing_tran_id": ours, "tran_amt": "1" });
    assert_eq!(test.post(PATH, one).await.code(), "R0140");
}

/// The limit holds however many ask for it at once.
#[tokio::test(start_paused = true)]
async fn many_at_once_never_hold_more_than_there_is() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let body = json!({ "billing_tran_id": key, "tran_amt": "3000000" });
    let asked = (0..20).map(|_| test.post(PATH, body.clone()));
    let answers = futures_util::future::join_all(asked).await;
    let codes: Vec<String> = answers.iter().map(|answer| answer.code()).collect();
    assert_eq!(codes.iter().filter(|code| *code == "A0000").count(), 3);
    assert_eq!(codes.iter().filter(|code| *code == "R0140").count(), 17);
    assert_eq!(test.remain().await, (FUNDS, 9_000_000, 1_000_000));
}

/// Suspension blocks requests; look-ups and the limit stay (decision H6).
#[tokio::test(start_paused = true)]
async fn a_suspended_partner_looks_up_but_does_not_request() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    app.suspend("test", true).await;
    assert_eq!(test.ask(&key, "d-2").await.code(), "T0340");
    let waiting = json!({ "group_key": group });
    assert_eq!(test.post("/request/result/group_key", waiting).await.get("res_cnt"), "1");
    assert_eq!(test.remain().await, (FUNDS, 1_000, FUNDS - 1_000));
}

/// Decision H4, over the API.
#[tokio::test(start_paused = true)]
async fn amounts_are_plain_digits() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let wrong: [Value; 16] = [
        "0".into(),
        "01".into(),
        "-1".into(),
        "+1".into(),
        "1.0".into(),
        "1e3".into(),
        " 1".into(),
        "1 ".into(),
        "1,000".into(),
        "1000000000000".into(),
        "٣".into(),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e3),
        json!(1_000_000_000_000_i64),
    ];
    for amount in wrong {
        let body = json!({ "billing_tran_id": key, "tran_amt": amount });
        assert_eq!(test.post(PATH, body).await.code(), "R0110", "{amount}");
    }
    let most = json!({ "billing_tran_id": key, "tran_amt": "999999999999" });
    assert_eq!(test.post(PATH, most).await.code(), "R0140", "well-formed, but not there");
}
