//! `ichae sandbox`: starts at once, keeps what it was told to keep, survives being killed.

use crate::process::{Folder, Running, json, run, stderr};

#[test]
fn it_starts_with_the_documents_partner_and_prints_what_to_paste() {
    let running = Running::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let greeting = running.greeting.join("\n");
    for told in ["/docs", "/metrics", "abcd1234567890", "curl -s", "whsec_"] {
        assert!(greeting.contains(told), "{told}: {greeting}");
    }
    let api = running.api();
    assert_eq!(api.remain(), "10000000");
    let data = running.greeting.iter().find_map(|line| line.trim().strip_prefix("data "));
    let data = std::path::PathBuf::from(data.unwrap().trim());
    assert!(data.exists());
    assert!(running.terminate());
    assert!(!data.exists(), "a sandbox without --data leaves nothing behind");
}

#[test]
fn what_it_printed_to_paste_works() {
    let running = Running::start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let from = running.greeting.iter().position(|line| line.contains("TOKEN=$(")).unwrap();
    let script = running.greeting[from..].join("\n");
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.contains(r#""remain_amt":"10000000""#), "{answer}");
}

#[test]
fn with_data_everything_survives_a_restart_and_a_kill_9() {
    let data = Folder::new("survive");
    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    let key = api.key("1234567890123456");
    let first = api.request(&key, "d1");
    let group = first["group_key"].as_str().unwrap().to_owned();
    running.kill_9();

    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    assert_eq!(api.remain(), "9999000");
    let repeat = api.request(&key, "d1");
    assert_eq!(repeat["result"], "R0132");
    assert_eq!(repeat["group_key"], first["group_key"]);
    assert_eq!(api.execute(&group, "NOW")["result"], "A0000");
    assert_eq!(api.settled(&group)["res_cnt"], "1");
    running.kill_9();

    let running = Running::sandbox(&data, &[]);
    assert_eq!(running.api().settled(&group)["res_cnt"], "1");
    assert_eq!(running.api().remain(), "9999000");
    assert!(running.terminate());
    let check = run(&["check", "--data", data.text()]);
    assert!(check.status.success(), "{}", stderr(&check));
}

/// Decision M1.
#[test]
fn a_limit_counts_when_it_is_made_and_another_later_is_an_error() {
    let data = Folder::new("limit");
    let running = Running::sandbox(&data, &["--limit", "5000"]);
    assert_eq!(running.api().remain(), "5000");
    assert!(running.terminate());
    let again = Running::sandbox(&data, &["--limit", "5000"]);
    assert_eq!(again.api().remain(), "5000");
    assert!(again.terminate());
    let args = ["sandbox", "--listen", "127.0.0.1:0", "--data", data.text(), "--limit", "6000"];
    let refused = run(&args);
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("P0110") && stderr(&refused).contains("hint:"));
}

#[test]
fn any_amount_is_an_option() {
    let data = Folder::new("amount");
    let running = Running::sandbox(&data, &["--any-amount"]);
    let api = running.api();
    let key = api.key("1");
    let more = format!(r#","billing_tran_id":"{key}","tran_amt":"77""#);
    assert_eq!(api.call("/transfer/request", &more)["result"], "A0000");
    drop(running);
    let running = Running::sandbox(&data, &[]);
    assert_eq!(running.api().call("/transfer/request", &more)["result"], "R0112");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let data = Folder::new("second");
    let running = Running::sandbox(&data, &[]);
    let args = ["sandbox", "--listen", "127.0.0.1:0", "--data", data.text()];
    let refused = run(&args);
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("served by another process"), "{}", stderr(&refused));
    drop(running);
}

/// Decision M3.
#[test]
fn the_stop_switch_holds_payouts_back() {
    let data = Folder::new("switch");
    let running = Running::sandbox(&data, &[]);
    let status = json(&["bank", "pause", "--reason", "drill", "--data", data.text()]);
    assert_eq!((&status["paused"], &status["reason"]), (&true.into(), &"drill".into()));
    let api = running.api();
    let key = api.key("1");
    let group = api.request(&key, "d")["group_key"].as_str().unwrap().to_owned();
    assert_eq!(api.execute(&group, "NOW")["result"], "A0000");
    let more = format!(r#","group_key":"{group}""#);
    assert_eq!(api.call("/transfer/result/group_key", &more)["pending_cnt"], "1");
    assert_eq!(json(&["bank", "resume", "--data", data.text()])["paused"], false);
    assert_eq!(api.settled(&group)["res_cnt"], "1");
}
