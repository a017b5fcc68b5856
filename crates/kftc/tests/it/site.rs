//! A simulator of a test's own, on a clock that the test turns.

use ichae_domain::time::Time;
use ichae_kftc::{CLIENT_ID, CLIENT_SECRET, Plan, Settings, Simulator, Summary, read_journal};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// 2026-11-24 12:00:00 in Seoul.
pub const NOON: i64 = 1_795_489_200_000;
pub const TODAY: &str = "20261124";
pub const PLAIN: &str = "1234567890";

pub struct Site {
    folder: PathBuf,
    now: Arc<AtomicI64>,
    pub simulator: Option<Simulator>,
    pub client: reqwest::Client,
    pub token: String,
}

/// A row of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub id: String,
    pub date: i64,
    pub amount: i64,
    pub known: bool,
    pub paid: bool,
    pub returned: bool,
    pub code: String,
    pub fault: Option<String>,
    pub at: i64,
}

impl Site {
    pub async fn start(plan: &str) -> Site {
        Site::with(plan, |settings| settings).await
    }

    pub async fn with(plan: &str, change: impl FnOnce(Settings) -> Settings) -> Site {
        let folder = std::env::temp_dir().join(format!("kftc-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let mut site = Site {
            folder,
            now: Arc::new(AtomicI64::new(NOON)),
            simulator: None,
            // A connection for each call: what happens to one concerns no other.
            client: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            token: String::new(),
        };
        site.open(plan, change).await;
        site
    }

    /// Starts a simulator on the folder, and takes a token.
    pub async fn open(&mut self, plan: &str, change: impl FnOnce(Settings) -> Settings) {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let now = Arc::clone(&self.now);
        let mut settings = Settings::sandbox(anywhere, self.journal());
        settings.clock = Arc::new(move || Time(now.load(Ordering::SeqCst)));
        settings.plan = Plan::parse(plan).unwrap();
        self.simulator = Some(Simulator::start(change(settings)).await.unwrap());
        self.token = self.new_token().await;
    }

    pub async fn close(&mut self) {
        self.simulator.take().unwrap().stop().await;
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.join("bank.db")
    }

    pub fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn address(&self) -> SocketAddr {
        self.simulator.as_ref().unwrap().address()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub async fn ask_token(&self, form: &'static str) -> Value {
        let call = self.client.post(self.url("/oauth/2.0/token")).body(form);
        let kind = "application/x-www-form-urlencoded";
        call.header("content-type", kind).send().await.unwrap().json().await.unwrap()
    }

    pub async fn new_token(&self) -> String {
        assert_eq!((CLIENT_ID, CLIENT_SECRET), ("sandbox", "sandbox-secret"));
        let form = "client_id=sandbox&client_secret=sandbox-secret&scope=oob\
                    &grant_type=client_credentials";
        let answer = self.ask_token(form).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub async fn send(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        self.client.post(self.url(path)).bearer_auth(&self.token).json(body).send().await
    }

    /// A call that is answered with HTTP 200 and JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.send(path, body).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub async fn deposit(&self, n: u32, account: &str) -> Value {
        self.post(DEPOSIT, &deposit(n, account)).await
    }

    pub async fn inquire(&self, asked: &[(u32, &str, i64)]) -> Value {
        self.post("/v2.0/transfer/result", &inquiry(asked)).await
    }

    /// Writes a deposit to a socket and reads until its end.
    pub async fn raw_deposit(&self, n: u32, account: &str) -> std::io::Result<String> {
        let body = deposit(n, account).to_string();
        let head = format!(
            "POST {DEPOSIT} HTTP/1.1\r\nhost: bank\r\nauthorization: Bearer {}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address()).await?;
        stream.write_all((head + &body).as_bytes()).await?;
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await?;
        Ok(String::from_utf8_lossy(&got).into_owned())
    }

    pub async fn control(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let call = self.client.request(method, self.url(&format!("/control/{path}")));
        let answer = call.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The journal in numbers, once what is due by the test's clock is done.
    pub async fn summary(&self) -> Summary {
        let (status, text) = self.control("GET", "journal", "").await;
        assert_eq!(status, 200, "{text}");
        let summary = read_journal(&self.journal()).unwrap();
        let said: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said, json!(summary), "both ways to read it agree");
        summary
    }

    pub fn rows(&self) -> Vec<Row> {
        let db = rusqlite::Connection::open(self.journal()).unwrap();
        let mut read = db
            .prepare(
                "SELECT bank_tran_id, bank_tran_date, tran_amt, known, paid, returned, code, \
                 fault, at FROM calls ORDER BY no",
            )
            .unwrap();
        let rows = read.query_map([], |row| {
            Ok(Row {
                id: row.get(0)?,
                date: row.get(1)?,
                amount: row.get(2)?,
                known: row.get(3)?,
                paid: row.get(4)?,
                returned: row.get(5)?,
                code: row.get(6)?,
                fault: row.get(7)?,
                at: row.get(8)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    pub fn row(&self) -> Row {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Left behind at worst.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub const DEPOSIT: &str = "/v2.0/transfer/deposit/acnt_num";

pub fn id(n: u32) -> String {
    format!("M202112389U{n:09}")
}

pub fn deposit(n: u32, account: &str) -> Value {
    json!({
        "cntr_account_type": "N",
        "cntr_account_num": "1101234567890",
        "wd_pass_phrase": "NONE",
        "wd_print_content": "지급",
        "name_check_option": "on",
        "tran_dtime": "20261124120000",
        "req_cnt": "1",
        "req_list": [{
            "tran_no": "1",
            "bank_tran_id": id(n),
            "bank_code_std": "004",
            "account_num": account,
            "account_holder_name": "홍길동",
            "print_content": "급여",
            "tran_amt": "1000",
            "req_client_name": "이체",
            "req_client_bank_code": "097",
            "req_client_account_num": "1101234567890",
            "req_client_num": "HUB1",
            "transfer_purpose": "TR",
        }],
    })
}

/// A question about (number, date, amount) each.
pub fn inquiry(asked: &[(u32, &str, i64)]) -> Value {
    let entry = |(at, (n, date, amount)): (usize, &(u32, &str, i64))| {
        json!({
            "tran_no": (at + 1).to_string(),
            "org_bank_tran_id": id(*n),
            "org_bank_tran_date": date,
            "org_tran_amt": amount.to_string(),
        })
    };
    json!({
        "check_type": "2",
        "tran_dtime": "20261124120000",
        "req_cnt": asked.len().to_string(),
        "req_list": asked.iter().enumerate().map(entry).collect::<Vec<_>>(),
    })
}

/// The code outside and the code in the only item.
pub fn codes(answer: &Value) -> (&str, &str) {
    let items = answer["res_list"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(items.len() <= 1, "{answer}");
    let inside = items.first().map_or("", |item| item["bank_rsp_code"].as_str().unwrap());
    (answer["rsp_code"].as_str().unwrap(), inside)
}

/// A plan in which the faults strike the plain account, one deposit after the other.
pub fn script(faults: &[&str]) -> String {
    format!("[[account]]\nnumber = \"{PLAIN}\"\nfaults = {faults:?}\n")
}
