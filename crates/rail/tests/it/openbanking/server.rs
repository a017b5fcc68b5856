//! A bank on this machine: plain TCP, so that it can answer, be silent, break off or flood.

use super::samples::ID;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

pub const TOKEN: &str = "/oauth/2.0/token";
pub const DEPOSIT: &str = "/v2.0/transfer/deposit/acnt_num";

#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub bearer: Option<String>,
    pub body: String,
}

pub enum Act {
    Reply(u16, String),
    /// A reply, after as many requests have come together as the barrier wants.
    Together(Arc<Barrier>, String),
    /// A redirect to this same server.
    Redirect,
    /// Closes without a word.
    Close,
    /// Half of a body, then closes.
    Cut,
    /// Never answers.
    Silence,
    /// Half of a body, then nothing more.
    Stall,
    /// More bytes than an answer may have.
    Flood(usize),
}

/// Says what to do with a request that is the n-th of its path, from 0.
type Plan = dyn Fn(&Request, usize) -> Act + Send + Sync;

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    counts: HashMap<String, usize>,
    inside: usize,
    most_inside: usize,
}

pub struct Bank {
    pub url: String,
    log: Arc<Mutex<Log>>,
    listening: JoinHandle<()>,
}

impl Bank {
    pub async fn start(plan: impl Fn(&Request, usize) -> Act + Send + Sync + 'static) -> Bank {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (plan, log): (Arc<Plan>, _) = (Arc::new(plan), Arc::new(Mutex::new(Log::default())));
        let shared = log.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, plan.clone(), shared.clone()));
            }
        });
        Bank { url, log, listening }
    }

    /// Gives tokens, and answers everything else by `plan`.
    pub async fn with_tokens(
        plan: impl Fn(&Request, usize) -> Act + Send + Sync + 'static,
    ) -> Bank {
        let plan = move |request: &Request, n: usize| {
            if request.path == TOKEN { token(n, 7_776_000) } else { plan(request, n) }
        };
        Bank::start(plan).await
    }

    /// Stops listening; its port then refuses.
    pub async fn stop(self) {
        self.listening.abort();
        assert!(self.listening.await.unwrap_err().is_cancelled());
    }

    pub fn requests(&self, path: &str) -> Vec<Request> {
        let log = self.log.lock().unwrap();
        log.requests.iter().filter(|r| r.path == path).cloned().collect()
    }

    pub fn all(&self) -> usize {
        self.log.lock().unwrap().requests.len()
    }

    /// Requests that were being answered at the same time, at most.
    pub fn most_inside(&self) -> usize {
        self.log.lock().unwrap().most_inside
    }
}

/// The n-th token.
pub fn token(n: usize, seconds: u64) -> Act {
    let token = json!({
        "access_token": format!("token-{n}"),
        "token_type": "Bearer",
        "expires_in": seconds,
        "client_use_code": "M202112389",
    });
    Act::Reply(200, token.to_string())
}

/// Settles whatever it is asked to pay.
pub fn settle(request: &Request) -> Act {
    let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    let asked = &asked["req_list"][0];
    let entry = json!({
        "bank_tran_id": asked["bank_tran_id"],
        "bank_tran_date": "20211023",
        "bank_rsp_code": "000",
        "bank_code_sub": "0201234",
        "account_num": asked["account_num"],
        "tran_amt": asked["tran_amt"],
    });
    Act::Reply(200, json!({ "rsp_code": "A0000", "res_list": [entry] }).to_string())
}

pub fn rsp(code: &str) -> Act {
    Act::Reply(200, json!({ "rsp_code": code }).to_string())
}

/// What a check is answered: about account `ID`'s own check unless another id is given.
pub fn account(id: Option<&str>, rsp: &str, bank: &str) -> String {
    let answer = json!({
        "rsp_code": rsp,
        "bank_tran_id": id.unwrap_or(ID),
        "bank_tran_date": "20211023",
        "bank_rsp_code": bank,
        "account_holder_name": "홍길동",
    });
    answer.to_string()
}

async fn serve(mut stream: TcpStream, plan: Arc<Plan>, log: Arc<Mutex<Log>>) {
    let Some(request) = read(&mut stream).await else { return };
    let n = {
        let mut log = log.lock().unwrap();
        log.requests.push(request.clone());
        log.inside += 1;
        log.most_inside = log.most_inside.max(log.inside);
        let count = log.counts.entry(request.path.clone()).or_default();
        *count += 1;
        *count - 1
    };
    let act = plan(&request, n);
    let leave = || log.lock().unwrap().inside -= 1;
    match act {
        Act::Reply(status, body) => {
            leave();
            write(&mut stream, status, "", body.as_bytes(), body.len()).await;
        }
        Act::Together(barrier, body) => {
            barrier.wait().await;
            leave();
            write(&mut stream, 200, "", body.as_bytes(), body.len()).await;
        }
        Act::Redirect => write(&mut stream, 302, "location: /elsewhere\r\n", b"", 0).await,
        Act::Close => {}
        Act::Cut => write(&mut stream, 200, "", b"{\"rsp", 100).await,
        Act::Silence => std::future::pending().await,
        Act::Stall => {
            write(&mut stream, 200, "", b"{\"rsp", 100).await;
            std::future::pending().await
        }
        Act::Flood(bytes) => write(&mut stream, 200, "", &vec![b' '; bytes], bytes).await,
    }
}

async fn write(stream: &mut TcpStream, status: u16, extra: &str, body: &[u8], length: usize) {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{extra}\r\n"
    );
    // Whoever has stopped listening has heard enough.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
    let _ = stream.flush().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned())
    };
    let length: usize = header("content-length").map_or(0, |text| text.parse().unwrap());
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let bearer = header("authorization").map(|text| text.replace("Bearer ", ""));
    let body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
    Some(Request { path, bearer, body })
}
