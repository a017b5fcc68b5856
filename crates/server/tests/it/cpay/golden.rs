//! The seed's requests get the seed's answers (decision C7).

use super::{ACCOUNT_KEY, CARD_KEY, Shop, auth, code};
use crate::app::setup;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn partner_auth_answers_the_documented_fields_in_their_order() {
    let app = setup().app().await;
    let answer = auth(&app.test(), json!({ "PCD_PAY_WORK": "PUSERINFO" })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.names(),
        [
            "server_name",
            "result",
            "result_msg",
            "cst_id",
            "custKey",
            "AuthKey",
            "PCD_PAY_HOST",
            "PCD_PAY_URL",
            "return_url"
        ]
    );
    let url = "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO";
    for (name, value) in [
        ("server_name", "democpay.payple.kr"),
        ("result", "success"),
        ("result_msg", "사용자 인증 완료!!"),
        ("cst_id", "test"),
        ("custKey", "abcd1234567890"),
        ("PCD_PAY_HOST", "http://democpay.payple.kr"),
        ("PCD_PAY_URL", url),
        ("return_url", &format!("http://democpay.payple.kr{url}")),
    ] {
        assert_eq!(answer.get(name), value, "{name}");
    }
    assert!(answer.get("AuthKey").len() <= 255);
}

/// Field for field, in the documents' order.
#[tokio::test(start_paused = true)]
async fn the_documented_keys_are_looked_up_as_documented() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let card = json!({
        "PCD_PAY_RST": "success", "PCD_PAY_CODE": "0000", "PCD_PAY_MSG": "회원조회 성공",
        "PCD_PAY_TYPE": "card", "PCD_PAY_BANKACCTYPE": "개인", "PCD_PAYER_ID": CARD_KEY,
        "PCD_PAYER_NAME": "홍길동", "PCD_PAYER_HP": "010-****-5678", "PCD_PAY_CARD": "0200",
        "PCD_PAY_CARDNAME": "BC카드", "PCD_PAY_CARDNUM": "1111-****-****-2222",
        "PCD_PAY_ISTAX": "Y"
    });
    let account = json!({
        "PCD_PAY_RST": "success", "PCD_PAY_CODE": "0000", "PCD_PAY_MSG": "회원조회 성공",
        "PCD_PAY_TYPE": "transfer", "PCD_PAY_BANKACCTYPE": "개인", "PCD_PAYER_ID": ACCOUNT_KEY,
        "PCD_PAYER_NAME": "홍길동", "PCD_PAYER_HP": "010-****-5678", "PCD_PAY_BANK": "081",
        "PCD_PAY_BANKNAME": "KEB하나은행", "PCD_PAY_BANKNUM": "123-********-021"
    });
    for (key, expected) in [(CARD_KEY, card), (ACCOUNT_KEY, account)] {
        let answer = shop.info(key).await;
        // Text against text: the order counts too.
        assert_eq!(answer.text, expected.to_string());
    }
}

/// The names that the official samples have, in their order.
#[tokio::test(start_paused = true)]
async fn answers_have_the_fields_of_the_official_samples() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    let registered = shop.register(super::CARD).await;
    let names: Vec<&str> = "PCD_PAY_RST PCD_PAY_CODE PCD_PAY_MSG PCD_CST_ID PCD_PAY_TYPE \
        PCD_PAY_WORK PCD_PAYER_ID PCD_PAYER_NO PCD_PAYER_NAME PCD_PAYER_HP PCD_PAYER_EMAIL \
        PCD_PAY_CARDNAME PCD_PAY_CARDNUM"
        .split_whitespace()
        .collect();
    assert_eq!(registered.names(), names);
    assert_eq!(registered.get("PCD_PAY_CARDNUM"), "1111********2222");
    let key = registered.get("PCD_PAYER_ID");
    assert_eq!(key.len(), 32);
    let paid = shop.pay(&key, "order-1", 1_000).await;
    let names: Vec<&str> = "PCD_PAY_RST PCD_PAY_CODE PCD_PAY_MSG PCD_PAY_OID PCD_PAY_TYPE \
        PCD_PAYER_NO PCD_PAYER_ID PCD_PAYER_NAME PCD_PAYER_HP PCD_PAYER_EMAIL PCD_PAY_GOODS \
        PCD_PAY_TOTAL PCD_PAY_TAXTOTAL PCD_PAY_ISTAX PCD_PAY_TIME PCD_PAY_CARDNAME \
        PCD_PAY_CARDNUM PCD_PAY_CARDTRADENUM PCD_PAY_CARDAUTHNO PCD_PAY_CARDRECEIPT \
        PCD_SIMPLE_FLAG PCD_USER_DEFINE1 PCD_USER_DEFINE2"
        .split_whitespace()
        .collect();
    assert_eq!(paid.names(), names, "{}", paid.text);
    assert_eq!((code(&paid), paid.get("PCD_PAY_MSG")), ("SPCD0000".into(), "카드결제완료".into()));
    let refunded = shop.refund("order-1", Some(100)).await;
    assert_eq!(
        (code(&refunded), refunded.get("PCD_PAY_MSG")),
        ("PAYC0000".into(), "환불성공".into())
    );
    let deleted = shop.delete(&key).await;
    let expected: Value = json!({ "PCD_PAY_RST": "success", "PCD_PAY_CODE": "PUSER0000",
        "PCD_PAY_MSG": "카드해지완료", "PCD_PAY_TYPE": "card", "PCD_PAY_WORK": "PUSERDEL",
        "PCD_PAYER_ID": key, "PCD_PAYER_NO": "1234" });
    assert_eq!(deleted.text, expected.to_string());
}
