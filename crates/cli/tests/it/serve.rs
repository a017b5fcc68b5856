//! `ichae serve`: its file, TEST and LIVE, TLS, and its stop.

use crate::process::{Api, Folder, Running, http, json, run, stderr, stdout};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

fn config(data: &Folder, environment: &str, more: &str) -> String {
    let file = data.path().join("ichae.toml");
    let text = format!(
        "environment = \"{environment}\"\ndata = \"{}/hub\"\nkeys = \"{}/keys\"\n\
         [server]\nlisten = \"127.0.0.1:0\"\n[bank]\nrail = \"simulated\"\n{more}",
        data.text(),
        data.text()
    );
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_mistake_in_the_file_is_told_with_file_and_line() {
    let data = Folder::new("config");
    let file = data.path().join("ichae.toml");
    for (text, told) in [
        ("environment = \"test\"\nfoo = 1\n", "line 2"),
        ("environment = \"prod\"\n", "line 1"),
        ("environment = \"test\"\n", "data"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = run(&["serve", "--config", file.to_str().unwrap()]);
        assert!(!refused.status.success());
        let error = stderr(&refused);
        assert!(error.contains("ichae.toml") && error.contains(told), "{error}");
    }
    let missing = run(&["serve", "--config", "/nonexistent/ichae.toml"]);
    assert!(stderr(&missing).contains("ichae config sample"));
    let sample = stdout(&run(&["config", "sample"]));
    std::fs::write(&file, sample).unwrap();
    assert!(run(&["config", "check", file.to_str().unwrap()]).status.success());
}

#[test]
fn live_serves_its_partners_and_refuses_the_test_store() {
    let data = Folder::new("live-serve");
    let file = config(&data, "live", "");
    let at = ["--config", file.as_str()];
    let made = json(&[&["partner", "add", "shop", "--name", "상점"][..], &at].concat());
    json(&[&["partner", "fund", "shop", "5000", "--reference", "r"][..], &at].concat());
    let running = Running::start(&["serve", "--config", &file]);
    let cust_key = made["cust_key"].as_str().unwrap().to_owned();
    let api = Api { address: &running.address, cst_id: "shop", cust_key };
    let key = api.key("1234567890");
    let more = format!(r#","billing_tran_id":"{key}","tran_amt":"4321""#);
    let made = api.call("/transfer/request", &more);
    assert_eq!(made["result"], "A0000", "LIVE takes any amount: {made}");
    let group = made["group_key"].as_str().unwrap().to_owned();
    assert_eq!(api.execute(&group, "NOW")["result"], "A0000", "and ignores webhook_url");
    assert_eq!(api.settled(&group)["res_cnt"], "1");
    assert!(running.terminate());
    let test = config(&data, "test", "");
    let refused = run(&["serve", "--config", &test]);
    assert!(stderr(&refused).contains("was made for live"), "{}", stderr(&refused));
}

#[test]
fn tls_is_served_where_a_certificate_is_named() {
    let data = Folder::new("tls");
    let (cert, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .unwrap();
    assert!(made.status.success());
    let tls = format!(
        "[tls]\ncertificate = \"{}\"\nprivate_key = \"{}\"\n",
        cert.display(),
        key.display()
    );
    let file = config(&data, "test", &tls);
    let running = Running::start(&["serve", "--config", &file]);
    let url = format!("https://{}/livez", running.address);
    let answer =
        Command::new("curl").args(["-s", "--cacert"]).arg(&cert).arg(&url).output().unwrap();
    assert_eq!(String::from_utf8(answer.stdout).unwrap(), "ok\n");
    drop(running);
    let broken = config(&data, "test", &tls.replace("key.pem", "cert.pem"));
    let refused = run(&["serve", "--config", &broken]);
    assert!(stderr(&refused).contains("private key"), "{}", stderr(&refused));
}

/// One call on a connection that is kept. Whether the answer says that it was the last.
fn ends(kept: &mut BufReader<TcpStream>, address: &str) -> bool {
    let look = format!("GET /livez HTTP/1.1\r\nHost: {address}\r\n\r\n");
    kept.get_mut().write_all(look.as_bytes()).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(kept.read_line(&mut head).unwrap(), 0, "cut without an answer: {head}");
    }
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-length: 3"), "{head}");
    kept.read_exact(&mut [0; 3]).unwrap();
    head.contains("connection: close")
}

/// SIGTERM drains: what was begun is answered, what is new is told to come back.
#[test]
fn a_stop_cuts_no_request() {
    let data = Folder::new("drain");
    let file = config(&data, "test", "");
    let mut running = Running::start(&["serve", "--config", &file]);
    // Else what it logs of many calls would fill the pipe, and it would wait.
    let heard = running.hear();
    let address = running.address.clone();
    let mut stream = TcpStream::connect(&address).unwrap();
    let body = r#"{"cst_id":"x","custKey":"y","code":"as12345678"}"#;
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // The head is taken, so the request has begun.
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..10]).unwrap();
    assert_eq!(http(&address, "GET", "/readyz", "", "").0, 200);
    // Kept open: one call after the other, as a caller's pool does.
    let mut kept = BufReader::new(TcpStream::connect(&address).unwrap());
    let stopping = std::thread::spawn(move || running.terminate());
    while !ends(&mut kept, &address) {}
    stream.write_all(&body.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("T0300"), "{answer}");
    assert!(stopping.join().unwrap(), "it ends in order");
    heard.join().unwrap();
}
