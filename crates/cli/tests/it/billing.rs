//! Billing keys with the binary as a user runs it.

use crate::process::{Api, Folder, Running, ichae, json, run, stderr};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const REFUND_KEY: &str = "a41ce010ede9fcbfb3be86b24858806596a9db68b79d138b147c3e563e1829a0";
const CARD_KEY: &str = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09";
const ACCOUNT_KEY: &str = "d0toSS9sT084bVJSNThScnFXQm9Gdz09";
const USER: &str = "/php/cPayUser/api/cPayUserAct.php";
/// Values that stand nowhere else.
const CARD: &str = "4929718264310057";
const ACCOUNT: &str = "338120947716";
const BIRTH: &str = "930417";
const BUSINESS: &str = "7281930465";
const PHONE: &str = "01098127745";
const HOLDER: &str = "남궁비밀";
const EMAIL: &str = "nobody-may-see@example.com";
const GOODS: &str = "비밀스러운상품";
const ID_NUMBER: &str = "01055443322";

fn auth(api: &Api<'_>, flags: &str) -> Value {
    let body = format!(r#"{{"cst_id":"test","custKey":"abcd1234567890"{flags}}}"#);
    let (status, text) = api.post("/php/auth.php", "Content-Type: application/json\r\n", &body);
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

fn follow(api: &Api<'_>, path: &str, rest: Value) -> Value {
    let session = auth(api, r#","PCD_PAY_WORK":"PUSERINFO""#);
    let mut body = json!({ "PCD_CST_ID": session["cst_id"], "PCD_CUST_KEY": session["custKey"],
        "PCD_AUTH_KEY": session["AuthKey"] });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    let (status, text) = api.post(path, "Content-Type: application/json;\r\n", &body.to_string());
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn registration() -> Value {
    json!({ "PCD_PAY_WORK": "AUTHREG", "PCD_PAY_TYPE": "card", "PCD_PAYER_NAME": HOLDER,
        "PCD_PAYER_BIRTH": BIRTH, "PCD_PAYER_HP": PHONE, "PCD_PAYER_EMAIL": EMAIL,
        "PCD_PAY_CARDNUM": CARD, "PCD_PAY_CARDEXYEAR": "39", "PCD_PAY_CARDEXMONTH": "11",
        "PCD_PAY_CARDPW": "71" })
}

fn pay(api: &Api<'_>, key: &str, oid: &str) -> Value {
    let rest = json!({ "PCD_PAYER_ID": key, "PCD_PAY_GOODS": GOODS, "PCD_PAY_OID": oid,
        "PCD_PAY_TOTAL": "15000", "PCD_SIMPLE_FLAG": "Y", "PCD_PAYER_EMAIL": EMAIL });
    follow(api, "/php/SimplePayCardAct.php?ACT_=PAYM", rest)
}

/// Gives the card data on the standard input, as the guide says.
fn add(data: &Folder, details: &Value) -> Value {
    let mut child = ichae()
        .args(["billing", "add", "test", "--details", "-", "--data", data.text(), "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(details.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_documents_requests_can_be_pasted() {
    let running = Running::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    assert!(running.greeting.join("\n").contains(CARD_KEY));
    let api = running.api();
    let session = auth(&api, r#","PCD_PAY_WORK":"PUSERINFO""#);
    let url = format!("http://{}{USER}?ACT_=PUSERINFO", running.address);
    assert_eq!((&session["result"], &session["return_url"]), (&json!("success"), &json!(url)));
    let path = format!("{USER}?ACT_=PUSERINFO");
    let card = follow(&api, &path, json!({ "PCD_PAYER_ID": CARD_KEY }));
    assert_eq!((&card["PCD_PAY_CODE"], &card["PCD_PAY_ISTAX"]), (&json!("0000"), &json!("Y")));
    assert_eq!(card["PCD_PAY_CARDNUM"], "1111-****-****-2222");
    let account = follow(&api, &path, json!({ "PCD_PAYER_ID": ACCOUNT_KEY }));
    assert_eq!(account["PCD_PAY_BANKNUM"], "123-********-021");
    assert_eq!(account.get("PCD_PAY_ISTAX"), None);
    assert_eq!(pay(&api, CARD_KEY, "o-1")["PCD_PAY_CODE"], "SPCD0000");
    let rest = json!({ "PCD_REFUND_KEY": REFUND_KEY, "PCD_PAYCANCEL_FLAG": "Y",
        "PCD_PAY_OID": "o-1", "PCD_PAY_DATE": today(&api), "PCD_REFUND_TOTAL": "5000" });
    let refunded = follow(&api, "/php/account/api/cPayCAct.php", rest);
    assert_eq!(refunded["PCD_PAY_CODE"], "PAYC0000", "{refunded}");
}

/// The hub's day in Seoul.
fn today(api: &Api<'_>) -> String {
    let answer = api.call("/account/remain", "");
    answer["api_tran_dtm"].as_str().unwrap()[..8].to_owned()
}

/// Figure 20 for cards: whatever was done with them, no file has a number, a birth date or a name.
#[test]
fn nothing_of_a_card_or_a_person_is_in_any_file() {
    let data = Folder::new("cards");
    let log = data.path().join("log.txt");
    let mut running = Running::sandbox(&data, &["--log", "trace"]);
    let heard = running.hear();
    let api = running.api();
    let card = follow(&api, &format!("{USER}?ACT_=AUTHREG"), registration());
    assert_eq!(card["PCD_PAY_CODE"], "CDAU0000", "{card}");
    let key = card["PCD_PAYER_ID"].as_str().unwrap();
    assert_eq!(pay(&api, key, "o-1")["PCD_PAY_CODE"], "SPCD0000");
    let details = json!({ "method": "account", "number": ACCOUNT, "holder": HOLDER,
        "birth": BUSINESS, "phone": PHONE, "bank": "081" });
    let account = add(&data, &details);
    let account = account["payer_id"].as_str().unwrap();
    let rest = json!({ "PCD_PAYER_ID": account, "PCD_PAY_GOODS": GOODS, "PCD_PAY_OID": "a-1",
        "PCD_PAY_TOTAL": 15000, "PCD_SIMPLE_FLAG": "Y", "PCD_TAXSAVE_FLAG": "Y",
        "PCD_TAXSAVE_TRADE": "personal", "PCD_TAXSAVE_IDNUM": ID_NUMBER });
    let paid = follow(&api, "/php/SimplePayAct.php?ACT_=PAYM", rest);
    assert_eq!(paid["PCD_TAXSAVE_RST"], "Y", "{paid}");
    let mut wrong = registration();
    wrong["PCD_PAY_CARDPW"] = "x".into();
    let refused = follow(&api, &format!("{USER}?ACT_=AUTHREG"), wrong);
    assert_eq!(refused["PCD_PAY_CODE"], "CDAUCK06");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let backup = data.path().join("backup");
    let backup = backup.to_str().unwrap();
    let saved = run(&["backup", "--data", data.text(), "--to", backup]);
    assert!(saved.status.success(), "{}", stderr(&saved));
    json(&["key", "rotate", "--data", data.text()]);
    let explained = json(&["billing", "explain", "test", "a-1", "--data", data.text()]);
    let listed = json(&["billing", "list", "test", "--data", data.text()]);
    let events = json(&["events", "--data", data.text()]);
    let metrics = api.post("/metrics", "", "").1;
    assert!(running.terminate());
    let heard = heard.join().unwrap();
    std::fs::write(&log, format!("{heard}{explained}{listed}{events}{metrics}")).unwrap();
    assert!(heard.contains("/php/SimplePayCardAct.php"), "the log was heard");
    let mut files = Vec::new();
    all_files(data.path(), &mut files);
    assert!(files.iter().any(|file| file.ends_with("acquirer.db")), "{files:?}");
    let planted = [CARD, ACCOUNT, BIRTH, BUSINESS, PHONE, HOLDER, EMAIL, GOODS, ID_NUMBER];
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for secret in planted {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.display());
        }
    }
}

fn all_files(below: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all_files(&path, out),
            false if path.extension().is_some_and(|ending| ending == "sock") => {}
            false => out.push(path),
        }
    }
}

/// A kill at any moment loses no payment, and the books are right afterwards.
#[test]
fn payments_survive_a_kill_and_are_settled_once() {
    let data = Folder::new("billing");
    let running = Running::sandbox(&data, &[]);
    assert_eq!(pay(&running.api(), CARD_KEY, "o-1")["PCD_PAY_CODE"], "SPCD0000");
    running.kill_9();
    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    assert_eq!(pay(&api, CARD_KEY, "o-1")["PCD_PAY_CODE"], "SPCD0014");
    let day = today(&api);
    let rest = json!({ "PCD_PAYCHK_FLAG": "Y", "PCD_PAY_TYPE": "card", "PCD_PAY_OID": "o-1",
        "PCD_PAY_DATE": day });
    assert_eq!(follow(&api, "/php/PayChkAct.php", rest)["PCD_PAY_CODE"], "PCHK0000");
    let settle = ["billing", "settle", "--through", day.as_str(), "--data", data.text()];
    assert_eq!(json(&settle)[0]["available"], 15_000);
    assert_eq!(json(&settle)[0]["payments"], 0, "once");
    assert_eq!(api.remain(), "10015000");
    assert_eq!(json(&["billing", "unknown", "--data", data.text()]), json!([]));
    assert!(running.terminate());
    let check = run(&["check", "--data", data.text()]);
    assert!(check.status.success(), "{}", stderr(&check));
}
