//! Nothing secret is printed: not by `Debug`, and not into any line of the log.

use crate::app::{Client, LIMITS, setup};
use crate::cpay::Shop;
use axum::http::HeaderValue;
use ichae_domain::ident::{KeyNo, NoticeNo, PayoutNo};
use ichae_domain::notice::NoticeState;
use ichae_server::admin::Request;
use ichae_server::admin::request::PartnerAdd;
use ichae_server::config::{Config, sample};
use ichae_server::courier::HttpCourier;
use ichae_server::engine::Engine;
use ichae_server::reach::Reach;
use ichae_wire::ident::Kind;
use serde_json::json;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Values that occur nowhere else in this binary, so that other tests' lines cannot hide them.
const CUST_KEY: &str = "custkey-that-no-other-test-has";
const WRONG_KEY: &str = "wrong-key-that-no-other-test-has";
const ACCOUNT: &str = "7070909011223344";
const REFUSED_ACCOUNT: &str = "9900001412";
const CARD: &str = "4929718264310057";
const BIRTH: &str = "770707";
const QUERY: &str = "hook-token-that-nobody-may-see";
const HOLDER: &str = "홍길동";

/// What is written into the log while it is listened to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Option<Vec<u8>>>>);

impl Log {
    fn listen(&self) {
        *self.0.lock().unwrap() = Some(Vec::new());
    }

    fn heard(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().take().unwrap()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(heard) = self.0.lock().unwrap().as_mut() {
            heard.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// The process's log at its most talkative, of every thread and every library.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish()
            .init();
        log
    })
}

/// On real time, over a store in its file and with the real courier: all that a server writes.
#[tokio::test]
async fn no_line_of_the_log_says_a_secret() {
    log().listen();
    let app = setup().at(ichae_server::clock::wall()).in_a_file().with_its_thread().app().await;
    let server = MockServer::start().await;
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let answer = move |_: &wiremock::Request| {
        let _ = told.send(());
        ResponseTemplate::new(200)
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let add = PartnerAdd {
        cst_id: "secretive".to_owned(),
        name: "파트너".to_owned(),
        webhook_url: Some(format!("{}/hook?token={QUERY}", server.uri())),
        cust_key: Some(CUST_KEY.to_owned().into()),
        ..PartnerAdd::default()
    };
    let made = app.admin(Request::PartnerAdd(add)).await.unwrap();
    app.fund("secretive", 1_000_000, "first").await;
    let courier = HttpCourier::new(Reach::Test { private: false }, Duration::from_secs(5)).unwrap();
    let engine = Engine::start(&app.hub, Arc::new(courier), LIMITS).await.unwrap();

    let client = Client { app: &app, cst_id: "secretive".into(), cust_key: CUST_KEY.into() };
    let token = client.token().await;
    let check = |account: &str, info: &str| {
        json!({ "bank_code_std": "020", "account_num": account,
            "account_holder_info_type": "0", "account_holder_info": info })
    };
    let key = client.post("/inquiry/real_name", check(ACCOUNT, BIRTH)).await;
    let key = key.get("billing_tran_id");
    let group = client.request(&key, "d-1").await;
    let body = json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW" });
    assert_eq!(client.post("/transfer/execute", body).await.code(), "A0000");
    hears.recv().await.unwrap();
    // An address that is refused, one that nobody answers at, and one that is not there.
    let url = format!("http://user:{QUERY}@127.0.0.1/?token={QUERY}");
    let group = client.request(&key, "d-2").await;
    let body = json!({ "group_key": group, "billing_tran_id": key, "execute_type": "NOW",
        "webhook_url": url });
    assert_eq!(client.post("/transfer/execute", body.clone()).await.code(), "E0120");
    let mut body = body;
    body["webhook_url"] = format!("http://127.0.0.1:1/?token={QUERY}").into();
    assert_eq!(client.post("/transfer/execute", body).await.code(), "A0000");
    // Refusals of every kind.
    client.post("/inquiry/real_name", check(REFUSED_ACCOUNT, BIRTH)).await;
    client.post("/inquiry/real_name", check(ACCOUNT, "770732")).await;
    let wrong = Client { cust_key: WRONG_KEY.into(), ..client.clone() };
    let wrong = wrong.body(json!({ "code": "as12345678" })).to_string();
    assert_eq!(app.raw("/oauth/token", None, wrong.clone()).await.code(), "T0300");
    app.raw("/oauth/token", None, wrong[..wrong.len() - 1].to_owned()).await;
    let mut request = crate::app::call("/account/remain", None, client.body(json!({})).to_string());
    let cut = HeaderValue::from_str(&format!("Bearer {}", &token[..token.len() - 3])).unwrap();
    request.headers_mut().insert("authorization", cut);
    assert_eq!(app.send(request).await.code(), "T0330");
    let shop = Shop::open(client.clone()).await;
    card_half(&shop).await;
    let rotate = |webhook_secret| Request::PartnerRotateKey {
        cst_id: "secretive".to_owned(),
        webhook_secret,
        refund_key: false,
    };
    let rotated = [app.admin(rotate(true)).await.unwrap(), app.admin(rotate(false)).await.unwrap()];
    app.admin(Request::KeyRotate).await.unwrap();
    app.admin(Request::PartnerShow { cst_id: "secretive".to_owned() }).await.unwrap();
    tried_in_vain(&app).await;
    engine.stop().await;

    let heard = log().heard();
    assert!(heard.contains("answered"), "the log was heard: {} bytes", heard.len());
    assert!(heard.contains("the webhook's receiver did not answer"), "failures are logged");
    let signature = token.rsplit('.').next().unwrap();
    let secrets = [
        ("custKey", CUST_KEY),
        ("a wrong custKey", WRONG_KEY),
        ("account", ACCOUNT),
        ("refused account", REFUSED_ACCOUNT),
        ("birth date", BIRTH),
        ("card", CARD),
        ("AuthKey", shop.auth_key.rsplit('.').next().unwrap()),
        ("refund key", &shop.refund_key),
        ("holder", HOLDER),
        ("URL's query", QUERY),
        ("token", signature),
        ("webhook secret", made["webhook_secret"].as_str().unwrap()),
        ("new webhook secret", rotated[0]["webhook_secret"].as_str().unwrap()),
        ("new custKey", rotated[1]["cust_key"].as_str().unwrap()),
    ];
    for (what, secret) in secrets {
        let line = heard.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{what}");
    }
}

/// Registered, refused, charged, looked up, refunded.
async fn card_half(shop: &Shop<'_>) {
    let mut card = crate::cpay::registration(CARD);
    card["PCD_PAYER_BIRTH"] = BIRTH.into();
    let path = format!("{}?ACT_=AUTHREG", crate::cpay::USER);
    let registered = shop.send(&path, card.clone()).await;
    let payer_id = registered.get("PCD_PAYER_ID");
    card["PCD_PAY_CARDPW"] = "x".into();
    shop.send(&path, card).await;
    shop.pay(&payer_id, "o-1", 1_000).await;
    shop.pay(&payer_id, "o-1", 1_000).await;
    shop.info(&payer_id).await;
    shop.refund("o-1", None).await;
}

/// Until a webhook that nobody takes was tried: nobody listens on port 1.
async fn tried_in_vain(app: &crate::app::TestApp) {
    let tried = async {
        loop {
            let notices = app.hub.reader.notices(Default::default(), NoticeNo(0), 100).unwrap();
            if notices.iter().any(|n| n.tries > 0 && n.state == NoticeState::Pending) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), tried).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn debug_prints_no_secret() {
    let app = setup().app().await;
    let url = format!("https://partner.example/hook?token={QUERY}");
    app.set("test", |set| set.webhook_url = Some(url.clone())).await;
    let key = app.test().key(ACCOUNT).await;
    let group = app.test().request(&key, "d-1").await;
    app.test().execute_all(&group).await;
    app.settle_by_hand(|_| Some(crate::app::SETTLED)).await;
    let hub = &app.hub;
    let entry = hub.directory.by_id("test").unwrap();
    let no = hub.serial(Kind::BillingKey, entry.partner.no, &key).unwrap();
    let found = hub.reader.key(KeyNo(no)).unwrap().unwrap();
    let add = PartnerAdd { cust_key: Some(CUST_KEY.to_owned().into()), ..PartnerAdd::default() };
    let row = PayoutNo(no + 1);
    let printed = [
        format!("{:?}", hub.sealer),
        format!("{:?}", hub.sealer.keys()),
        format!("{:?}", hub.reader.webhook_secret(entry.partner.no).unwrap()),
        format!("{found:?}"),
        format!("{:?}", hub.reader.row(row).unwrap().unwrap()),
        format!("{:?}", Config::parse(&sample()).unwrap()),
        format!("{:?}", Request::PartnerAdd(add)),
        format!("{:?}", entry.partner.verifier),
    ];
    let secret = hub.reader.webhook_secret(entry.partner.no).unwrap().unwrap();
    let secret = secrecy::ExposeSecret::expose_secret(&secret).to_owned();
    for text in printed {
        for forbidden in [CUST_KEY, crate::app::CUST_KEY, ACCOUNT, HOLDER, "880212", &secret] {
            assert!(!text.contains(forbidden), "{text}");
        }
    }
}
