//! An acquirer that does not answer: unknown, asked, never charged twice; and what webhooks tell of it.

use super::{CARD, CARD_KEY, Shop, code, payment};
use crate::app::setup;
use crate::courier::TestCourier;
use ichae_acquirer::port::{
    AccountDetails, Acquirer, CardDetails, PayCall, ReceiptCall, RefundCall, Registration,
};
use ichae_acquirer::simulated::{SimulatedAcquirer, plain_token};
use ichae_domain::billing::{Method, TradeAnswer, TradeKind};
use ichae_domain::notice::Outcome;
use ichae_server::admin::Request;
use ichae_server::admin::billing::{BillingRequest, Import};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The simulated one, which also can be silent: what it is told happens, and nobody hears of it.
pub struct Silent {
    inner: SimulatedAcquirer,
    silent: AtomicBool,
}

impl Silent {
    pub fn new() -> Arc<Silent> {
        let inner = SimulatedAcquirer::in_memory().unwrap();
        Arc::new(Silent { inner, silent: AtomicBool::new(false) })
    }

    pub fn be_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    async fn heard(&self, answer: TradeAnswer) -> TradeAnswer {
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        answer
    }

    /// How often money was captured, and how often given back.
    async fn moved(&self) -> (usize, usize) {
        let rows = self.inner.audit().await.unwrap();
        let count =
            |kind| rows.iter().filter(|row| row.kind == kind && row.done && !row.alias).count();
        assert!(rows.iter().all(|row| row.calls <= 1), "a reference was called twice: {rows:?}");
        (count(TradeKind::Pay), count(TradeKind::Refund))
    }
}

#[async_trait::async_trait]
impl Acquirer for Silent {
    async fn register_card(&self, card: &CardDetails) -> Registration {
        assert!(!self.silent.load(Ordering::SeqCst), "a connector that breaks");
        self.inner.register_card(card).await
    }

    async fn register_account(&self, account: &AccountDetails) -> Registration {
        self.inner.register_account(account).await
    }

    async fn pay(&self, pay: &PayCall) -> TradeAnswer {
        let answer = self.inner.pay(pay).await;
        self.heard(answer).await
    }

    async fn refund(&self, refund: &RefundCall) -> TradeAnswer {
        let answer = self.inner.refund(refund).await;
        self.heard(answer).await
    }

    async fn receipt(&self, receipt: &ReceiptCall) -> TradeAnswer {
        let answer = self.inner.receipt(receipt).await;
        self.heard(answer).await
    }

    async fn inquire(&self, reference: &str, kind: TradeKind) -> TradeAnswer {
        let answer = self.inner.inquire(reference, kind).await;
        self.heard(answer).await
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_unknown_until_the_acquirer_says_and_is_charged_once() {
    let acquirer = Silent::new();
    let app = setup().acquirer(Arc::clone(&acquirer) as _).app().await;
    app.set("test", |set| set.payment_url = Some("http://127.0.0.1:9/paid".into())).await;
    let shop = Shop::open(app.test()).await;
    let key = shop.card(CARD).await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    acquirer.be_silent(true);
    let unknown = shop.pay(&key, "o-1", 1_000).await;
    assert_eq!((unknown.status.as_u16(), code(&unknown)), (200, "PAYU0001".into()));
    assert_eq!(code(&shop.check("o-1", "card").await), "PAYU0001", "neither success nor failure");
    assert_eq!(code(&shop.pay(&key, "o-1", 1_000).await), "SPCD0014", "not a second time");
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(shop.money().0, 0, "not by age");
    let listed = Request::Billing(BillingRequest::Unknown { after: 0, limit: 10 });
    let listed = app.admin(listed).await.unwrap();
    assert_eq!((&listed[0]["kind"], &listed[0]["state"]), (&"pay".into(), &"unknown".into()));
    acquirer.be_silent(false);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(code(&shop.check("o-1", "card").await), "PCHK0000");
    assert_eq!((shop.money().0, acquirer.moved().await), (1_000, (1, 0)));
    acquirer.be_silent(true);
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0009");
    assert_eq!(shop.money(), (0, 10_000_000, 1_000), "it stays put");
    assert_eq!(code(&shop.refund("o-1", None).await), "PAYC0006", "under way");
    acquirer.be_silent(false);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!((shop.money(), acquirer.moved().await), ((0, 10_000_000, 0), (1, 1)));
    let told: Vec<Outcome> = courier.charges().iter().map(|told| told.0).collect();
    assert_eq!(told, [Outcome::Paid, Outcome::Refunded], "each outcome once, in order");
    let (_, body) = &courier.charges()[1];
    assert_eq!((&body["PCD_PAYCANCEL_FLAG"], &body["PCD_PAY_OID"]), (&"Y".into(), &"o-1".into()));
    assert_eq!(body["PCD_PAYER_ID"], key.as_str());
    engine.stop().await;
}

/// What breaks inside is still an answer that clients can read, with what to search the log for.
#[tokio::test(start_paused = true)]
async fn a_handler_that_breaks_answers_in_this_apis_fields() {
    let acquirer = Silent::new();
    let app = setup().acquirer(Arc::clone(&acquirer) as _).app().await;
    let shop = Shop::open(app.test()).await;
    acquirer.be_silent(true);
    let before = app.dump();
    let broken = shop.register(CARD).await;
    assert_eq!((broken.status.as_u16(), code(&broken)), (200, "T0999".into()));
    assert_eq!(broken.get("PCD_PAY_RST"), "error");
    assert_eq!(Some(broken.get("reference").as_str()), broken.header("x-request-id"));
    assert_eq!(app.dump(), before);
}

/// A stop between the intent and the answer: it is asked about at the next start, and not made again.
#[tokio::test(start_paused = true)]
async fn an_intent_without_an_answer_is_asked_about_after_a_stop() {
    let acquirer = Silent::new();
    let app = setup().in_a_file().acquirer(Arc::clone(&acquirer) as _).app().await;
    let client = app.test();
    let auth_key = {
        let shop = Shop::open(client.clone()).await;
        shop.documented_keys().await;
        acquirer.be_silent(true);
        let pay = shop.pay(CARD_KEY, "o-1", 1_000);
        // The caller goes away, and then the process: before the time-out.
        assert!(tokio::time::timeout(Duration::from_secs(1), pay).await.is_err());
        shop.auth_key
    };
    let app = app.reopen();
    acquirer.be_silent(false);
    let shop = Shop { client: app.test(), auth_key, refund_key: String::new() };
    assert_eq!(code(&shop.check("o-1", "card").await), "PAYU0001");
    let engine = app.engine(&TestCourier::new()).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(code(&shop.check("o-1", "card").await), "PCHK0000");
    assert_eq!((shop.money().0, acquirer.moved().await), (1_000, (1, 0)));
    engine.stop().await;
}

/// Figure 5: the same order a hundred times at once, and again afterwards.
#[tokio::test(start_paused = true)]
async fn an_order_that_comes_a_hundred_times_at_once_is_charged_once() {
    let acquirer = Silent::new();
    let app = setup().acquirer(Arc::clone(&acquirer) as _).app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let all = (0..100).map(|_| shop.pay(CARD_KEY, "o-1", 1_000));
    let answers = futures_util::future::join_all(all).await;
    let done = answers.iter().filter(|answer| code(answer) == "SPCD0000").count();
    let repeated = answers.iter().filter(|answer| code(answer) == "SPCD0014").count();
    assert_eq!((done, repeated, acquirer.moved().await), (1, 99, (1, 0)));
    let again = shop.send(super::SIMPLE_CARD, payment(CARD_KEY, "o-1", 2_000)).await;
    assert_eq!((code(&again), shop.money().0), ("SPCD0014".into(), 1_000));
}

/// A store that went back to before a payment hears of it from the acquirer when the order comes again.
#[tokio::test(start_paused = true)]
async fn an_order_that_the_store_has_lost_is_not_charged_again() {
    let acquirer = Silent::new();
    let key = Import {
        cst_id: "test".into(),
        payer_id: CARD_KEY.into(),
        method: "card".into(),
        token: plain_token(Method::Card).expose_secret().to_owned(),
        org: "0200".into(),
        org_name: "BC카드".into(),
        number_masked: "1111-****-****-2222".into(),
        holder: "홍길동".into(),
        phone_masked: String::new(),
        business: false,
    };
    for later in 0..2 {
        // Each time a store without the payment, the same acquirer, and another moment, so that the
        // reference is another one.
        let start = crate::app::START.plus_ms(later * 5_000);
        let app = setup().at(start).acquirer(Arc::clone(&acquirer) as _).app().await;
        let shop = Shop::open(app.test()).await;
        let request = Request::Billing(BillingRequest::Import(key.clone()));
        app.admin(request).await.unwrap();
        assert_eq!(code(&shop.pay(CARD_KEY, "o-1", 1_000).await), "SPCD0000");
        assert_eq!((shop.money().0, acquirer.moved().await), (1_000, (1, 0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_by_hand_is_told_and_one_by_the_partner_is_not() {
    let app = setup().app().await;
    app.set("test", |set| set.removal_url = Some("http://127.0.0.1:9/removed".into())).await;
    let shop = Shop::open(app.test()).await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    let (one, other) = (shop.card(CARD).await, shop.card(CARD).await);
    assert_eq!(code(&shop.delete(&one).await), "PUSER0000");
    let remove = BillingRequest::Remove { cst_id: "test".into(), payer_id: other.clone() };
    app.admin(Request::Billing(remove)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let told = courier.charges();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, Outcome::Deregistered);
    assert_eq!(
        (&told[0].1["PCD_PAYER_ID"], &told[0].1["PCD_PAY_WORK"]),
        (&other.into(), &"PUSERDEL".into())
    );
    engine.stop().await;
}
