//! Starting the binary, asking it, and ending it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

pub fn ichae() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ichae"));
    for name in ["ICHAE_DATA", "ICHAE_CONFIG", "ICHAE_WEBHOOK_SECRET", "ICHAE_OPERATOR_KEY"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub fn run(args: &[&str]) -> Output {
    ichae().args(args).stdin(Stdio::null()).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a command that must succeed, and gives its data.
pub fn json(args: &[&str]) -> serde_json::Value {
    let output = run(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder of this test, removed with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let no = NEXT.fetch_add(1, Ordering::SeqCst);
        let path =
            std::env::temp_dir().join(format!("ichae-it-{}-{no}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that this test started; killed with it.
pub struct Running {
    child: Child,
    pub greeting: Vec<String>,
    pub address: String,
}

impl Running {
    /// Starts it and reads its first line, which names the address.
    pub fn start(args: &[&str]) -> Running {
        let mut child = ichae()
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_else(|| {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("it did not start: {error}")
        });
        let address = first.rsplit("://").next().unwrap().to_owned();
        let mut greeting = vec![first];
        if ["sandbox", "bank"].contains(&args[0]) {
            let last = |line: &String| line.ends_with("Ctrl-C stops it.");
            greeting.extend(lines.by_ref().map_while(Result::ok).take_while(|l| !last(l)));
        }
        Running { child, greeting, address }
    }

    pub fn sandbox(data: &Folder, more: &[&str]) -> Running {
        let args = ["sandbox", "--listen", "127.0.0.1:0", "--data", data.text()];
        Running::start(&[&args, more].concat())
    }

    /// As a machine that loses power to this process: no chance to tidy up.
    pub fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its exit in order.
    pub fn terminate(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }

    /// Reads what it writes to its standard error, from now to its end.
    pub fn hear(&mut self) -> std::thread::JoinHandle<String> {
        let mut error = self.child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut heard = String::new();
            error.read_to_string(&mut heard).unwrap();
            heard
        })
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn api(&self) -> Api<'_> {
        Api { address: &self.address, cst_id: "test", cust_key: "abcd1234567890".to_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of the API, over plain sockets.
pub struct Api<'a> {
    pub address: &'a str,
    pub cst_id: &'a str,
    pub cust_key: String,
}

impl Api<'_> {
    /// Status and body of a POST without a token.
    pub fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        http(self.address, "POST", path, headers, body)
    }

    pub fn token(&self) -> String {
        let answer = self.call_with("", "/oauth/token", r#","code":"as12345678""#);
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A call with a fresh token; `more` is the rest of the body, from its comma on.
    pub fn call(&self, path: &str, more: &str) -> serde_json::Value {
        let header = format!("Authorization: Bearer {}\r\n", self.token());
        self.call_with(&header, path, more)
    }

    fn call_with(&self, headers: &str, path: &str, more: &str) -> serde_json::Value {
        let (id, key) = (self.cst_id, &self.cust_key);
        let body = format!(r#"{{"cst_id":"{id}","custKey":"{key}"{more}}}"#);
        let (status, answer) = self.post(path, headers, &body);
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }

    pub fn key(&self, account: &str) -> String {
        let more = format!(
            r#","bank_code_std":"020","account_num":"{account}","account_holder_info_type":"0","account_holder_info":"880212""#
        );
        let answer = self.call("/inquiry/real_name", &more);
        answer["billing_tran_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub fn request(&self, key: &str, distinct: &str) -> serde_json::Value {
        let more =
            format!(r#","billing_tran_id":"{key}","tran_amt":"1000","distinct_key":"{distinct}""#);
        self.call("/transfer/request", &more)
    }

    pub fn execute(&self, group: &str, kind: &str) -> serde_json::Value {
        let more = format!(
            r#","group_key":"{group}","billing_tran_id":"ALL","execute_type":"{kind}","webhook_url":"http://127.0.0.1:9/""#
        );
        self.call("/transfer/execute", &more)
    }

    pub fn remain(&self) -> String {
        self.call("/account/remain", "")["remain_amt"].as_str().unwrap().to_owned()
    }

    /// Asks until a group has nothing under way any more.
    pub fn settled(&self, group: &str) -> serde_json::Value {
        for _ in 0..2_000 {
            let more = format!(r#","group_key":"{group}""#);
            let answer = self.call("/transfer/result/group_key", &more);
            if answer["result"] == "A0000" && answer["pending_cnt"] == "0" {
                return answer;
            }
            std::thread::yield_now();
        }
        panic!("group {group} did not end")
    }
}

pub fn http(address: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { unchunk(body) } else { body.to_owned() })
}

fn unchunk(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        out.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    out
}
