//! Two nodes on one PostgreSQL, as a user runs them.

use crate::process::{Api, Folder, Running, http, json, run, stderr};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server of this test's own; it is gone when the handle is.
pub struct Database {
    child: Child,
    pub address: String,
}

impl Database {
    pub fn start(folder: &Folder, name: &str) -> Database {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        let mut child = Command::new(script)
            .arg(folder.path().join(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Database { child, address: address.trim().to_owned() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Asks until it is so; nodes work beside us.
pub fn until(what: &str, mut probe: impl FnMut() -> bool) {
    for _ in 0..900 {
        if probe() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("not within 45 s: {what}");
}

struct Site {
    folder: Folder,
    bank: Running,
    database: Database,
}

impl Site {
    fn new(name: &str, plan: &str) -> Site {
        let folder = Folder::new(name);
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(file("plan.toml"), plan).unwrap();
        let (journal, plan) = (file("bank.db"), file("plan.toml"));
        let listen = ["--listen", "127.0.0.1:0", "--journal", &journal, "--plan", &plan];
        let bank = Running::start(&[&["bank", "simulate"][..], &listen].concat());
        let database = Database::start(&folder, "pg");
        Site { folder, bank, database }
    }

    fn data(&self, node: &str) -> String {
        self.folder.path().join(node).to_str().unwrap().to_owned()
    }

    /// A node, with the keys of `a` where it is another one.
    fn node(&self, name: &str) -> Running {
        let data = self.data(name);
        if name != "a" {
            std::fs::create_dir_all(&data).unwrap();
            let (from, to) = (format!("{}/keys", self.data("a")), format!("{data}/keys"));
            assert!(Command::new("cp").args(["-r", &from, &to]).status().unwrap().success());
        }
        self.start(&data)
    }

    fn start(&self, data: &str) -> Running {
        let bank = format!("http://{}", self.bank.address);
        let at = ["sandbox", "--listen", "127.0.0.1:0", "--data", data];
        Running::start(&[&at[..], &["--bank", &bank, "--store", &self.database.address]].concat())
    }

    fn config(&self) -> String {
        self.config_of("a", "")
    }

    /// A configuration file on this store, with the keys of `a`.
    fn config_of(&self, data: &str, more: &str) -> String {
        let file = self.folder.path().join(format!("{data}.toml"));
        let (keys, data) = (self.data("a"), self.data(data));
        let store = &self.database.address;
        let text = format!(
            "environment = \"test\"\ndata = \"{data}\"\nkeys = \"{keys}/keys\"\n\
             store = \"{store}\"\n{more}[server]\nlisten = \"127.0.0.1:0\"\n[bank]\n\
             rail = \"simulated\"\n"
        );
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn check(&self) -> serde_json::Value {
        json(&["check", "--config", &self.config()])
    }
}

/// What one node was told the other one knows: rows, tokens, balances, and what operators decide.
#[test]
fn any_node_answers_anything() {
    let site = Site::new("two-nodes", "");
    let (a, b) = (site.node("a"), site.node("b"));
    let (on_a, on_b) = (a.api(), b.api());
    let key = on_a.key("7000000001");
    let first = on_a.request(&key, "one");
    assert_eq!(first["result"], "A0000", "{first}");
    let again = on_b.request(&key, "one");
    assert_eq!(again["group_key"], first["group_key"], "{again}");
    assert_eq!(on_a.remain(), on_b.remain());
    // A token of one is good at the other.
    let header = format!("Authorization: Bearer {}\r\n", on_a.token());
    let body = r#"{"cst_id":"test","custKey":"abcd1234567890"}"#;
    let (status, answer) = on_b.post("/account/remain", &header, body);
    assert!(status == 200 && answer.contains("A0000"), "{answer}");
    let group = first["group_key"].as_str().unwrap();
    assert_eq!(on_b.execute(group, "NOW")["result"], "A0000");
    assert_eq!(on_a.settled(group)["res_cnt"], "1");
    let rotate = run(&["key", "rotate", "--data", &site.data("a")]);
    assert!(stderr(&rotate).contains("P0150"), "the other would not have the keys");
    // A suspension by one node's operator holds at the other.
    json(&["partner", "suspend", "test", "--data", &site.data("a")]);
    until("the other node knows of the suspension", || {
        on_b.request(&key, "two")["result"] == "T0340"
    });
    json(&["partner", "resume", "test", "--data", &site.data("b")]);
    until("and of its end", || on_a.request(&key, "three")["result"] == "A0000");
    assert!(a.terminate() && b.terminate());
    let report = site.check();
    assert_eq!(report["findings"], serde_json::json!([]), "{report}");
    assert_eq!(report["payouts"], 2);
}

/// What a killed node had sent is asked about by the other, and paid once.
#[test]
fn a_killed_nodes_work_is_taken_over() {
    let plan =
        "[size]\ndelay_ms = 12000\n[[account]]\nnumber = \"7000000001\"\nfaults = [\"delay\"]\n";
    let site = Site::new("takeover", plan);
    let (a, b) = (site.node("a"), site.node("b"));
    let key = a.api().key("7000000001");
    let made = a.api().request(&key, "one");
    let group = made["group_key"].as_str().unwrap().to_owned();
    assert_eq!(a.api().execute(&group, "NOW")["result"], "A0000");
    // Whose share the partner is follows from its number; the one that waits for the bank is killed.
    let waits = |node: &Running| {
        let (_, text) = http(&node.address, "GET", "/metrics", "", "");
        text.contains("ichae_bank_in_flight 1")
    };
    until("one of them waits for the bank", || waits(&a) || waits(&b));
    let (gone, left) = if waits(&a) { (a, b) } else { (b, a) };
    gone.kill_9();
    let journal = site.folder.path().join("bank.db");
    let api = Api { address: &left.address, cst_id: "test", cust_key: "abcd1234567890".to_owned() };
    until("the other node asked the bank", || {
        let more = format!(r#","group_key":"{group}""#);
        let answer = api.call("/transfer/result/group_key", &more);
        answer["result"] == "A0000" && answer["pending_cnt"] == "0"
    });
    let summary = json(&["bank", "journal", journal.to_str().unwrap()]);
    assert_eq!((&summary["payments"], &summary["most_paid"]), (&1.into(), &1.into()));
    assert_eq!(site.check()["findings"], serde_json::json!([]));
}

#[test]
fn another_installations_keys_are_refused() {
    let site = Site::new("keys", "");
    drop(site.node("a"));
    let (data, bank) = (site.data("c"), format!("http://{}", site.bank.address));
    let at = ["sandbox", "--listen", "127.0.0.1:0", "--data", &data, "--bank", &bank];
    let refused = run(&[&at[..], &["--store", &site.database.address]].concat());
    assert!(!refused.status.success());
    let error = stderr(&refused);
    assert!(error.contains("key folder does not belong to this store"), "{error}");
}

/// A hub that outgrew its file: the same identifiers, limits and used keys afterwards.
#[test]
fn a_store_moves_to_postgresql() {
    let site = Site::new("move", "");
    let data = site.data("a");
    let bank = format!("http://{}", site.bank.address);
    let embedded =
        ["sandbox", "--listen", "127.0.0.1:0", "--data", data.as_str(), "--bank", bank.as_str()];
    let before = Running::start(&embedded);
    let key = before.api().key("7000000001");
    let first = before.api().request(&key, "one");
    let remain = before.api().remain();
    let copy = ["store", "copy", "--data", &data, "--config", &site.config()];
    assert!(stderr(&run(&copy)).contains("is served"), "not while it is served");
    assert!(before.terminate());
    let copied = run(&copy);
    assert!(copied.status.success(), "{}", stderr(&copied));
    assert!(
        stderr(&run(&embedded)).contains("moved to PostgreSQL"),
        "two would give one number twice"
    );
    let after = site.start(&data);
    assert_eq!(after.api().remain(), remain);
    let again = after.api().request(&key, "one");
    assert_eq!((&again["result"], &again["group_key"]), (&"R0132".into(), &first["group_key"]));
    let group = first["group_key"].as_str().unwrap();
    assert_eq!(after.api().execute(group, "NOW")["result"], "A0000");
    assert_eq!(after.api().settled(group)["res_cnt"], "1");
    assert_eq!(site.check()["findings"], serde_json::json!([]));
}

/// Two of one name are a mistake: the later one is the node, the earlier one writes nothing any more.
#[test]
fn a_node_that_was_ended_writes_nothing_and_ends() {
    let site = Site::new("fenced", "");
    let first = site.config_of("a", "node = \"x\"\n");
    json(&["partner", "add", "shop", "--name", "상점", "--config", &first]);
    let mut earlier = Running::start(&["serve", "--config", &first]);
    let log = earlier.hear();
    let later = Running::start(&["serve", "--config", &site.config_of("b", "node = \"x\"\n")]);
    let fund = ["partner", "fund", "shop", "5000", "--reference", "r", "--data"];
    let lost = run(&[&fund[..], &[&site.data("a")]].concat());
    assert!(!lost.status.success(), "it was not written");
    until("the earlier one ends", || earlier.has_ended());
    let heard = log.join().unwrap();
    assert!(heard.contains("another node has taken over"), "{heard}");
    json(&[&fund[..], &[&site.data("b")]].concat());
    assert!(later.terminate());
}
