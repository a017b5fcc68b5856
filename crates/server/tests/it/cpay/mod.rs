//! The cpay half as its callers see it: partner auth, keys, payments with them.

mod auth;
mod bad_input;
mod golden;
mod life;
mod transport;
pub mod unknown;

use crate::answer::Answer;
use crate::app::{Client, PEER, TestApp};
use axum::body::Body;
use axum::http::{Method, Request as HttpRequest};
use ichae_server::admin::Request;
use ichae_server::admin::billing::{BillingRequest, Import};
use ichae_server::api::Peer;
use serde_json::{Value, json};

/// The keys of the documents' look-up.
pub const CARD_KEY: &str = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09";
pub const ACCOUNT_KEY: &str = "d0toSS9sT084bVJSNThScnFXQm9Gdz09";
/// A card that pays.
pub const CARD: &str = "1111000011112222";
pub const USER: &str = "/php/cPayUser/api/cPayUserAct.php";
pub const SIMPLE_CARD: &str = "/php/SimplePayCardAct.php?ACT_=PAYM";
pub const SIMPLE_ACCOUNT: &str = "/php/SimplePayAct.php?ACT_=PAYM";
pub const MONTHLY_CARD: &str = "/php/RePayCardAct.php?ACT_=PAYM";
pub const MONTHLY_ACCOUNT: &str = "/php/RePayAct.php?ACT_=PAYM";
pub const REFUND: &str = "/php/account/api/cPayCAct.php";
pub const CHECK: &str = "/php/PayChkAct.php";
pub const RECEIPT: &str = "/php/taxsave/api/tsAct.php";

/// Without their queries.
pub const PATHS: [&str; 9] = [
    "/php/auth.php",
    USER,
    "/php/SimplePayCardAct.php",
    "/php/SimplePayAct.php",
    "/php/RePayCardAct.php",
    "/php/RePayAct.php",
    REFUND,
    CHECK,
    RECEIPT,
];

/// A call as the documents' PHP client sends it.
pub fn post(path: &str, body: impl Into<Body>) -> HttpRequest<Body> {
    let request = HttpRequest::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "democpay.payple.kr")
        .header("content-type", "application/json")
        .header("cache-control", "no-cache")
        .header("referer", "http://localhost:8080")
        .extension(Peer(PEER));
    request.body(body.into()).unwrap()
}

/// What an answer of a follow-up call says.
pub fn code(answer: &Answer) -> String {
    answer.get("PCD_PAY_CODE")
}

/// A partner that authenticated.
pub struct Shop<'a> {
    pub client: Client<'a>,
    pub auth_key: String,
    /// Of refunds.
    pub refund_key: String,
}

impl<'a> Shop<'a> {
    pub async fn open(client: Client<'a>) -> Shop<'a> {
        let rotate = Request::PartnerRotateKey {
            cst_id: client.cst_id.clone(),
            webhook_secret: false,
            refund_key: true,
        };
        let made = client.app.admin(rotate).await.unwrap();
        let refund_key = made["refund_key"].as_str().unwrap().to_owned();
        let auth_key = auth(&client, json!({ "PCD_PAY_WORK": "PUSERINFO" })).await;
        Shop { auth_key: auth_key.get("AuthKey"), client, refund_key }
    }

    pub fn app(&self) -> &TestApp {
        self.client.app
    }

    pub fn body(&self, rest: Value) -> Value {
        let mut body = json!({ "PCD_CST_ID": self.client.cst_id,
            "PCD_CUST_KEY": self.client.cust_key, "PCD_AUTH_KEY": self.auth_key });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    }

    pub async fn send(&self, path: &str, rest: Value) -> Answer {
        self.app().send(post(path, self.body(rest).to_string())).await
    }

    pub async fn info(&self, payer_id: &str) -> Answer {
        let path = format!("{USER}?ACT_=PUSERINFO");
        self.send(&path, json!({ "PCD_PAYER_ID": payer_id })).await
    }

    pub async fn delete(&self, payer_id: &str) -> Answer {
        let path = format!("{USER}?ACT_=PUSERDEL");
        self.send(&path, json!({ "PCD_PAYER_ID": payer_id, "PCD_PAYER_NO": "1234" })).await
    }

    pub async fn register(&self, number: &str) -> Answer {
        let path = format!("{USER}?ACT_=AUTHREG");
        self.send(&path, registration(number)).await
    }

    /// The key of a card.
    pub async fn card(&self, number: &str) -> String {
        let answer = self.register(number).await;
        assert_eq!(code(&answer), "CDAU0000", "{}", answer.text);
        answer.get("PCD_PAYER_ID")
    }

    pub async fn pay(&self, payer_id: &str, oid: &str, won: i64) -> Answer {
        self.send(SIMPLE_CARD, payment(payer_id, oid, won)).await
    }

    pub async fn refund(&self, oid: &str, won: Option<i64>) -> Answer {
        let won = won.map(|won| won.to_string());
        let day = self.app().hub.now().day().to_string();
        let rest = json!({ "PCD_REFUND_KEY": self.refund_key, "PCD_PAYCANCEL_FLAG": "Y",
            "PCD_PAY_OID": oid, "PCD_PAY_DATE": day, "PCD_REFUND_TOTAL": won });
        self.send(REFUND, rest).await
    }

    pub async fn check(&self, oid: &str, pay_type: &str) -> Answer {
        let day = self.app().hub.now().day().to_string();
        let rest = json!({ "PCD_PAYCHK_FLAG": "Y", "PCD_PAY_TYPE": pay_type, "PCD_PAY_OID": oid,
            "PCD_PAY_DATE": day });
        self.send(CHECK, rest).await
    }

    /// (captured, available, refunding) in won.
    pub fn money(&self) -> (i64, i64, i64) {
        let ledger = self.app().hub.reader.ledger(self.client.no()).unwrap().unwrap();
        (ledger.captured.0, ledger.available.0, ledger.refunding.0)
    }

    /// The documents' two keys, as the sandbox has them.
    pub async fn documented_keys(&self) {
        let import = |payer_id: &str, method: ichae_domain::billing::Method| {
            let token = ichae_acquirer::simulated::plain_token(method);
            Import {
                cst_id: self.client.cst_id.clone(),
                payer_id: payer_id.to_owned(),
                method: method.name().to_owned(),
                token: secrecy::ExposeSecret::expose_secret(&token).to_owned(),
                org: "0200".to_owned(),
                org_name: "BC카드".to_owned(),
                number_masked: "1111-****-****-2222".to_owned(),
                holder: "홍길동".to_owned(),
                phone_masked: "010-****-5678".to_owned(),
                business: false,
            }
        };
        let account = Import {
            org: "081".to_owned(),
            org_name: "KEB하나은행".to_owned(),
            number_masked: "123-********-021".to_owned(),
            ..import(ACCOUNT_KEY, ichae_domain::billing::Method::Account)
        };
        for key in [import(CARD_KEY, ichae_domain::billing::Method::Card), account] {
            let request = Request::Billing(BillingRequest::Import(key));
            self.app().admin(request).await.unwrap();
        }
    }
}

pub fn registration(number: &str) -> Value {
    json!({ "PCD_PAY_WORK": "AUTHREG", "PCD_PAY_TYPE": "card", "PCD_PAYER_NO": "1234",
        "PCD_PAYER_NAME": "홍길동", "PCD_PAYER_BIRTH": "880212", "PCD_PAYER_HP": "01012345678",
        "PCD_PAYER_EMAIL": "help@example.com", "PCD_PAY_CARDNUM": number,
        "PCD_PAY_CARDEXYEAR": "31", "PCD_PAY_CARDEXMONTH": "03", "PCD_PAY_CARDPW": "33" })
}

pub fn payment(payer_id: &str, oid: &str, won: i64) -> Value {
    json!({ "PCD_PAYER_ID": payer_id, "PCD_PAY_GOODS": "상품1", "PCD_PAY_OID": oid,
        "PCD_PAY_TOTAL": won.to_string(), "PCD_SIMPLE_FLAG": "Y" })
}

/// auth.php's answer to these flags.
pub async fn auth(client: &Client<'_>, flags: Value) -> Answer {
    let body = client.body(flags).to_string();
    client.app.send(post("/php/auth.php", body)).await
}
