//! A whole hub for one test.

use crate::answer::Answer;
use crate::bank::TestBank;
use crate::courier::TestCourier;
use crate::folder::Folder;
use axum::body::Body;
use axum::http::{Method, Request as HttpRequest};
use http_body_util::BodyExt;
use ichae_acquirer::port::Acquirer;
use ichae_acquirer::simulated::SimulatedAcquirer;
use ichae_domain::bank::Answer as BankAnswer;
use ichae_domain::calendar::{ALWAYS_OPEN, Calendar};
use ichae_domain::command::{self, Actor, Asked, Command, Told};
use ichae_domain::ident::{KeyNo, PartnerNo, PayoutNo};
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Time;
use ichae_domain::view::{Reply, Rules};
use ichae_server::admin::{self, AdminError, Request};
use ichae_server::api::{self, Api, Peer, Settings, elsewhere};
use ichae_server::cells::Cells;
use ichae_server::config::Environment;
use ichae_server::engine::{Engine, Limits};
use ichae_server::hub::{Hub, Operators, Parts};
use ichae_server::reach::Reach;
use ichae_server::till::Till;
use ichae_store::keys::Keys;
use ichae_store::memory::{self, MemoryReader};
use ichae_store::port::{Backend, Clock, Reader};
use ichae_store::queue::Writer;
use ichae_store::seal::Sealer;
use ichae_store::sqlite;
use ichae_wire::ident::Kind;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

/// 2026-11-22 12:00 in Seoul.
pub const START: Time = Time(1_795_316_400_000);
/// The business date of [`START`].
pub const TODAY: &str = "20261122";
pub const CUST_KEY: &str = "abcd1234567890";
/// What every partner is funded with.
pub const FUNDS: i64 = 10_000_000;
pub const HOOK: &str = "http://127.0.0.1:9/hook";
/// An account that the simulated bank simply pays to.
pub const ACCOUNT: &str = "1234567890123456";
pub const LIMITS: Limits = Limits { bank_timeout: Duration::from_secs(10), in_flight: 256 };

/// How the app of a test differs from the ordinary one.
pub struct Setup {
    environment: Environment,
    any_amount: bool,
    start: Time,
    in_a_file: bool,
    writer_thread: bool,
    retry_unit_ms: i64,
    calendar: &'static Calendar,
    settings: Settings,
    acquirer: Option<Arc<dyn Acquirer>>,
}

pub fn setup() -> Setup {
    Setup {
        environment: Environment::Test,
        any_amount: false,
        start: START,
        in_a_file: false,
        writer_thread: false,
        retry_unit_ms: 1_000,
        calendar: &ALWAYS_OPEN,
        settings: Settings {
            body_timeout: Duration::from_secs(10),
            trusted_proxies: Vec::new(),
            requests_per_second: 0,
            docs: false,
            try_it: false,
            public_url: None,
            tls: false,
        },
        acquirer: None,
    }
}

impl Setup {
    pub fn live(mut self) -> Setup {
        self.environment = Environment::Live;
        self
    }

    pub fn any_amount(mut self) -> Setup {
        self.any_amount = true;
        self
    }

    pub fn at(mut self, start: Time) -> Setup {
        self.start = start;
        self
    }

    /// Over SQLite.
    pub fn in_a_file(mut self) -> Setup {
        self.in_a_file = true;
        self
    }

    /// With the writer's thread, as a server has it: for tests on real time.
    pub fn with_its_thread(mut self) -> Setup {
        self.writer_thread = true;
        self
    }

    pub fn calendar(mut self, calendar: Calendar) -> Setup {
        self.calendar = Box::leak(Box::new(calendar));
        self
    }

    pub fn retry_unit_ms(mut self, unit: i64) -> Setup {
        self.retry_unit_ms = unit;
        self
    }

    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Setup {
        change(&mut self.settings);
        self
    }

    pub async fn app(self) -> TestApp {
        let (start, began) = (self.start, tokio::time::Instant::now());
        let clock: Clock = Arc::new(move || start.plus_ms(began.elapsed().as_millis() as i64));
        let folder = self.in_a_file.then(Folder::new);
        let keys = match &folder {
            Some(folder) => folder.keys().create().unwrap(),
            None => Keys::random().unwrap(),
        };
        let bank = Arc::new(TestBank::open(Arc::clone(&clock)));
        let app = self.open(clock, bank, keys, folder);
        app.add("test", CUST_KEY).await;
        app
    }

    /// Charges through this one instead of a simulated one of its own.
    pub fn acquirer(mut self, acquirer: Arc<dyn Acquirer>) -> Setup {
        self.acquirer = Some(acquirer);
        self
    }

    fn till(&self) -> Till {
        let own = || Arc::new(SimulatedAcquirer::in_memory().unwrap()) as _;
        Till::new(self.acquirer.clone().unwrap_or_else(own), Duration::from_secs(10))
    }

    fn rules(&self) -> Rules {
        let test = self.environment == Environment::Test;
        Rules {
            fixed_amount: (test && !self.any_amount).then_some(Won(1_000)),
            webhook_per_call: test,
            retry_unit_ms: self.retry_unit_ms,
            calendar: self.calendar,
            second_above: Some(Won(1_000_000)),
            ..Rules::OPEN
        }
    }

    fn writer(&self, backend: Box<dyn Backend>) -> Writer {
        match self.writer_thread {
            true => Writer::start(backend).unwrap(),
            false => Writer::inline(backend),
        }
    }

    fn open(
        self,
        clock: Clock,
        bank: Arc<TestBank>,
        keys: Keys,
        folder: Option<Folder>,
    ) -> TestApp {
        let sealer = Arc::new(Sealer::new(keys).unwrap());
        let (writer, reader, memory): (_, Arc<dyn Reader>, _) = match &folder {
            None => {
                let (backend, reader) = memory::open(self.rules(), Arc::clone(&clock));
                let writer = self.writer(Box::new(backend));
                (writer, Arc::new(reader.clone()), Some(reader))
            }
            Some(folder) => {
                let settings = sqlite::Settings {
                    file: folder.0.join("hub.db"),
                    environment: self.environment.name(),
                    rules: self.rules(),
                    clock: Arc::clone(&clock),
                    witness: Some(folder.0.join("witness")),
                    keys_in_memory: 100,
                };
                let opened = sqlite::open(settings, &sealer).unwrap();
                let writer = self.writer(Box::new(opened.backend));
                (writer, Arc::new(opened.reader), None)
            }
        };
        let reach = match self.environment {
            Environment::Live => Reach::Public,
            Environment::Test => Reach::Test { private: false },
        };
        let parts = Parts {
            writer,
            reader,
            rail: Arc::clone(&bank) as _,
            sealer,
            clock: Arc::clone(&clock),
            environment: self.environment,
            reach,
            key_folder: folder.as_ref().map(Folder::keys),
            calendar: self.calendar,
            operators: Operators::default(),
            till: self.till(),
            cells: Cells::default(),
        };
        let hub = Arc::new(Hub::new(parts).unwrap());
        let (draining, drains) = watch::channel(false);
        let router = api::router(Api::new(api::Parts {
            hub: Arc::clone(&hub),
            limiter: api::call::limiter(self.settings.requests_per_second),
            settings: self.settings.clone(),
            draining: drains,
            bulk: Arc::new(tokio::sync::Semaphore::new(api::bulk::CALLS_MAX)),
            forwarder: elsewhere::Forwarder::new(Duration::from_secs(10)).unwrap(),
        }));
        TestApp { hub, bank, draining, router, memory, clock, folder, setup: self }
    }
}

pub struct TestApp {
    pub hub: Arc<Hub>,
    pub bank: Arc<TestBank>,
    pub draining: watch::Sender<bool>,
    router: axum::Router,
    memory: Option<MemoryReader>,
    clock: Clock,
    folder: Option<Folder>,
    setup: Setup,
}

impl TestApp {
    /// Closes the store in its file and opens it again, with the same bank on the other side.
    pub fn reopen(self) -> TestApp {
        let TestApp { hub, bank, router, clock, folder, setup, .. } = self;
        drop(router);
        hub.writer.close();
        drop(hub);
        let keys = folder.as_ref().unwrap().keys().load().unwrap();
        setup.open(clock, bank, keys, folder)
    }

    pub async fn send(&self, request: HttpRequest<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    /// The answer to a call whose body nobody reads.
    pub async fn unread(&self, request: HttpRequest<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A call with these bytes as its body.
    pub async fn raw(&self, path: &str, bearer: Option<&str>, body: impl Into<Body>) -> Answer {
        self.send(call(path, bearer, body)).await
    }

    pub async fn admin(&self, request: Request) -> Result<Value, AdminError> {
        admin::execute(&self.hub, "kim", request, |_| ()).await
    }

    /// Adds a partner with this key, and funds it.
    async fn add(&self, cst_id: &str, cust_key: &str) {
        let add = admin::request::PartnerAdd {
            cst_id: cst_id.to_owned(),
            name: "(주) 테스트 파트너스".to_owned(),
            cust_key: Some(cust_key.to_owned().into()),
            ..Default::default()
        };
        self.admin(Request::PartnerAdd(add)).await.unwrap();
        self.fund(cst_id, FUNDS, "first").await;
    }

    pub async fn fund(&self, cst_id: &str, amount: i64, reference: &str) {
        let fund = Request::PartnerFund {
            cst_id: cst_id.to_owned(),
            amount: amount.to_string(),
            reference: reference.to_owned(),
            take_back: false,
        };
        self.admin(fund).await.unwrap();
    }

    /// The official test account.
    pub fn test(&self) -> Client<'_> {
        Client { app: self, cst_id: "test".to_owned(), cust_key: CUST_KEY.to_owned() }
    }

    /// One more funded partner.
    pub async fn partner(&self, cst_id: &str) -> Client<'_> {
        let cust_key = format!("key-of-{cst_id}");
        self.add(cst_id, &cust_key).await;
        Client { app: self, cst_id: cst_id.to_owned(), cust_key }
    }

    pub async fn set(&self, cst_id: &str, change: impl FnOnce(&mut admin::request::PartnerSet)) {
        let mut set =
            admin::request::PartnerSet { cst_id: cst_id.to_owned(), ..Default::default() };
        change(&mut set);
        self.admin(Request::PartnerSet(set)).await.unwrap();
    }

    pub async fn suspend(&self, cst_id: &str, suspended: bool) {
        let request = Request::PartnerSuspend { cst_id: cst_id.to_owned(), suspended };
        self.admin(request).await.unwrap();
    }

    pub async fn engine(&self, courier: &Arc<TestCourier>) -> Engine {
        self.engine_with(courier, LIMITS).await
    }

    pub async fn engine_with(&self, courier: &Arc<TestCourier>, limits: Limits) -> Engine {
        Engine::start(&self.hub, Arc::clone(courier) as _, limits).await.unwrap()
    }

    /// Everything that the store holds, as text: equal dumps mean that nothing was written.
    pub fn dump(&self) -> String {
        let rows = self.memory.as_ref().unwrap().rows_now();
        format!(
            "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
            rows.partners,
            rows.ledgers,
            rows.groups,
            rows.keys,
            rows.payouts,
            rows.attempts,
            rows.postings,
            rows.notices,
            rows.events,
            rows.rail,
            rows.billing.payers,
            rows.billing.charges,
            rows.billing.trades,
        )
    }

    /// What has become of the payout under this `distinct_key`, of whichever partner.
    pub fn state(&self, distinct_key: &str) -> State {
        let rows = self.memory.as_ref().unwrap().rows_now();
        rows.state(rows.payouts.values().find(|p| p.distinct_key == distinct_key).unwrap())
    }

    /// The number of the payout under this `distinct_key`.
    pub fn number(&self, distinct_key: &str) -> i64 {
        let rows = self.memory.as_ref().unwrap().rows_now();
        rows.payouts.values().find(|p| p.distinct_key == distinct_key).unwrap().no.0
    }

    /// Lets virtual time pass until the payout is in this state, and says how many milliseconds
    /// that took. Fails after a minute.
    pub async fn until(&self, distinct_key: &str, state: State) -> i64 {
        let began = self.hub.now();
        while self.state(distinct_key) != state {
            let passed = self.hub.now().0 - began.0;
            let now = self.state(distinct_key);
            assert!(passed < 60_000, "{distinct_key} is {now:?}, not {state:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.hub.now().0 - began.0
    }

    /// Claims what is executed and answers for the bank, row by row, without the engine.
    pub async fn settle_by_hand(&self, say: impl Fn(usize) -> Option<BankAnswer>) {
        let mut at = 0;
        for partner in self.hub.reader.working_partners().unwrap() {
            let mut work =
                self.hub.reader.executing_rows(partner, PayoutNo(0), usize::MAX).unwrap();
            for group in self.hub.reader.executing_groups(partner).unwrap() {
                let all = self.hub.reader.unclaimed(group, PayoutNo(0), usize::MAX);
                work.extend(all.unwrap());
            }
            for row in work {
                let (payout, group, key) = (row.payout, row.group, row.key);
                let claim = Command::Claim { payout, partner, group, key };
                let sent = self.hub.submit(Actor::Engine, claim).await.unwrap();
                let answer = say(at);
                at += 1;
                let (Reply::Send(deposit), Some(answer)) = (sent, answer) else { continue };
                let bank_no = deposit.bank_no;
                let asked = Asked::Deposit;
                let sends = deposit.sends;
                let told = Told { payout, partner, key, bank_no, sends, asked, answer };
                let told = Command::Outcome(Box::new(told));
                self.hub.submit(Actor::Engine, told).await.unwrap();
            }
        }
    }
}

/// What the bank says of a deposit that it paid on [`START`]'s day.
pub const SETTLED: BankAnswer =
    BankAnswer::Settled { day: ichae_domain::time::Day(20_261_122), bank_code_sub: 0 };

/// A partner that calls.
#[derive(Clone)]
pub struct Client<'a> {
    pub app: &'a TestApp,
    pub cst_id: String,
    pub cust_key: String,
}

/// A payout that was requested and executed.
pub struct Paid {
    pub key: String,
    pub group: String,
    pub distinct_key: String,
}

impl Client<'_> {
    pub fn no(&self) -> PartnerNo {
        self.app.hub.directory.by_id(&self.cst_id).unwrap().partner.no
    }

    /// The body of a call: who calls, and the rest.
    pub fn body(&self, rest: Value) -> Value {
        let mut body = json!({ "cst_id": self.cst_id, "custKey": self.cust_key });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    }

    pub async fn token(&self) -> String {
        let body = self.body(json!({ "code": "as12345678" })).to_string();
        let answer = self.app.raw("/oauth/token", None, body).await;
        assert_eq!(answer.code(), "T0000", "{}", answer.text);
        answer.get("access_token")
    }

    /// A call with a fresh token.
    pub async fn post(&self, path: &str, rest: Value) -> Answer {
        let token = self.token().await;
        self.app.raw(path, Some(&token), self.body(rest).to_string()).await
    }

    pub async fn check(&self, account: &str) -> Answer {
        self.check_at("020", account).await
    }

    pub async fn check_at(&self, bank: &str, account: &str) -> Answer {
        let body = json!({ "bank_code_std": bank, "account_num": account,
            "account_holder_info_type": "0", "account_holder_info": "880212" });
        self.post("/inquiry/real_name", body).await
    }

    /// The billing key of an account.
    pub async fn key(&self, account: &str) -> String {
        let answer = self.check(account).await;
        assert_eq!(answer.code(), "A0000", "{}", answer.text);
        answer.get("billing_tran_id")
    }

    pub async fn key_at(&self, bank: &str, account: &str) -> String {
        let answer = self.check_at(bank, account).await;
        assert_eq!(answer.code(), "A0000", "{}", answer.text);
        answer.get("billing_tran_id")
    }

    pub async fn ask(&self, key: &str, distinct_key: &str) -> Answer {
        let body = json!({ "distinct_key": distinct_key, "billing_tran_id": key,
            "tran_amt": "1000" });
        self.post("/transfer/request", body).await
    }

    /// Requests 1000 won, and gives the group.
    pub async fn request(&self, key: &str, distinct_key: &str) -> String {
        let answer = self.ask(key, distinct_key).await;
        assert_eq!(answer.code(), "A0000", "{}", answer.text);
        answer.get("group_key")
    }

    pub async fn execute(&self, group: &str, key: &str, how: &str) -> Answer {
        let body = json!({ "group_key": group, "billing_tran_id": key, "execute_type": how,
            "webhook_url": HOOK });
        self.post("/transfer/execute", body).await
    }

    pub async fn execute_all(&self, group: &str) {
        let answer = self.execute(group, "ALL", "NOW").await;
        assert_eq!(answer.code(), "A0000", "{}", answer.text);
    }

    /// Verifies, requests and executes 1000 won to an account.
    pub async fn pay(&self, account: &str, distinct_key: &str) -> Paid {
        let key = self.key(account).await;
        let group = self.request(&key, distinct_key).await;
        self.execute_all(&group).await;
        Paid { key, group, distinct_key: distinct_key.to_owned() }
    }

    /// Requests 1000 won so many times, as `many-0` and so on; past the API, for great numbers.
    pub async fn request_many(&self, key: &str, count: usize) -> String {
        let (hub, partner) = (&self.app.hub, self.no());
        let key = hub.serial(Kind::BillingKey, partner, key).map(KeyNo);
        let mut group = String::new();
        for no in 0..count {
            let request = command::Request {
                partner,
                key,
                amount: Won(1_000),
                sub_id: None,
                distinct_key: format!("many-{no}"),
                print: None,
            };
            let request = Command::Request(Box::new(request));
            match hub.submit(Actor::Partner, request).await.unwrap() {
                Reply::Requested(queued) => group = hub.id(Kind::Group, partner, queued.group.0),
                other => panic!("{other:?}"),
            }
        }
        group
    }

    /// Total, transferred, remaining.
    pub async fn remain(&self) -> (i64, i64, i64) {
        let answer = self.post("/account/remain", json!({})).await;
        let won = |name| answer.get(name).parse().unwrap();
        (won("total_account_amt"), won("total_transfer_amt"), won("remain_amt"))
    }

    /// The row of a payout in its group's results, completed or pending.
    pub async fn row(&self, paid: &Paid) -> Value {
        let body = json!({ "group_key": paid.group });
        let answer = self.post("/transfer/result/group_key", body).await.json();
        let rows = ["res_list", "pending_list"].map(|list| answer[list].as_array().unwrap());
        let rows = rows.into_iter().flatten();
        rows.clone().find(|row| row["distinct_key"] == *paid.distinct_key).unwrap().clone()
    }

    /// The transfer's id of an executed payout.
    pub async fn transfer(&self, paid: &Paid) -> String {
        self.row(paid).await["api_tran_id"].as_str().unwrap().to_owned()
    }
}

/// A POST as a client on [`PEER`] sends it.
pub fn call(path: &str, bearer: Option<&str>, body: impl Into<Body>) -> HttpRequest<Body> {
    let mut request = HttpRequest::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", "application/json")
        .header("cache-control", "no-cache")
        .extension(Peer(PEER));
    if let Some(token) = bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body.into()).unwrap()
}

/// Where calls come from.
pub const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// The paths of the API, each with whether it takes a token.
pub const PATHS: &[(&str, bool)] = &[
    ("/oauth/token", false),
    ("/inquiry/real_name", true),
    ("/transfer/request", true),
    ("/transfer/execute", true),
    ("/account/remain", true),
    ("/request/result/group_key", true),
    ("/transfer/result", true),
    ("/transfer/result/date", true),
    ("/transfer/result/group_key", true),
];
