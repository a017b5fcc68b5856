//! Each fault of a deposit: what the caller sees, what the journal says, what an inquiry tells.

use crate::site::{DEPOSIT, PLAIN, Row, Site, TODAY, codes, deposit, id, script};
use ichae_kftc::fault::{FAULTS, Strikes};
use ichae_kftc::{Settings, Summary, read_journal};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What the journal says of a deposit: known, paid, code.
fn said(row: &Row) -> (bool, bool, &str) {
    (row.known, row.paid, &row.code)
}

async fn told(site: &Site, n: u32) -> String {
    let answer = site.inquire(&[(n, TODAY, 1_000)]).await;
    let (outside, inside) = codes(&answer);
    if inside.is_empty() { outside.to_owned() } else { inside.to_owned() }
}

#[tokio::test]
async fn connections_that_end_without_an_answer() {
    for (fault, row_says, inquiry_says) in [
        ("drop-before", (false, false, "none"), "A0018"),
        ("pay-then-drop", (true, true, "000"), "000"),
    ] {
        let site = Site::start(&script(&[fault])).await;
        assert_eq!(site.raw_deposit(1, PLAIN).await.unwrap(), "", "{fault}");
        let row = site.row();
        assert_eq!((said(&row), row.fault.as_deref()), (row_says, Some(fault)));
        assert_eq!(told(&site, 1).await, inquiry_says, "{fault}");
    }
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let site = Site::start(&script(&["reset"])).await;
    let error = site.raw_deposit(1, PLAIN).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let row = site.row();
    assert_eq!((said(&row), row.fault.as_deref()), ((true, true, "000"), Some("reset")));
    assert_eq!(told(&site, 1).await, "000");
}

#[tokio::test]
async fn http_errors_before_and_after_paying() {
    for (fault, status, row_says, inquiry_says) in [
        ("http-503-before", 503, (false, false, "none"), "A0018"),
        ("http-500-after-paying", 500, (true, true, "000"), "000"),
    ] {
        let site = Site::start(&script(&[fault])).await;
        let answer = site.send(DEPOSIT, &deposit(1, PLAIN)).await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(answer.json::<Value>().await.is_err(), "no JSON");
        let row = site.row();
        assert_eq!((said(&row), row.fault.as_deref()), (row_says, Some(fault)));
        assert_eq!(told(&site, 1).await, inquiry_says, "{fault}");
    }
}

#[tokio::test]
async fn answers_that_cannot_be_read() {
    let site = Site::start(&script(&["garbage", "truncated"])).await;
    let answer = site.send(DEPOSIT, &deposit(1, PLAIN)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.unwrap();
    assert!(!bytes.is_empty() && serde_json::from_slice::<Value>(&bytes).is_err());

    let cut = site.raw_deposit(2, PLAIN).await.unwrap();
    let (head, body) = cut.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let length: usize = length.parse().unwrap();
    assert!(head.starts_with("HTTP/1.1 200"));
    // A Korean letter may be cut in half, and is then shown by another.
    assert!(body.len().abs_diff(length / 2) <= 3, "{} of {length}", body.len());

    for (row, fault) in site.rows().iter().zip(["garbage", "truncated"]) {
        assert_eq!((said(row), row.fault.as_deref()), ((true, true, "000"), Some(fault)));
    }
    assert_eq!(site.rows().len(), 2);
}

#[tokio::test]
async fn an_answer_comes_twice_inside_or_as_a_whole() {
    let plan = "[per_mille]\nduplicate-answer = 1000\n";
    let site = Site::start(plan).await;
    let (mut items, mut bodies) = (0, 0);
    for n in 1..=16 {
        let answer = site.send(DEPOSIT, &deposit(n, PLAIN)).await.unwrap().text().await.unwrap();
        let parts: Vec<Value> = serde_json::Deserializer::from_str(&answer)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        match parts.as_slice() {
            [one] => {
                assert_eq!(one["res_cnt"], "2");
                assert_eq!(one["res_list"][0], one["res_list"][1]);
                items += 1;
            }
            [one, two] => {
                assert_eq!((one, codes(one)), (two, ("A0000", "000")));
                bodies += 1;
            }
            _ => panic!("{answer}"),
        }
    }
    assert!(items > 0 && bodies > 0, "{items} and {bodies}");
    assert_eq!(site.summary().await.payments, 16, "it is paid once");
}

#[tokio::test]
async fn a_wrong_echo_has_another_number_amount_or_account() {
    let site = Site::start("[per_mille]\nwrong-echo = 1000\n").await;
    let mut wrong = std::collections::BTreeSet::new();
    for n in 1..=32 {
        let answer = site.deposit(n, PLAIN).await;
        assert_eq!(codes(&answer), ("A0000", "000"));
        let item = &answer["res_list"][0];
        let sent = json!({ "bank_tran_id": id(n), "tran_amt": "1000", "account_num": PLAIN });
        let names = ["bank_tran_id", "tran_amt", "account_num"];
        let differ: Vec<_> = names.iter().filter(|name| item[**name] != sent[**name]).collect();
        assert_eq!(differ.len(), 1, "{item}");
        wrong.insert(*differ[0]);
    }
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert_eq!(site.summary().await.ids_paid, 32);
}

#[tokio::test]
async fn a_refusal_and_trouble_on_the_own_side() {
    let plan = script(&["refused", "own-side"]);
    let site = Site::start(&format!("refused_codes = [415]\n{plan}")).await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0009", "415"));
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("A0009", "453"));
    for (row, code) in site.rows().iter().zip(["415", "453"]) {
        assert_eq!(said(row), (true, false, code));
    }
    assert_eq!((told(&site, 1).await, told(&site, 2).await), ("415".into(), "453".into()));
}

#[tokio::test]
async fn processing_is_paid_later() {
    let site = Site::start(&script(&["processing"])).await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0002", "400"));
    site.pass(2_999);
    assert_eq!(told(&site, 1).await, "400");
    assert_eq!(site.summary().await.payments, 0);
    site.pass(1);
    assert_eq!(told(&site, 1).await, "000");
    assert_eq!(site.summary().await.payments, 1);
    assert_eq!(site.row().fault.as_deref(), Some("processing"));
}

/// Sends a deposit whose answer takes a day, and waits until its row is there.
async fn begun(site: &Site) -> tokio::task::JoinHandle<reqwest::Result<reqwest::Response>> {
    let call = site.client.post(site.url(DEPOSIT)).bearer_auth(&site.token);
    let call = tokio::spawn(call.json(&deposit(1, PLAIN)).send());
    while site.summary().await.calls == 0 {
        assert!(!call.is_finished());
        tokio::task::yield_now().await;
    }
    call
}

#[tokio::test]
async fn a_delay_pays_at_once_and_a_late_payment_does_not() {
    let sizes = "[size]\ndelay_ms = 86400000\nlate_pay_ms = 86400000\n";
    for (fault, paid_before) in [("delay", 1), ("late-pay", 0)] {
        let mut site = Site::start(&(script(&[fault]) + sizes)).await;
        let call = begun(&site).await;
        assert_eq!(site.summary().await.payments, paid_before, "{fault}");
        assert_eq!(told(&site, 1).await, "400", "{fault}");
        assert!(!call.is_finished(), "{fault}");
        // Whoever waits is cut off; the payment is made all the same, after a restart.
        site.close().await;
        assert!(call.await.unwrap().is_err(), "{fault}");
        site.open("", |settings| settings).await;
        site.pass(86_400_000);
        assert_eq!(site.summary().await.payments, 1, "{fault}");
        assert_eq!(told(&site, 1).await, "000", "{fault}");
        assert_eq!(site.row().fault.as_deref(), Some(fault));
    }
}

/// Reads the file until it says so: nothing here calls the bank.
async fn until(site: &Site, wanted: impl Fn(Summary) -> bool) {
    let began = Instant::now();
    while !wanted(read_journal(&site.journal()).unwrap()) {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_due_is_done_though_nobody_calls_or_waits() {
    let sizes = "[size]\nlate_pay_ms = 300\nprocessing_ms = 20\nlate_return_ms = 20\n";
    let plan = script(&["late-pay", "processing", "late-return"]) + sizes;
    let site = Site::with(&plan, |mut settings| {
        let anywhere = ([127, 0, 0, 1], 0).into();
        settings.clock = Settings::sandbox(anywhere, "").clock;
        settings
    })
    .await;
    let call = tokio::spawn(
        site.client
            .post(site.url(DEPOSIT))
            .bearer_auth(&site.token)
            .json(&deposit(1, PLAIN))
            .send(),
    );
    until(&site, |journal| journal.calls == 1).await;
    call.abort();
    until(&site, |journal| journal.payments == 1).await;
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("A0002", "400"));
    until(&site, |journal| journal.payments == 2).await;
    assert_eq!(codes(&site.deposit(3, PLAIN).await), ("A0000", "000"));
    until(&site, |journal| journal.returned == 1).await;
}

#[tokio::test]
async fn a_late_answer_comes_in_the_end() {
    let site = Site::start(&(script(&["delay"]) + "[size]\ndelay_ms = 20\n")).await;
    let started = Instant::now();
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    assert!(started.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_payment_comes_back() {
    let site = Site::start(&script(&["late-return"])).await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    site.pass(4_999);
    assert_eq!(site.summary().await.returned, 0);
    site.pass(1);
    let summary = site.summary().await;
    assert_eq!((summary.payments, summary.returned), (1, 1));
    let (_, csv) = site.control("GET", &format!("statement?date={TODAY}"), "").await;
    assert!(csv.contains(&format!("{},{TODAY},1000,returned,000\n", id(1))), "{csv}");
}

#[tokio::test]
async fn a_wrong_date_is_the_banks_date_from_then_on() {
    let site = Site::start(&script(&["wrong-date"])).await;
    let answer = site.deposit(1, PLAIN).await;
    assert_eq!(answer["res_list"][0]["bank_tran_date"], "20261125");
    assert_eq!((site.row().date, site.row().paid), (20_261_125, true));
    assert_eq!(told(&site, 1).await, "A0018");
    let answer = site.inquire(&[(1, "20261125", 1_000)]).await;
    assert_eq!(codes(&answer), ("A0000", "000"));
}

#[tokio::test]
async fn a_maintenance_closes_everything_for_a_while() {
    let site = Site::start(&script(&["maintenance"])).await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0020", "114"));
    assert_eq!(codes(&site.deposit(2, "5555").await), ("A0020", "114"), "another account");
    assert_eq!(told(&site, 1).await, "A0020");
    let status = || async {
        let call = site.client.get(site.url("/v2.0/bank/status")).bearer_auth(&site.token);
        let answer: Value = call.send().await.unwrap().json().await.unwrap();
        answer["res_list"][0]["bank_status"].clone()
    };
    assert_eq!(status().await, "D");
    site.pass(5_000);
    assert_eq!(status().await, "Y");
    assert_eq!(told(&site, 1).await, "A0018");
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    let rows = site.rows();
    let faults: Vec<_> = rows.iter().map(|row| row.fault.as_deref()).collect();
    assert_eq!(faults, [Some("maintenance"), None, None]);
    assert_eq!(said(&rows[1]), (false, false, "114"));
}

#[tokio::test]
async fn a_token_dies_early_and_a_new_one_pays_the_same_number() {
    let mut site = Site::start(&script(&["token-expiry"])).await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("O0003", ""));
    let row = site.row();
    assert_eq!(said(&row), (false, false, "O0003"));
    assert_eq!(told(&site, 1).await, "O0003", "it stays dead");
    site.token = site.new_token().await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    assert_eq!(site.summary().await.most_paid, 1);
}

#[test]
fn every_fault_of_a_deposit_is_tested_here() {
    let tests = include_str!("faults.rs");
    for entry in FAULTS.iter().filter(|entry| entry.strikes == Strikes::Deposit) {
        assert!(tests.contains(entry.name), "{}", entry.name);
    }
}
