//! The production connector, as a developer meets it: `ichae bank simulate`, a sandbox on it, operators
//! with keys, and a statement that is matched.

use crate::process::{Folder, Running, http, json, run, stderr, stdout};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Asks until it is so; a hub works beside us.
fn until(what: &str, mut probe: impl FnMut() -> bool) {
    for _ in 0..600 {
        if probe() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("not within 30 s: {what}");
}

fn bank(folder: &Folder, plan: &str) -> Running {
    let (journal, file) = (folder.path().join("bank.db"), folder.path().join("plan.toml"));
    std::fs::write(&file, plan).unwrap();
    let (journal, file) = (journal.to_str().unwrap(), file.to_str().unwrap());
    let listen = "127.0.0.1:0";
    Running::start(&["bank", "simulate", "--listen", listen, "--journal", journal, "--plan", file])
}

/// An answer that is lost is unknown until the inquiry tells; what the bank never knew is ended by
/// two persons; the bank's statement then agrees.
#[test]
fn a_sandbox_on_the_production_connector_ends_what_the_bank_leaves_open() {
    let folder = Folder::new("bank");
    let bank = bank(
        &folder,
        "[[account]]\nnumber = \"7000000001\"\nfaults = [\"pay-then-drop\"]\n\
         [[account]]\nnumber = \"7000000002\"\nfaults = [\"drop-before\"]\n",
    );
    let data = Folder::new("bank-hub");
    let url = format!("http://{}", bank.address);
    let hub = Running::sandbox(&data, &["--any-amount", "--bank", &url]);
    let api = hub.api();
    let mut group = String::new();
    for (account, name) in [("7000000001", "lost"), ("7000000002", "never"), ("7000000003", "ok")] {
        let key = api.key(account);
        let more =
            format!(r#","billing_tran_id":"{key}","tran_amt":"2000000","distinct_key":"{name}""#);
        let asked = api.call("/transfer/request", &more);
        group = asked["group_key"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    }
    assert_eq!(api.execute(&group, "NOW")["result"], "A0000");

    let unknown = || json(&["payout", "unknown", "--data", data.text()]);
    until("only what the bank never knew is unknown, and a person is called", || {
        let listed = unknown();
        listed["unknown"] == 1 && listed["payouts"][0]["needs_person"] == true
    });
    resolved_by_two(&folder, data.text(), &unknown()["payouts"][0]["payout"].to_string());
    assert_eq!(unknown()["unknown"], 0);
    let journal = folder.path().join("bank.db");
    let summary = json(&["bank", "journal", journal.to_str().unwrap()]);
    assert_eq!((&summary["payments"], &summary["most_paid"]), (&2.into(), &1.into()));
    reconciled(&bank, &folder, data.text());
}

fn resolved_by_two(folder: &Folder, data: &str, no: &str) {
    let key = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (kim, lee) = (key("kim.key"), key("lee.key"));
    json(&["operator", "add", "kim", "--make", &kim, "--data", data]);
    json(&["operator", "add", "lee", "--make", &lee, "--data", data, "--key", &kim]);
    let resolve = ["payout", "resolve", no, "--failed", "--evidence", "journal", "--data", data];
    let unsigned = run(&resolve);
    assert!(!unsigned.status.success() && stderr(&unsigned).contains("P0120"));
    let proposed = json(&[&resolve[..], &["--key", &kim]].concat());
    let proposal = proposed["proposal"].to_string();
    let approve = ["proposal", "approve", &proposal, "--data", data];
    let alone = run(&[&approve[..], &["--key", &kim]].concat());
    assert!(!alone.status.success() && stderr(&alone).contains("P0133"));
    assert_eq!(json(&[&approve[..], &["--key", &lee]].concat())["state"], "approved");
    let story = json(&["payout", "explain", no, "--data", data]);
    let lines = story["timeline"].as_array().unwrap();
    let by: Vec<&str> = lines.iter().filter_map(|line| line["by"].as_str()).collect();
    for person in ["partner", "engine", "kim", "lee"] {
        assert!(by.contains(&person), "{person}: {story}");
    }
    // A key that others can read is no key of one person's.
    std::fs::set_permissions(&kim, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = run(&["bank", "pause", "--data", data, "--key", &kim]);
    assert!(stderr(&refused).contains("can be read by others"), "{}", stderr(&refused));
}

fn reconciled(bank: &Running, folder: &Folder, data: &str) {
    let journal = rusqlite::Connection::open(folder.path().join("bank.db")).unwrap();
    let day = "SELECT max(bank_tran_date) FROM calls";
    let day: i64 = journal.query_row(day, [], |r| r.get(0)).unwrap();
    let path = format!("/control/statement?date={day}");
    let (status, statement) = http(&bank.address, "GET", &path, "", "");
    assert_eq!(status, 200);
    let file = folder.path().join("statement.csv");
    let file = file.to_str().unwrap();
    std::fs::write(file, &statement).unwrap();
    let matched = run(&["reconcile", file, "--data", data]);
    assert!(matched.status.success(), "{}{}", stdout(&matched), stderr(&matched));
    assert!(stdout(&matched).contains("of which 2 are in the file"), "{}", stdout(&matched));
    // A line that is gone is found, and told by the exit code.
    let short: Vec<&str> = statement.lines().take(2).collect();
    std::fs::write(file, short.join("\n")).unwrap();
    let matched = run(&["reconcile", file, "--data", data]);
    assert!(!matched.status.success());
    assert!(stdout(&matched).contains("1  missing_there"), "{}", stdout(&matched));
    assert!(stdout(&run(&["reconcile", "--sample-map"])).contains("[columns]"));
}
