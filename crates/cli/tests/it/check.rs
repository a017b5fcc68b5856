//! `ichae check`: clean on a good store, loud on a damaged one, exact on a live one.

use crate::process::{Folder, Running, json, run, stderr, stdout};
use rusqlite::Connection;

fn used_store(name: &str) -> Folder {
    let data = Folder::new(name);
    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    let key = api.key("1");
    let group = api.request(&key, "a")["group_key"].as_str().unwrap().to_owned();
    api.execute(&group, "NOW");
    api.settled(&group);
    api.request(&key, "b");
    assert!(running.terminate());
    data
}

#[test]
fn each_damage_is_found_and_named() {
    let damages = [
        ("UPDATE ledgers SET available = available + 1", "available is stored as"),
        ("UPDATE postings SET amount = amount + 1 WHERE no = 2", "hash chain breaks"),
        ("DELETE FROM postings WHERE no = 3", "hash chain breaks"),
        ("UPDATE rails SET settlement = settlement - 5", "settlement is stored as"),
        ("UPDATE payouts SET own = 3 WHERE own IS NULL", "its payouts that hold sum to"),
        ("UPDATE groups SET waiting = 7 WHERE waiting > 0", "counts 7 waiting"),
        ("DELETE FROM notices", "webhook notices"),
    ];
    for (sql, finding) in damages {
        let data = used_store("damage");
        let good = run(&["check", "--data", data.text()]);
        assert!(good.status.success(), "{}", stdout(&good));
        let store = Connection::open(data.path().join("hub.db")).unwrap();
        assert!(store.execute(sql, []).unwrap() > 0, "{sql}");
        drop(store);
        let found = run(&["check", "--data", data.text()]);
        assert_eq!(found.status.code(), Some(1), "{sql}");
        assert!(stdout(&found).contains(finding), "{sql}: {}", stdout(&found));
        assert!(stderr(&found).contains("findings"));
    }
}

#[test]
fn a_live_store_is_checked_while_it_works() {
    let data = Folder::new("live");
    let running = Running::sandbox(&data, &[]);
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let api = running.api();
            let key = api.key("1");
            for round in 0..20 {
                let made = api.request(&key, &format!("d{round}"));
                let group = made["group_key"].as_str().unwrap();
                api.execute(group, if round % 3 == 0 { "CANCEL" } else { "NOW" });
            }
        });
        while !work.is_finished() {
            let report = json(&["check", "--data", data.text()]);
            assert_eq!(report["findings"], serde_json::json!([]));
        }
    });
}

#[test]
fn another_stores_keys_are_refused() {
    let (data, other) = (used_store("keys-a"), used_store("keys-b"));
    let keys = other.path().join("keys");
    let refused = run(&["check", "--data", data.text(), "--keys", keys.to_str().unwrap()]);
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("does not belong to this store"), "{}", stderr(&refused));
}
