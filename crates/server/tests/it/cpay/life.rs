//! The life of keys and payments, from a card's registration to what payouts spend of it.

use super::{
    ACCOUNT_KEY, CARD, CARD_KEY, MONTHLY_ACCOUNT, MONTHLY_CARD, RECEIPT, SIMPLE_ACCOUNT, Shop,
    code, payment, registration,
};
use crate::app::setup;
use ichae_server::admin::Request;
use ichae_server::admin::billing::{BillingRequest, Details};
use ichae_server::admin::request::PartnerSet;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_card_is_registered_charged_refunded_and_deregistered() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    let key = shop.card(CARD).await;
    let info = shop.info(&key).await;
    assert_eq!(info.get("PCD_PAY_CARDNUM"), "1111-****-****-2222");
    assert_eq!(info.get("PCD_PAYER_HP"), "010-****-5678");
    assert_eq!(code(&shop.pay(&key, "o-1", 1_000).await), "SPCD0000");
    assert_eq!(code(&shop.pay(&key, "o-1", 1_000).await), "SPCD0014");
    assert_eq!(shop.money(), (1_000, 10_000_000, 0));
    assert_eq!(code(&shop.check("o-1", "card").await), "PCHK0000");
    assert_eq!(code(&shop.check("o-1", "transfer").await), "CBIL0003", "another type");
    let refunded = shop.refund("o-1", Some(300)).await;
    assert_eq!(
        (code(&refunded), refunded.get("PCD_REFUND_TOTAL")),
        ("PAYC0000".into(), "300".into())
    );
    assert_eq!(code(&shop.refund("o-1", Some(701)).await), "PAYC0005");
    assert_eq!(shop.check("o-1", "card").await.get("PCD_REFUND_TOTAL"), "300");
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0000");
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0006");
    assert_eq!(shop.money(), (0, 10_000_000, 0));
    assert_eq!(code(&shop.delete(&key).await), "PUSER0000");
    let gone = shop.info(&key).await;
    assert_eq!(code(&gone), "PUIF0001");
    assert_eq!(code(&shop.delete(&key).await), "PUIF0001", "a second time");
    assert_eq!(code(&shop.pay(&key, "o-2", 1_000).await), "SPCD0012");
}

/// What the acquirer paid is what payouts spend; refunds take captured, then available, and no more.
#[tokio::test(start_paused = true)]
async fn settled_payments_are_what_payouts_spend() {
    let app = setup().app().await;
    let partner = app.partner("shop").await;
    let back = Request::PartnerFund {
        cst_id: "shop".into(),
        amount: "10000000".into(),
        reference: "back".into(),
        take_back: true,
    };
    app.admin(back).await.unwrap();
    let shop = Shop::open(partner).await;
    let key = shop.card(CARD).await;
    shop.pay(&key, "o-1", 5_000).await;
    let payee = shop.client.key("1234567890123456").await;
    assert_eq!(shop.client.ask(&payee, "d-1").await.code(), "R0140", "captured is not spent");
    let settle = |through: &str| {
        let request =
            BillingRequest::Settle { cst_id: Some("shop".into()), through: through.into() };
        app.admin(Request::Billing(request))
    };
    let none = settle("20261121").await.unwrap();
    assert_eq!(none[0]["payments"], 0);
    let done = settle("20261122").await.unwrap();
    assert_eq!(
        done[0],
        json!({ "cst_id": "shop", "payments": 1, "available": 5000, "paid": 5000 })
    );
    assert_eq!(shop.client.remain().await, (5_000, 0, 5_000));
    assert_eq!(shop.client.ask(&payee, "d-1").await.code(), "A0000");
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0007", "4,000 do not cover 5,000");
    shop.pay(&key, "o-2", 1_000).await;
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0000");
    assert_eq!(shop.money(), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_monthly_payment_is_made_once_a_month_and_key() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let monthly = |key: &str, oid: &str, month: &str| {
        let mut body = payment(key, oid, 1_000);
        let fields = body.as_object_mut().unwrap();
        fields.remove("PCD_SIMPLE_FLAG");
        fields.extend(
            json!({ "PCD_REGULER_FLAG": "Y", "PCD_PAY_YEAR": "2026", "PCD_PAY_MONTH": month })
                .as_object()
                .unwrap()
                .clone(),
        );
        body
    };
    let paid = shop.send(MONTHLY_CARD, monthly(CARD_KEY, "m-1", "11")).await;
    assert_eq!((code(&paid), paid.get("PCD_PAY_MONTH")), ("SPCD0000".into(), "11".into()));
    assert_eq!(code(&shop.send(MONTHLY_CARD, monthly(CARD_KEY, "m-2", "11")).await), "RPCD0015");
    assert_eq!(code(&shop.send(MONTHLY_CARD, monthly(CARD_KEY, "m-2", "12")).await), "SPCD0000");
    assert_eq!(code(&shop.send(MONTHLY_CARD, monthly(CARD_KEY, "m-3", "13")).await), "RPCD0005");
    let account = shop.send(MONTHLY_ACCOUNT, monthly(ACCOUNT_KEY, "m-4", "11")).await;
    assert_eq!(account.get("PCD_PAY_RST"), "success", "{}", account.text);
    let again = shop.send(MONTHLY_ACCOUNT, monthly(ACCOUNT_KEY, "m-5", "11")).await;
    assert_eq!(code(&again), "CPAY0202");
    let wrong = shop.send(MONTHLY_ACCOUNT, monthly(CARD_KEY, "m-6", "10")).await;
    assert_eq!(code(&wrong), "CPAY0004", "a card is no account");
}

#[tokio::test(start_paused = true)]
async fn a_cash_receipt_is_issued_canceled_and_issued_with_a_payment() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    assert_eq!(
        shop.send(SIMPLE_ACCOUNT, payment(ACCOUNT_KEY, "a-1", 11_000)).await.get("PCD_PAY_RST"),
        "success"
    );
    let receipt = |act: &str, oid: &str| {
        let rest = json!({ "PCD_PAYER_ID": ACCOUNT_KEY, "PCD_PAY_OID": oid,
            "PCD_TAXSAVE_TRADEUSE": "personal", "PCD_TAXSAVE_IDENTINUM": "01023456789" });
        (format!("{RECEIPT}?ACT_={act}"), rest)
    };
    let (path, rest) = receipt("TSREG", "a-1");
    let issued = shop.send(&path, rest.clone()).await;
    assert_eq!(issued.get("PCD_PAY_MSG"), "현금영수증 발행 완료", "{}", issued.text);
    assert!(issued.get("PCD_TAXSAVE_MGTNUM").starts_with("test"));
    assert_eq!(code(&shop.send(&path, rest).await), "TSAV0005");
    let (path, rest) = receipt("TSCANCEL", "a-1");
    let canceled = shop.send(&path, rest.clone()).await;
    assert_eq!(canceled.get("PCD_PAY_MSG"), "현금영수증 발행취소 완료");
    assert_eq!(code(&shop.send(&path, rest).await), "TSAV0006");
    let mut body = payment(ACCOUNT_KEY, "a-2", 11_000);
    let with = json!({ "PCD_TAXSAVE_FLAG": "Y", "PCD_TAXSAVE_TRADE": "personal",
        "PCD_TAXSAVE_IDNUM": "01023456789" });
    body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    let paid = shop.send(SIMPLE_ACCOUNT, body).await;
    assert!(paid.get("PCD_TAXSAVE_MGTNUM").starts_with("test"), "{}", paid.text);
    let refunded = shop.refund("a-2", None).await;
    assert_eq!(refunded.get("PCD_TAXSAVE_RST"), "0000", "{}", refunded.text);
}

/// Every documented test card fails as documented, with the institution's own words.
#[tokio::test(start_paused = true)]
async fn cards_fail_as_documented() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    let refused = shop.register("9900000100003110").await;
    assert_eq!(
        (code(&refused), refused.get("PCD_PAY_MSG")),
        ("CDAU0007".into(), "[Test] [CDAU0007] 3110 - 카드번호 오류입니다.".into())
    );
    let key = shop.card("9900000000003112").await;
    let limit = shop.pay(&key, "o-1", 1_000).await;
    assert_eq!(limit.get("PCD_PAY_MSG"), "[Test] [SPCD1001] 3112 - 한도가 초과하였습니다.");
    assert_eq!(limit.get("PCD_PAY_OID"), "o-1");
    assert_eq!(code(&shop.check("o-1", "card").await), "SPCD1001");
    assert_eq!(shop.money().0, 0);
    let key = shop.card("9900000200000011").await;
    assert_eq!(code(&shop.pay(&key, "o-2", 1_000).await), "SPCD0000");
    let kept = shop.refund("o-2", None).await;
    assert_eq!(kept.get("PCD_PAY_MSG"), "[Test] [PAYC0008] 1116 - 취소 불가 상태입니다.");
    assert_eq!(shop.money().0, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_partner_looks_up_and_does_no_more() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    let key = shop.card(CARD).await;
    shop.pay(&key, "o-1", 1_000).await;
    app.suspend("test", true).await;
    let before = app.dump();
    assert_eq!(code(&shop.info(&key).await), "0000");
    assert_eq!(code(&shop.check("o-1", "card").await), "PCHK0000");
    assert_eq!(code(&shop.pay(&key, "o-2", 1_000).await), "SPCD0007");
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0010");
    assert_eq!(code(&shop.register(CARD).await), "CDAU9998");
    assert_eq!(app.dump(), before);
}

#[tokio::test(start_paused = true)]
async fn a_refund_needs_its_own_key() {
    let app = setup().app().await;
    let mut shop = Shop::open(app.test()).await;
    let key = shop.card(CARD).await;
    shop.pay(&key, "o-1", 1_000).await;
    for wrong in ["", "abcd1234567890", &"0".repeat(64)] {
        let right = std::mem::replace(&mut shop.refund_key, wrong.to_owned());
        assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0001", "{wrong}");
        shop.refund_key = right;
    }
    assert_eq!(code(&shop.refund("o-2", None).await), "PAYC0004");
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0000");
}

#[tokio::test(start_paused = true)]
async fn operators_register_list_remove_and_explain() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    let give = |request: BillingRequest| app.admin(Request::Billing(request));
    let details = Details {
        method: "account".into(),
        number: "110123456021".into(),
        holder: "홍길동".into(),
        birth: "880212".into(),
        phone: "01012345678".into(),
        expiry: String::new(),
        password: String::new(),
        bank: "081".into(),
    };
    let add = |details: &Details| {
        give(BillingRequest::Add { cst_id: "test".into(), details: details.clone() })
    };
    let made = add(&details).await.unwrap();
    let key = made["payer_id"].as_str().unwrap().to_owned();
    let info = shop.info(&key).await;
    assert_eq!(info.get("PCD_PAY_BANKNUM"), "110-********-021");
    assert_eq!(info.get("PCD_PAY_BANKNAME"), "KEB하나은행");
    let paid = shop.send(SIMPLE_ACCOUNT, payment(&key, "a-1", 1_000)).await;
    assert_eq!(paid.get("PCD_PAY_RST"), "success");
    let small = shop.send(SIMPLE_ACCOUNT, payment(&key, "a-2", 999)).await;
    assert_eq!(code(&small), "PAYU0002");
    for (field, broken) in [
        ("number", Details { number: "12-34".into(), ..details.clone() }),
        ("birth", Details { birth: "881399".into(), ..details.clone() }),
        ("bank", Details { bank: "999".into(), ..details.clone() }),
        ("method", Details { method: "cash".into(), ..details.clone() }),
    ] {
        let error = add(&broken).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("P0142"), "{field}");
        assert!(error.message.contains(field), "{}", error.message);
    }
    let listed = give(BillingRequest::List { cst_id: "test".into(), after: 0, limit: 10 }).await;
    assert_eq!(listed.unwrap()[0]["payer_id"], key.as_str());
    let story = BillingRequest::Explain { cst_id: "test".into(), oid: "a-1".into() };
    let story = give(story).await.unwrap();
    assert_eq!(
        (&story["state"], &story["calls"][0]["state"]),
        (&json!("captured"), &json!("done"))
    );
    let remove = || BillingRequest::Remove { cst_id: "test".into(), payer_id: key.clone() };
    give(remove()).await.unwrap();
    assert_eq!(give(remove()).await.unwrap_err().code.as_deref(), Some("P0140"));
    assert_eq!(code(&shop.info(&key).await), "PUIF0001");
}

/// The addresses of these webhooks are held to the same rules as the others (decision H18).
#[tokio::test(start_paused = true)]
async fn notices_go_only_where_webhooks_may_go() {
    let app = setup().live().app().await;
    for url in ["http://partner.example/hook", "https://user@partner.example/", "ftp://x", "x"] {
        for removal in [false, true] {
            let mut set = PartnerSet { cst_id: "test".into(), ..PartnerSet::default() };
            let place = if removal { &mut set.removal_url } else { &mut set.payment_url };
            *place = Some(url.into());
            let error = app.admin(Request::PartnerSet(set)).await.unwrap_err();
            assert_eq!(error.code.as_deref(), Some("P0103"), "{url}");
        }
    }
}

/// Each field of a registration has its code.
#[tokio::test(start_paused = true)]
async fn a_registration_says_which_field_is_wrong() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    let before = app.dump();
    for (field, value, wanted) in [
        ("PCD_PAY_TYPE", "transfer", "CDAUCK01"),
        ("PCD_PAY_WORK", "AUTH", "CDAUCK02"),
        ("PCD_PAYER_BIRTH", "881399", "CDAUCK03"),
        ("PCD_PAY_CARDNUM", "1111-2222", "CDAUCK04"),
        ("PCD_PAY_CARDEXYEAR", "25", "CDAUCK05"),
        ("PCD_PAY_CARDEXMONTH", "13", "CDAUCK05"),
        ("PCD_PAY_CARDPW", "3", "CDAUCK06"),
    ] {
        let mut body = registration(CARD);
        body[field] = value.into();
        let path = format!("{}?ACT_=AUTHREG", super::USER);
        assert_eq!(code(&shop.send(&path, body).await), wanted, "{field}");
    }
    assert_eq!(app.dump(), before);
}
