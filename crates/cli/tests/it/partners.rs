//! Partner, group, webhook and key commands: through a running server and without one.

use crate::process::{Api, Folder, Running, json, run, stderr};

#[test]
fn a_partner_can_be_kept_with_and_without_a_server() {
    let data = Folder::new("partners");
    drop(Running::sandbox(&data, &[]));
    let at = ["--data", data.text()];
    let with = |args: &[&str]| json(&[args, &at].concat());

    // Without a server: the store is opened under its lock.
    let made = with(&["partner", "add", "shop", "--name", "상점"]);
    let key = made["cust_key"].as_str().unwrap().to_owned();
    assert!(key.len() >= 43 && made["webhook_secret"].as_str().unwrap().starts_with("whsec_"));
    let funded = with(&["partner", "fund", "shop", "3000", "--reference", "wire-1"]);
    assert_eq!((&funded["available"], &funded["repeated"]), (&3000.into(), &false.into()));

    // With one: the same commands through its admin socket.
    let running = Running::sandbox(&data, &[]);
    let again = with(&["partner", "fund", "shop", "3000", "--reference", "wire-1"]);
    assert_eq!((&again["available"], &again["repeated"]), (&3000.into(), &true.into()));
    let api = Api { address: &running.address, cst_id: "shop", cust_key: key };
    assert_eq!(api.remain(), "3000");
    let rotated = with(&["partner", "rotate-key", "shop"]);
    let (_, body) = api.post("/oauth/token", "", &body(&api.cust_key));
    assert!(body.contains("T0300"), "the old key ended at once: {body}");
    let api = Api { cust_key: rotated["cust_key"].as_str().unwrap().to_owned(), ..api };
    with(&["partner", "suspend", "shop"]);
    assert_eq!(api.request("x", "d")["result"], "T0340");
    assert_eq!(api.remain(), "3000", "a suspended partner can look up");
    with(&["partner", "resume", "shop"]);
    let shown =
        with(&["partner", "set", "shop", "--transfer-cap", "500", "--source", "10.0.0.0/8"]);
    assert_eq!((&shown["transfer_cap"], &shown["sources"][0]), (&500.into(), &"10.0.0.0/8".into()));
    let (_, answer) = api.post("/oauth/token", "", &self::body(&api.cust_key));
    assert!(answer.contains("T0310"), "{answer}");
    let shown = with(&["partner", "set", "shop", "--any-source", "--transfer-cap", ""]);
    assert_eq!((&shown["transfer_cap"], &shown["sources"]), (&().into(), &serde_json::json!([])));
    let back = with(&["partner", "fund", "shop", "1000", "--reference", "back-1", "--take-back"]);
    assert_eq!(back["available"], 2000);
    assert_eq!(with(&["partner", "list"]).as_array().unwrap().len(), 2);
    let events = with(&["events", "--partner", "shop"]).to_string();
    assert!(events.contains("uid ") && events.contains("custKey rotated"), "{events}");
}

fn body(key: &str) -> String {
    format!(r#"{{"cst_id":"shop","custKey":"{key}","code":"as12345678"}}"#)
}

#[test]
fn what_is_refused_says_code_both_languages_and_what_to_do() {
    let data = Folder::new("refused");
    drop(Running::sandbox(&data, &[]));
    let table = [
        (&["partner", "show", "nobody"][..], "P0101"),
        (&["partner", "add", "test", "--name", "x"], "P0102"),
        (&["partner", "add", "a b", "--name", "x"], "P0103"),
        (&["partner", "add", "c", "--name", "x", "--webhook-url", "ftp://x"], "P0103"),
        (&["partner", "add", "c", "--name", "x", "--source", "nonsense"], "P0103"),
        (&["partner", "fund", "test", "0", "--reference", "r"], "P0103"),
        (&["partner", "fund", "test", "99999999", "--reference", "r", "--take-back"], "P0111"),
        (&["group", "show", "test", "nonsense"], "E0101"),
        (&["webhook", "resend", "1"], "W0101"),
    ];
    for (args, code) in table {
        let refused = run(&[args, &["--data", data.text()]].concat());
        let text = stderr(&refused);
        assert!(!refused.status.success(), "{args:?}");
        assert!(refused.stdout.is_empty(), "data and errors are never mixed");
        assert!(text.contains(code) && text.contains("hint:"), "{args:?}: {text}");
        assert!(text.chars().any(|c| ('가'..='힣').contains(&c)), "{args:?}: {text}");
    }
    let nowhere = run(&["partner", "list"]);
    assert!(stderr(&nowhere).contains("--data"), "{}", stderr(&nowhere));
}

#[test]
fn money_in_a_group_whose_key_was_lost_can_be_found_and_freed() {
    let data = Folder::new("groups");
    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    let key = api.key("1");
    api.request(&key, "a");
    api.request(&key, "b");
    let at = ["--data", data.text()];
    let groups = json(&[&["group", "list", "test"][..], &at].concat());
    let group = groups[0]["group_key"].as_str().unwrap();
    assert_eq!((&groups[0]["waiting"], &groups[0]["waiting_sum"]), (&2.into(), &2000.into()));
    let shown = json(&[&["group", "show", "test", group][..], &at].concat());
    assert_eq!(shown["states"][0]["state"], "requested");
    let canceled = json(&[&["group", "cancel", "test", group][..], &at].concat());
    assert_eq!((&canceled["canceled"], &canceled["sum"]), (&2.into(), &2000.into()));
    assert_eq!(api.remain(), "10000000");
    assert_eq!(json(&[&["group", "list", "test"][..], &at].concat()), serde_json::json!([]));
}

#[test]
fn webhooks_can_be_listed_shown_and_sent_again() {
    let data = Folder::new("webhooks");
    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    let key = api.key("1");
    let group = api.request(&key, "a")["group_key"].as_str().unwrap().to_owned();
    api.execute(&group, "NOW");
    api.settled(&group);
    let at = ["--data", data.text()];
    let list = json(&[&["webhook", "list", "--partner", "test"][..], &at].concat());
    assert_eq!((&list[0]["outcome"], &list[0]["state"]), (&"settled".into(), &"pending".into()));
    let shown = json(&[&["webhook", "show", "1"][..], &at].concat());
    assert_eq!((&shown["payout_state"], &shown["amount"]), (&"settled".into(), &1000.into()));
    let again = json(&[&["webhook", "resend", "1"][..], &at].concat());
    assert_eq!(again["webhook_id"], list[0]["webhook_id"], "the id stays the same");
    let none = json(&[&["webhook", "list", "--state", "delivered"][..], &at].concat());
    assert_eq!(none, serde_json::json!([]));
}

/// Decision I2: rotation online and offline; everything still opens.
#[test]
fn keys_rotate_with_and_without_a_server() {
    let data = Folder::new("keys");
    let running = Running::sandbox(&data, &[]);
    let key = running.api().key("1234567890123456");
    let at = ["--data", data.text()];
    assert_eq!(json(&[&["key", "rotate"][..], &at].concat())["sealing_key"], 2);
    assert_eq!(running.api().key("1234567890123456"), key, "found by the new index key");
    assert!(running.terminate());
    assert_eq!(json(&[&["key", "rotate"][..], &at].concat())["sealing_key"], 3);
    let running = Running::sandbox(&data, &[]);
    assert_eq!(running.api().key("1234567890123456"), key);
}
