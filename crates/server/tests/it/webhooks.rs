//! Webhooks: what leaves, to where, when, and in which order (decisions H17, H18).
//!
//! Schedules run on virtual time with a courier that writes down. What really leaves is seen by a
//! receiver on loopback; those tests are few, on real time, and wait for nothing but it.

use crate::app::{ACCOUNT, HOOK, SETTLED, TestApp, setup};
use crate::courier::{Does, TestCourier};
use ichae_domain::ident::NoticeNo;
use ichae_domain::notice::{Notice, NoticeState, Outcome};
use ichae_domain::payout::State;
use ichae_domain::retry::WEBHOOK_WAITS;
use ichae_server::admin::Request;
use ichae_server::courier::HttpCourier;
use ichae_server::engine::{Courier, Delivery, Message};
use ichae_server::reach::Reach;
use ichae_store::port::NoticeFilter;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn notices(app: &TestApp) -> Vec<Notice> {
    app.hub.reader.notices(NoticeFilter::default(), NoticeNo(0), 1_000).unwrap()
}

async fn secret(app: &TestApp) -> SecretString {
    app.hub.reader.webhook_secret(app.test().no()).unwrap().unwrap()
}

/// A settled payout's webhook, ready to leave for this address.
async fn delivery(app: &TestApp, url: &str) -> Delivery {
    app.test().pay(ACCOUNT, "d-1").await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    to(app, url).await
}

async fn to(app: &TestApp, url: &str) -> Delivery {
    let notice = notices(app)[0].clone();
    let row = app.hub.reader.row(notice.subject.payout().unwrap()).unwrap().unwrap();
    let message = Message::Payout(Box::new(row));
    Delivery { notice, message, url: url.to_owned(), secret: secret(app).await }
}

fn http(reach: Reach) -> HttpCourier {
    HttpCourier::new(reach, Duration::from_millis(500)).unwrap()
}

const TEST: Reach = Reach::Test { private: false };

async fn receiver(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// The whole of one webhook: method, path, headers, signature and every byte of the body.
#[tokio::test]
async fn a_webhook_is_the_documented_body_and_a_signature() {
    // The signature's library compares its time with the system's.
    let app = setup().at(ichae_server::clock::wall()).app().await;
    let server = receiver(ResponseTemplate::new(200).set_body_string("SUCCESS")).await;
    let url = format!("{}/hook/x?a=b&c=%20", server.uri());
    let delivery = delivery(&app, &url).await;
    assert_eq!(http(TEST).deliver(&app.hub, &delivery).await, 200);

    let received = server.received_requests().await.unwrap();
    let [request] = &received[..] else { panic!("{received:?}") };
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.url.path(), "/hook/x");
    assert_eq!(request.url.query(), Some("a=b&c=%20"));
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("user-agent"), "ichae-webhook/1");
    assert!(header("webhook-id").starts_with("msg_"));
    let seconds: i64 = header("webhook-timestamp").parse().unwrap();
    assert!((seconds - app.hub.now().0 / 1_000).abs() <= 1);

    let signer = standardwebhooks::Webhook::new(secret(&app).await.expose_secret()).unwrap();
    signer.verify(&request.body, &request.headers).unwrap();
    let mut changed = request.body.clone();
    changed[20] ^= 1;
    signer.verify(&changed, &request.headers).unwrap_err();
    let other = standardwebhooks::Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    other.verify(&request.body, &request.headers).unwrap_err();

    // The look-up's row is the same text, and the fields are the documents' with distinct_key.
    let body = String::from_utf8(request.body.clone()).unwrap();
    let shown: Value = serde_json::from_str(&body).unwrap();
    let id = json!({ "api_tran_id": shown["api_tran_id"] });
    assert_eq!(app.test().post("/transfer/result", id).await.text, body);
    let names: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "result",
            "message",
            "cst_id",
            "sub_id",
            "group_key",
            "billing_tran_id",
            "api_tran_id",
            "api_tran_dtm",
            "bank_tran_id",
            "bank_tran_date",
            "bank_rsp_code",
            "bank_code_std",
            "bank_code_sub",
            "bank_name",
            "account_num",
            "account_num_masked",
            "account_holder_name",
            "print_content",
            "tran_amt",
            "distinct_key",
        ]
    );
}

/// A second try is the same message: the same id, with its own time and signature.
#[tokio::test]
async fn a_repeat_keeps_its_id() {
    let app = setup().app().await;
    let server = receiver(ResponseTemplate::new(200)).await;
    let delivery = delivery(&app, &server.uri()).await;
    let courier = http(TEST);
    for _ in 0..2 {
        assert_eq!(courier.deliver(&app.hub, &delivery).await, 200);
    }
    let received = server.received_requests().await.unwrap();
    assert_eq!(received[0].headers["webhook-id"], received[1].headers["webhook-id"]);
    assert_eq!(received[0].body, received[1].body);
}

/// Any 2xx acknowledges; a redirect is not followed and is no acknowledgement.
#[tokio::test]
async fn the_receivers_status_is_what_counts() {
    let app = setup().app().await;
    let target = receiver(ResponseTemplate::new(200)).await;
    let mut sent = delivery(&app, HOOK).await;
    let courier = http(TEST);
    for status in [200, 201, 204, 299, 301, 302, 307, 308, 400, 404, 410, 500, 503] {
        let answer = ResponseTemplate::new(status).insert_header("location", target.uri());
        let server = receiver(answer).await;
        sent.url = server.uri();
        assert_eq!(courier.deliver(&app.hub, &sent).await, i64::from(status));
    }
    assert!(target.received_requests().await.unwrap().is_empty());
}

/// What does not answer in time, or at all, has the status zero.
#[tokio::test]
async fn no_answer_is_no_status() {
    let app = setup().app().await;
    let slow = receiver(ResponseTemplate::new(200).set_delay(Duration::from_secs(30))).await;
    let mut sent = delivery(&app, &slow.uri()).await;
    let courier = HttpCourier::new(TEST, Duration::from_millis(100)).unwrap();
    assert_eq!(courier.deliver(&app.hub, &sent).await, 0);
    for nowhere in ["http://127.0.0.1:1/", "http://name.invalid/", "nonsense"] {
        sent.url = nowhere.to_owned();
        assert_eq!(courier.deliver(&app.hub, &sent).await, 0, "{nowhere}");
    }
}

/// Decision H18: the check is made where the connection is made, too.
#[tokio::test]
async fn nothing_leaves_for_an_address_that_may_not_be_reached() {
    let app = setup().app().await;
    let server = receiver(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let mut sent = delivery(&app, HOOK).await;
    let cases = [
        (Reach::Public, format!("http://127.0.0.1:{port}/")),
        (Reach::Public, format!("https://127.0.0.1:{port}/")),
        (Reach::Public, format!("https://localhost:{port}/")),
        (TEST, format!("http://user@127.0.0.1:{port}/")),
        (TEST, "http://169.254.169.254/".to_owned()),
        (TEST, "http://10.0.0.1/".to_owned()),
    ];
    for (reach, url) in cases {
        sent.url.clone_from(&url);
        assert_eq!(http(reach).deliver(&app.hub, &sent).await, 0, "{url}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    // A name that leads to loopback is fine in TEST.
    sent.url = format!("http://localhost:{port}/");
    assert_eq!(http(TEST).deliver(&app.hub, &sent).await, 200);
}

/// The engine with the real courier, once, from the execution to the receiver.
#[tokio::test]
async fn an_execution_ends_at_the_receiver() {
    let app = setup().app().await;
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let server = MockServer::start().await;
    let answer = move |request: &wiremock::Request| {
        let _ = told.send(request.body.clone());
        ResponseTemplate::new(204)
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let courier: Arc<dyn Courier> = Arc::new(http(TEST));
    let limits = crate::app::LIMITS;
    let engine = ichae_server::engine::Engine::start(&app.hub, courier, limits).await.unwrap();
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    let body = json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW",
        "webhook_url": format!("{}/hook", server.uri()) });
    assert_eq!(test.post("/transfer/execute", body).await.code(), "A0000");
    let body: Value = serde_json::from_slice(&hears.recv().await.unwrap()).unwrap();
    assert_eq!((&body["result"], &body["distinct_key"]), (&json!("A0000"), &json!("d-1")));
    engine.stop().await;
    assert_eq!(notices(&app)[0].state, NoticeState::Delivered, "a stop writes what is open");
}

/// The first steps of the schedule: at once, then after 5 s, 30 s, 2 min, 10 min.
#[tokio::test(start_paused = true)]
async fn failed_tries_are_repeated_at_growing_distances() {
    let app = setup().app().await;
    let courier = TestCourier::new();
    courier.script("test", [500, 404, 302, 0].map(Does::Says).into_iter().chain([Does::Says(204)]));
    let engine = app.engine(&courier).await;
    app.test().pay(ACCOUNT, "d-1").await;
    pass(1_000_000).await;
    let at: Vec<i64> = courier.told("d-1").iter().map(|told| told.at.0).collect();
    let waits: Vec<i64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits.len(), 4, "{waits:?}");
    for (wait, decided) in waits.iter().zip(WEBHOOK_WAITS) {
        // The engine looks twice a second.
        assert!((decided * 1_000..=decided * 1_000 + 500).contains(wait), "{waits:?}");
    }
    let notice = &notices(&app)[0];
    assert_eq!((notice.state, notice.tries), (NoticeState::Delivered, 5));
    engine.stop().await;
}

/// The whole schedule, in shorter units: fifteen tries, then it is given up and told in the events.
#[tokio::test(start_paused = true)]
async fn the_schedule_ends_and_an_operator_can_start_it_again() {
    let app = setup().retry_unit_ms(10).app().await;
    let courier = TestCourier::new();
    courier.script("test", [Does::Says(500)]);
    let engine = app.engine(&courier).await;
    app.test().pay(ACCOUNT, "d-1").await;
    let span: i64 = WEBHOOK_WAITS.iter().sum();
    pass((span * 10) as u64 + 20_000).await;
    assert_eq!(courier.told("d-1").len(), WEBHOOK_WAITS.len() + 1);
    assert_eq!(notices(&app)[0].state, NoticeState::GivenUp);
    pass(600_000).await;
    assert_eq!(courier.told("d-1").len(), WEBHOOK_WAITS.len() + 1, "given up is given up");
    courier.script("test", [Does::Says(200)]);
    app.admin(Request::WebhookResend { no: notices(&app)[0].no.0 }).await.unwrap();
    pass(1_000).await;
    assert_eq!(notices(&app)[0].state, NoticeState::Delivered);
    engine.stop().await;
}

/// The schedule is stored: a restart neither loses a try nor makes one early.
#[tokio::test(start_paused = true)]
async fn the_schedule_outlives_a_restart() {
    let app = setup().in_a_file().app().await;
    let courier = TestCourier::new();
    courier.script("test", [Does::Says(500), Does::Says(500), Does::Says(200)]);
    let engine = app.engine(&courier).await;
    app.test().pay(ACCOUNT, "d-1").await;
    pass(6_000).await;
    let second = courier.told("d-1")[1].at;
    engine.stop().await;
    let app = app.reopen();
    let engine = app.engine(&courier).await;
    pass(60_000).await;
    let tries = courier.told("d-1");
    assert_eq!(tries.len(), 3);
    let waited = tries[2].at.0 - second.0;
    assert!((30_000..=30_500).contains(&waited), "{waited}");
    engine.stop().await;
}

/// Each partner has a lane of its own.
#[tokio::test(start_paused = true)]
async fn one_hanging_receiver_delays_nobody_else() {
    let app = setup().app().await;
    let courier = TestCourier::new();
    courier.script("hangs", [Does::Hangs(Duration::from_secs(10))]);
    let (hangs, quick) = (app.partner("hangs").await, app.partner("quick").await);
    let engine = app.engine(&courier).await;
    let key = hangs.key(ACCOUNT).await;
    let group = hangs.request_many(&key, 100).await;
    hangs.execute_all(&group).await;
    pass(3_000).await;
    for no in 0..10 {
        let began = app.hub.now();
        let distinct_key = format!("quick-{no}");
        quick.pay(ACCOUNT, &distinct_key).await;
        app.until(&distinct_key, State::Settled).await;
        while courier.told(&distinct_key).is_empty() {
            pass(10).await;
        }
        let waited = courier.told(&distinct_key)[0].at.0 - began.0;
        assert!(waited <= 1_000, "{waited} ms");
    }
    engine.stop().await;
}

/// A payout's next outcome waits until the one before it is acknowledged.
#[tokio::test(start_paused = true)]
async fn the_outcomes_of_a_payout_are_told_in_order() {
    let app = setup().app().await;
    let courier = TestCourier::new();
    courier.script("test", [500, 500, 200].map(Does::Says));
    let engine = app.engine(&courier).await;
    app.test().pay("9900003000", "d-1").await;
    app.until("d-1", State::Returned).await;
    pass(60_000).await;
    let told = courier.told("d-1");
    let outcomes: Vec<_> = told.iter().map(|told| told.outcome).collect();
    use Outcome::*;
    assert_eq!(outcomes, [Settled, Settled, Settled, Returned]);
    assert!(told[2].at <= told[3].at);
    // The settlement is told as what it was, although the money is back by then.
    assert_eq!((told[2].result, told[2].bank_rsp_code.as_str()), ("A0000", "000"));
    assert_eq!((told[3].result, told[3].bank_rsp_code.as_str()), ("A0998", ""));
    assert_eq!(told[2].api_tran_id, told[3].api_tran_id, "one payout, one api_tran_id");
    engine.stop().await;
}

/// The settlement was given up: the return is told after it.
#[tokio::test(start_paused = true)]
async fn a_given_up_outcome_lets_the_next_one_through() {
    let app = setup().retry_unit_ms(1).app().await;
    let courier = TestCourier::new();
    let tries = WEBHOOK_WAITS.len() + 1;
    courier.script("test", vec![Does::Says(500); tries].into_iter().chain([Does::Says(200)]));
    let engine = app.engine(&courier).await;
    app.test().pay("9900003000", "d-1").await;
    pass(600_000).await;
    let told = courier.told("d-1");
    assert_eq!(told.len(), tries + 1);
    assert_eq!(told.last().unwrap().outcome, Outcome::Returned);
    engine.stop().await;
}

#[tokio::test(start_paused = true)]
async fn neither_a_cancel_nor_an_unknown_outcome_is_told() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    app.bank.inquiries_hang(true);
    let engine = app.engine(&courier).await;
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "canceled").await;
    test.execute(&group, "ALL", "CANCEL").await;
    test.pay("9900002804", "unknown").await;
    app.until("unknown", State::Unknown).await;
    pass(600_000).await;
    assert!(courier.tries().is_empty());
    assert!(notices(&app).is_empty());
    engine.stop().await;
}

/// One for each payout, even on one key in one group, told apart by distinct_key.
#[tokio::test(start_paused = true)]
async fn each_payout_is_told_once() {
    let app = setup().app().await;
    let test = app.test();
    let courier = TestCourier::new();
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, 100).await;
    test.execute_all(&group).await;
    let engine = app.engine(&courier).await;
    pass(10_000).await;
    for no in 0..100 {
        assert_eq!(courier.told(&format!("many-{no}")).len(), 1, "{no}");
    }
    engine.stop().await;
}

/// In TEST the execution's own address goes before the registered one.
#[tokio::test(start_paused = true)]
async fn the_executions_own_address_goes_first_in_test() {
    let app = setup().app().await;
    let test = app.test();
    let registered = "http://127.0.0.1:9/registered";
    app.set("test", |set| set.webhook_url = Some(registered.to_owned())).await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    test.pay(ACCOUNT, "own").await;
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "none").await;
    let body = json!({ "group_key": group, "billing_tran_id": key, "execute_type": "NOW" });
    assert_eq!(test.post("/transfer/execute", body).await.code(), "A0000");
    let group = test.request(&key, "on-a-key").await;
    assert_eq!(test.execute(&group, &key, "NOW").await.code(), "A0000");
    pass(2_000).await;
    for (distinct_key, url) in [("own", HOOK), ("none", registered), ("on-a-key", HOOK)] {
        assert_eq!(courier.told(distinct_key)[0].url, url, "{distinct_key}");
    }
    engine.stop().await;
}

/// In LIVE results go to the registered address, whatever an execution says.
#[tokio::test(start_paused = true)]
async fn live_goes_to_the_registered_address() {
    let app = setup().live().app().await;
    let registered = "https://partner.example/hook";
    app.set("test", |set| set.webhook_url = Some(registered.to_owned())).await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    app.test().pay(ACCOUNT, "d-1").await;
    pass(1_000).await;
    assert_eq!(courier.told("d-1")[0].url, registered);
    engine.stop().await;
}

/// Nowhere to go: that is written down, and a resend works once there is an address.
#[tokio::test(start_paused = true)]
async fn without_an_address_it_waits_for_an_operator() {
    let app = setup().live().app().await;
    let courier = TestCourier::new();
    let engine = app.engine(&courier).await;
    app.test().pay(ACCOUNT, "d-1").await;
    pass(60_000).await;
    let list = |state: &str| Request::WebhookList {
        cst_id: Some("test".to_owned()),
        state: Some(state.to_owned()),
        after: 0,
        limit: 10,
    };
    let waiting = app.admin(list("no-address")).await.unwrap();
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    assert!(courier.tries().is_empty());
    let no = waiting[0]["no"].as_i64().unwrap();
    let url = "https://partner.example/hook";
    app.set("test", |set| set.webhook_url = Some(url.to_owned())).await;
    pass(60_000).await;
    assert!(courier.tries().is_empty(), "not before an operator says so");
    app.admin(Request::WebhookResend { no }).await.unwrap();
    pass(1_000).await;
    assert_eq!(courier.told("d-1")[0].url, url);
    let delivered = app.admin(list("delivered")).await.unwrap();
    assert_eq!(delivered[0]["last_status"], json!(200));
    engine.stop().await;
}
