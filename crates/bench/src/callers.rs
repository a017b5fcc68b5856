//! What the load says: one caller for each endpoint that is measured.

use crate::BenchError;
use crate::http::{self, Answer, Connection};
use crate::load::Caller;
use crate::site::{AMOUNT, Client, scatter};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

/// Asks for tokens.
pub struct TokenCaller {
    body: String,
}

impl TokenCaller {
    pub fn new(client: &Client) -> TokenCaller {
        TokenCaller { body: token_body(client) }
    }
}

fn token_body(client: &Client) -> String {
    let Client { cst_id, cust_key, .. } = client;
    format!(r#"{{"cst_id":"{cst_id}","custKey":"{cust_key}","code":"as12345678"}}"#)
}

impl Caller for TokenCaller {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        http::post(out, "/oauth/token", "", self.body.as_bytes());
        true
    }

    fn heard(&mut self, answer: &Answer<'_>) -> bool {
        answer.succeeded()
    }
}

/// The head of a call with a token.
pub async fn authorized(address: SocketAddr, client: &Client) -> Result<String, BenchError> {
    let mut request = Vec::new();
    http::post(&mut request, "/oauth/token", "", token_body(client).as_bytes());
    let mut connection = Connection::open(address).await?;
    let answer = connection.exchange(&request).await?;
    let token = http::field(answer.body, "access_token").ok_or(BenchError::Unreadable)?;
    Ok(format!("authorization: Bearer {token}\r\n"))
}

/// A random-looking key that no other call of this process uses.
fn fresh(next: &RefCell<u64>) -> u64 {
    let mut next = next.borrow_mut();
    *next += 1;
    scatter(*next)
}

/// Requests payouts, each under a new random `distinct_key`.
pub struct RequestCaller {
    head: String,
    before: String,
    next: Rc<RefCell<u64>>,
    body: Vec<u8>,
    /// Set from outside: it has said enough.
    done: Rc<Cell<bool>>,
}

impl RequestCaller {
    /// `head` is [`authorized`]'s; `next` is shared by all callers of a process.
    pub fn new(client: &Client, head: &str, next: &Rc<RefCell<u64>>) -> RequestCaller {
        let Client { cst_id, cust_key, key, .. } = client;
        let before = format!(
            r#"{{"cst_id":"{cst_id}","custKey":"{cust_key}","billing_tran_id":"{key}","tran_amt":"{AMOUNT}","print_content":"정산","distinct_key":""#
        );
        RequestCaller {
            head: head.to_owned(),
            before,
            next: Rc::clone(next),
            body: Vec::with_capacity(256),
            done: Rc::default(),
        }
    }

    /// Ends once `done` is set.
    #[must_use]
    pub fn until(mut self, done: &Rc<Cell<bool>>) -> RequestCaller {
        self.done = Rc::clone(done);
        self
    }
}

impl Caller for RequestCaller {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        self.body.clear();
        self.body.extend_from_slice(self.before.as_bytes());
        let key = fresh(&self.next);
        self.body.extend_from_slice(format!("{key:016x}\"}}").as_bytes());
        http::post(out, "/transfer/request", &self.head, &self.body);
        !self.done.get()
    }

    fn heard(&mut self, answer: &Answer<'_>) -> bool {
        answer.succeeded()
    }
}

/// Asks the same thing again and again: what is left, or what became of a payout.
pub struct ReadCaller {
    request: Vec<u8>,
}

impl ReadCaller {
    pub fn remain(client: &Client, head: &str) -> ReadCaller {
        ReadCaller::post(client, head, "/account/remain", "")
    }

    pub fn result(client: &Client, head: &str, api_tran_id: &str) -> ReadCaller {
        let more = format!(r#","api_tran_id":"{api_tran_id}""#);
        ReadCaller::post(client, head, "/transfer/result", &more)
    }

    fn post(client: &Client, head: &str, path: &str, more: &str) -> ReadCaller {
        let Client { cst_id, cust_key, .. } = client;
        let body = format!(r#"{{"cst_id":"{cst_id}","custKey":"{cust_key}"{more}}}"#);
        let mut request = Vec::new();
        http::post(&mut request, path, head, body.as_bytes());
        ReadCaller { request }
    }
}

impl Caller for ReadCaller {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        out.extend_from_slice(&self.request);
        true
    }

    fn heard(&mut self, answer: &Answer<'_>) -> bool {
        answer.succeeded()
    }
}

/// Looks payers' keys up, one after another.
pub struct KeyCaller {
    requests: Vec<Vec<u8>>,
    at: usize,
}

impl KeyCaller {
    /// What follow-up calls begin with, up to the payer's id.
    pub async fn session(address: SocketAddr, client: &Client) -> Result<String, BenchError> {
        let Client { cst_id, cust_key, .. } = client;
        let body =
            format!(r#"{{"cst_id":"{cst_id}","custKey":"{cust_key}","PCD_PAY_WORK":"PUSERINFO"}}"#);
        let mut request = Vec::new();
        http::post(&mut request, "/php/auth.php", "", body.as_bytes());
        let mut connection = Connection::open(address).await?;
        let answer = connection.exchange(&request).await?;
        let key = http::field(answer.body, "AuthKey").ok_or(BenchError::Unreadable)?;
        Ok(format!(
            r#"{{"PCD_CST_ID":"{cst_id}","PCD_CUST_KEY":"{cust_key}","PCD_AUTH_KEY":"{key}","PCD_PAYER_ID":""#
        ))
    }

    pub fn new(session: &str, ids: impl Iterator<Item = String>) -> KeyCaller {
        let request = |id: String| {
            let mut request = Vec::new();
            let body = format!("{session}{id}\"}}");
            let path = "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO";
            http::post(&mut request, path, "", body.as_bytes());
            request
        };
        KeyCaller { requests: ids.map(request).collect(), at: 0 }
    }
}

impl Caller for KeyCaller {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        self.at = (self.at + 1) % self.requests.len();
        out.clear();
        out.extend_from_slice(&self.requests[self.at]);
        true
    }

    fn heard(&mut self, answer: &Answer<'_>) -> bool {
        answer.found()
    }
}

/// Requests, and asks at once what is left: both answers must say the same.
pub struct FollowCaller {
    writes: RequestCaller,
    reads: ReadCaller,
    /// What the last request was told remains; `None` while the next call is a request.
    left: Option<String>,
    /// Requests that were made, of all callers together.
    pub requests: Rc<RefCell<u64>>,
}

impl FollowCaller {
    pub fn new(client: &Client, head: &str, next: &Rc<RefCell<u64>>) -> FollowCaller {
        FollowCaller {
            writes: RequestCaller::new(client, head, next),
            reads: ReadCaller::remain(client, head),
            left: None,
            requests: Rc::default(),
        }
    }
}

impl Caller for FollowCaller {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        match self.left {
            None => self.writes.next(out),
            Some(_) => self.reads.next(out),
        }
    }

    fn heard(&mut self, answer: &Answer<'_>) -> bool {
        let left = http::field(answer.body, "remain_amt");
        match self.left.take() {
            None => {
                self.left = left.map(str::to_owned);
                *self.requests.borrow_mut() += 1;
                answer.succeeded()
            }
            Some(told) => left == Some(told.as_str()),
        }
    }
}

/// Several partners on one connection, one after the other.
pub struct Turns {
    callers: Vec<RequestCaller>,
    at: usize,
}

impl Turns {
    pub fn new(callers: Vec<RequestCaller>) -> Turns {
        Turns { callers, at: 0 }
    }
}

impl Caller for Turns {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        self.at = (self.at + 1) % self.callers.len();
        self.callers[self.at].next(out)
    }

    fn heard(&mut self, answer: &Answer<'_>) -> bool {
        self.callers[self.at].heard(answer)
    }
}
