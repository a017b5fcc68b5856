//! An installation of two cells, as a user runs it: a shard is moved while its partner calls.

use crate::postgres::{Database, until};
use crate::process::{Api, Folder, Running, http, json, run, stderr};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NODES: [&str; 2] = ["a", "b"];

/// Two clusters, a node on each, and the bank that both pay through.
struct Site {
    folder: Folder,
    bank: Running,
    databases: [Database; 2],
    ports: [u16; 2],
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Site {
    fn new() -> Site {
        let folder = Folder::new("cells");
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let secrets = ["sandbox-secret", "1101234567890", "NONE"];
        for (name, text) in ["secret", "account", "phrase"].iter().zip(secrets) {
            std::fs::write(file(name), text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(file(name), mode).unwrap();
        }
        std::fs::write(file("plan.toml"), "").unwrap();
        let listen = ["--listen", "127.0.0.1:0"];
        let (journal, plan) = (file("bank.db"), file("plan.toml"));
        let files = ["--journal", &journal, "--plan", &plan];
        let bank = Running::start(&[&["bank", "simulate"][..], &listen, &files].concat());
        let databases = NODES.map(|name| Database::start(&folder, &format!("pg-{name}")));
        let site = Site { folder, bank, databases, ports: [free_port(), free_port()] };
        for cell in 0..2 {
            site.configure(cell);
        }
        site
    }

    fn config(&self, cell: usize) -> String {
        self.folder.path().join(format!("{}.toml", NODES[cell])).to_str().unwrap().to_owned()
    }

    fn data(&self, cell: usize) -> String {
        self.folder.path().join(NODES[cell]).to_str().unwrap().to_owned()
    }

    fn configure(&self, cell: usize) {
        let at = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let cells = [0, 1].map(|no| {
            format!(
                "{{ no = {no}, store = \"{}\", url = \"http://127.0.0.1:{}\" }}",
                self.databases[no].address, self.ports[no]
            )
        });
        let (data, keys) = (self.data(cell), at("keys"));
        let (secret, account, phrase) = (at("secret"), at("account"), at("phrase"));
        let text = format!(
            "environment = \"test\"\ndata = \"{data}\"\nkeys = \"{keys}\"\nstore = \"{}\"\n\
             cells = [{}, {}]\n[server]\nlisten = \"127.0.0.1:{}\"\n\
             trusted_proxies = [\"127.0.0.1/32\"]\n[test]\nany_amount = true\n\
             [bank]\nrail = \"openbanking\"\ntimeout_s = 2\n[bank.openbanking]\n\
             connect_timeout_s = 1\nbase_url = \"http://{}\"\n\
             institution = \"M202112389\"\nclient_id = \"sandbox\"\n\
             client_secret_file = \"{secret}\"\ncontract_account_file = \"{account}\"\n\
             pass_phrase_file = \"{phrase}\"\nprint_content = \"정산\"\nclient_name = \"ichae\"\n\
             client_bank = \"020\"\nclient_account_file = \"{account}\"\nclient_number = \"CELLS\"\n\
             [log]\nfilter = \"error\"\n",
            self.databases[cell].address, cells[0], cells[1], self.ports[cell], self.bank.address
        );
        std::fs::write(self.config(cell), text).unwrap();
    }

    fn node(&self, cell: usize) -> Running {
        Running::start(&["serve", "--config", &self.config(cell)])
    }

    fn partner(&self, cell: usize, cst_id: &'static str) -> Partner {
        let data = self.data(cell);
        let added = json(&["partner", "add", cst_id, "--name", "정산", "--data", &data]);
        let cust_key = added["cust_key"].as_str().unwrap().to_owned();
        let fund = ["partner", "fund", cst_id, "100000", "--reference", "first"];
        json(&[&fund[..], &["--data", &data]].concat());
        let shard = self.shown(cell, cst_id)["shard"].as_u64().unwrap();
        Partner { cst_id, cust_key, shard }
    }

    fn shown(&self, cell: usize, cst_id: &str) -> serde_json::Value {
        json(&["partner", "show", cst_id, "--data", &self.data(cell)])
    }

    fn list(&self) -> Vec<(String, u64)> {
        let told = json(&["shard", "list", "--config", &self.config(0)]);
        let line = |row: &serde_json::Value| {
            assert_eq!((&row["state"], &row["left_in"]), (&"steady".into(), &().into()), "{row}");
            (row["shards"].as_str().unwrap().to_owned(), row["cell"].as_u64().unwrap())
        };
        told.as_array().unwrap().iter().map(line).collect()
    }

    fn check(&self, payouts: [u64; 2]) {
        for (cell, payouts) in payouts.into_iter().enumerate() {
            let report = json(&["check", "--config", &self.config(cell)]);
            assert_eq!(report["findings"], serde_json::json!([]), "cell {cell}: {report}");
            assert_eq!(report["payouts"], payouts, "cell {cell}: {report}");
        }
    }
}

struct Partner {
    cst_id: &'static str,
    cust_key: String,
    shard: u64,
}

impl Partner {
    fn at<'a>(&self, node: &'a Running) -> Api<'a> {
        Api { address: &node.address, cst_id: self.cst_id, cust_key: self.cust_key.clone() }
    }

    /// Its credentials, as a body begins.
    fn body(&self, more: &str) -> String {
        format!(r#"{{"cst_id":"{}","custKey":"{}"{more}}}"#, self.cst_id, self.cust_key)
    }

    /// Whether the node, or the one that it asks, gives it a token.
    fn is_known(&self, node: &Running) -> bool {
        let body = self.body(r#","code":"as12345678""#);
        http(&node.address, "POST", "/oauth/token", "", &body).1.contains("T0000")
    }
}

/// Asks again for as long as it is told to come again; how long that was.
fn patiently(of: &Partner, node: &Running, key: &str, distinct: &str) -> (String, Duration) {
    let began = Instant::now();
    let more = format!(r#","billing_tran_id":"{key}","tran_amt":"1","distinct_key":"{distinct}""#);
    let token = of.body(r#","code":"as12345678""#);
    loop {
        let (mut status, mut told) = http(&node.address, "POST", "/oauth/token", "", &token);
        if status == 200 {
            let given: serde_json::Value = serde_json::from_str(&told).unwrap();
            let token = given["access_token"].as_str().unwrap_or_else(|| panic!("{given}"));
            let header = format!("Authorization: Bearer {token}\r\n");
            let body = of.body(&more);
            (status, told) = http(&node.address, "POST", "/transfer/request", &header, &body);
        }
        if status == 200 {
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            return (told["result"].as_str().unwrap().to_owned(), began.elapsed());
        }
        assert_eq!(status, 503, "{told}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_partner_is_served_by_whichever_cell_it_moves_to() {
    let site = Site::new();
    let told = run(&["shard", "init", "--config", &site.config(0)]);
    assert!(told.status.success(), "{}", stderr(&told));
    assert_eq!(site.list(), [("0-511".to_owned(), 0), ("512-1023".to_owned(), 1)]);
    let (a, b) = (site.node(0), site.node(1));
    let (one, other) = (site.partner(0, "one"), site.partner(1, "other"));
    assert!(one.shard < 512 && other.shard >= 512);
    until("each cell knows of the other's partner", || other.is_known(&a) && one.is_known(&b));
    let twice = ["partner", "add", "other", "--name", "x", "--data", &site.data(0)];
    assert!(stderr(&run(&twice)).contains("P0102"), "one id, one partner, whichever cell has it");
    // Whichever node is asked.
    let key = one.at(&b).key("7000000001");
    let first = one.at(&a).request(&key, "first");
    assert_eq!(first["result"], "A0000", "{first}");
    assert_eq!(one.at(&b).request(&key, "first")["group_key"], first["group_key"]);
    assert_eq!(one.at(&a).remain(), one.at(&b).remain());
    let stranger = Partner { cust_key: other.cust_key.clone(), ..one };
    assert!(!stranger.is_known(&a) && !stranger.is_known(&b));

    let stop = AtomicBool::new(false);
    let told = std::thread::scope(|scope| {
        let calling = |node, name: &'static str| {
            let (one, key, stop) = (&one, &key, &stop);
            scope.spawn(move || {
                let (mut turn, mut longest) = (0, Duration::ZERO);
                while !stop.load(Ordering::SeqCst) {
                    let (told, took) = patiently(one, node, key, &format!("{name}-{turn}"));
                    // Told to come again, it may have been written before.
                    assert!(["A0000", "R0132"].contains(&told.as_str()), "{told}");
                    longest = longest.max(took);
                    turn += 1;
                }
                (turn, longest)
            })
        };
        let clients = [calling(&a, "a"), calling(&b, "b")];
        let (config, shard) = (site.config(0), one.shard.to_string());
        let told = run(&["shard", "move", &shard, "--to", "1", "--config", &config]);
        // Until both have been served by the cell that has it now.
        let again = |node| patiently(&one, node, &key, "again").0 == "R0132";
        let served = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("the first cell sends on what was its own", || again(&a) && again(&b));
        }));
        stop.store(true, Ordering::SeqCst);
        assert!(stderr(&told).contains("is cell 1's"), "{}", stderr(&told));
        served.unwrap();
        clients.map(|client| client.join().unwrap())
    });
    let longest = told[0].1.max(told[1].1);
    assert!(longest < Duration::from_secs(5), "told to come again for {longest:?}");
    let payouts: u64 = told[0].0 + told[1].0 + 2;
    let group = first["group_key"].as_str().unwrap();
    assert_eq!(one.at(&a).execute(group, "NOW")["result"], "A0000");
    // The first was of a thousand won, all others of one.
    let left = serde_json::json!(100_000 - 1_000 - (payouts - 1));
    until("all of them are paid, each once", || {
        let shown = site.shown(1, "one");
        shown["held"] == 0 && shown["available"] == left
    });
    let told = run(&["partner", "show", "one", "--data", &site.data(0)]);
    assert!(stderr(&told).contains("P0101"), "it is nobody's there");
    let shard = format!("{}", one.shard);
    assert!(site.list().contains(&(shard, 1)) || one.shard == 511);
    assert!(a.terminate() && b.terminate());
    site.check([0, payouts]);
}
