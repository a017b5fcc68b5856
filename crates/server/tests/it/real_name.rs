//! `/inquiry/real_name` (decisions H11, H12; wire "2. /inquiry/real_name").

use crate::app::{ACCOUNT, START, TODAY, setup};
use ichae_rail::port::CheckAnswer;
use serde_json::{Value, json};

fn account(number: &str) -> Value {
    json!({ "sub_id": "seller_1", "bank_code_std": "020", "account_num": number,
        "account_holder_info_type": "0", "account_holder_info": "880212" })
}

const PATH: &str = "/inquiry/real_name";

#[tokio::test(start_paused = true)]
async fn an_account_gets_its_key_and_the_banks_facts() {
    let app = setup().app().await;
    let answer = app.test().post(PATH, account(ACCOUNT)).await;
    for (name, expected) in [
        ("result", "A0000"),
        ("message", "처리 성공"),
        ("cst_id", "test"),
        ("sub_id", "seller_1"),
        ("bank_tran_date", TODAY),
        ("bank_rsp_code", "000"),
        ("bank_code_std", "020"),
        ("bank_code_sub", "0000000"),
        ("bank_name", "우리은행"),
        ("account_num", ACCOUNT),
        ("account_holder_name", "홍길동"),
    ] {
        assert_eq!(answer.get(name), expected, "{name}");
    }
    assert_eq!(answer.get("api_tran_dtm"), START.seoul_17());
    let number = answer.get("bank_tran_id");
    assert!(number.len() == 20 && number.starts_with("M202112389U"), "{number}");
    assert_eq!(app.bank.checks(), [number], "the bank was asked under the number in the answer");
    assert!(answer.get("billing_tran_id").len() <= 40);
}

/// Decision H12: same partner, sub_id, bank, account and holder info, same key.
#[tokio::test(start_paused = true)]
async fn the_same_account_gets_the_same_key_and_any_difference_another() {
    let app = setup().app().await;
    let other = app.partner("other").await;
    let first = app.test().post(PATH, account(ACCOUNT)).await.get("billing_tran_id");
    let before = app.dump();
    let again = app.test().post(PATH, account(ACCOUNT)).await.get("billing_tran_id");
    assert_eq!(first, again);
    assert_eq!(app.dump(), before, "a repeat writes nothing");
    let mut keys = vec![first];
    for (name, value) in [
        ("sub_id", "seller_2"),
        ("sub_id", ""),
        ("bank_code_std", "088"),
        ("account_num", "1234567890123457"),
        ("account_holder_info", "880213"),
    ] {
        let mut body = account(ACCOUNT);
        body[name] = value.into();
        keys.push(app.test().post(PATH, body).await.get("billing_tran_id"));
    }
    keys.push(other.post(PATH, account(ACCOUNT)).await.get("billing_tran_id"));
    let distinct: std::collections::HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_company_is_checked_by_its_business_number() {
    let app = setup().app().await;
    for kind in [json!("6"), json!(6)] {
        let mut body = account(ACCOUNT);
        body["account_holder_info_type"] = kind;
        body["account_holder_info"] = "1234567890".into();
        assert_eq!(app.test().post(PATH, body).await.code(), "A0000");
    }
}

/// An account number is text: zeros at its beginning stay.
#[tokio::test(start_paused = true)]
async fn leading_zeros_stay() {
    let app = setup().app().await;
    let answer = app.test().post(PATH, account("0001")).await;
    assert_eq!(answer.get("account_num"), "0001");
    let shorter = app.test().post(PATH, account("1")).await;
    assert_ne!(answer.get("billing_tran_id"), shorter.get("billing_tran_id"));
}

/// The bank's refusal is A0009 with its reason; the third-party form of the message.
#[tokio::test(start_paused = true)]
async fn what_the_bank_refuses_gets_no_key() {
    let app = setup().app().await;
    // The first check takes numbers for the next thousand; a refused one uses its number up.
    app.test().post(PATH, account("9900001412")).await;
    let before = app.dump();
    for (number, message) in [
        ("9900001412", "해당계좌 없음(412)"),
        ("9900001815", "예금주명 불일치(815)"),
        ("9900001415", "해약 계좌(415)"),
    ] {
        let answer = app.test().post(PATH, account(number)).await;
        assert_eq!((answer.code(), answer.message()), ("A0009".into(), message.into()));
        assert_eq!(answer.names(), ["result", "message"]);
    }
    app.bank.checks_say(CheckAnswer::NoSuchAccount);
    assert_eq!(app.test().post(PATH, account(ACCOUNT)).await.code(), "N0198");
    app.bank.checks_say(CheckAnswer::NoAnswer);
    assert_eq!(app.test().post(PATH, account(ACCOUNT)).await.code(), "A0007");
    assert_eq!(app.dump(), before);
}

/// A check may take its time, and a check without an answer gives no key (A0007).
#[tokio::test(start_paused = true)]
async fn the_bank_has_ten_seconds() {
    let app = setup().app().await;
    let began = app.hub.now();
    app.bank.checks_hang();
    assert_eq!(app.test().post(PATH, account(ACCOUNT)).await.code(), "A0007");
    assert_eq!(app.hub.now(), began.plus_ms(10_000));
}

/// Decision H6: suspension blocks what makes something new.
#[tokio::test(start_paused = true)]
async fn a_suspended_partner_gets_no_key_and_no_bank_is_asked() {
    let app = setup().app().await;
    app.suspend("test", true).await;
    assert_eq!(app.test().post(PATH, account(ACCOUNT)).await.code(), "T0340");
    assert!(app.bank.checks().is_empty());
    app.suspend("test", false).await;
    assert_eq!(app.test().post(PATH, account(ACCOUNT)).await.code(), "A0000");
}
