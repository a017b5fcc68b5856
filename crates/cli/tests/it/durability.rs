//! After a kill nothing is lost and nothing is sent twice; a store of another version is told apart.

use crate::process::{Folder, Running, run, stderr, stdout};
use ichae_rail::simulated::audit::read_journal;
use rusqlite::Connection;

/// Decision H13: the intent is durable before the bank is called; after a crash every intent without
/// an answer is asked about, none is sent again.
#[test]
fn killed_again_and_again_the_bank_pays_each_payout_once() {
    let data = Folder::new("once");
    let mut made = Vec::new();
    for round in 0..6 {
        let running = Running::sandbox(&data, &[]);
        let api = running.api();
        // Plain, slow to answer, lost answers: the kill lands in each part of a payout's way.
        let account = ["1", "9900004000", "9900002804"][round % 3];
        let key = api.key(account);
        for no in 0..5 {
            let answer = api.request(&key, &format!("r{round}-{no}"));
            assert_eq!(answer["result"], "A0000");
            made.push(answer);
        }
        let group = made[made.len() - 1]["group_key"].as_str().unwrap();
        assert_eq!(api.execute(group, "NOW")["result"], "A0000");
        running.kill_9();
    }
    let running = Running::sandbox(&data, &[]);
    let api = running.api();
    for answer in &made {
        let distinct = answer["distinct_key"].as_str().unwrap();
        let key = answer["billing_tran_id"].as_str().unwrap();
        let repeat = api.request(key, distinct);
        assert_eq!(repeat["result"], "R0132", "an answered request is there: {repeat}");
        assert_eq!(repeat["api_tran_dtm"], answer["api_tran_dtm"]);
    }
    assert!(running.terminate());
    let journal = read_journal(&data.path().join("bank.db")).unwrap();
    assert!(journal.most_paid <= 1, "{journal:?}");
    let check = run(&["check", "--data", data.text()]);
    assert!(check.status.success(), "{}", stdout(&check));
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let data = Folder::new("newer");
    drop(Running::sandbox(&data, &[]));
    let store = Connection::open(data.path().join("hub.db")).unwrap();
    let sql = "INSERT INTO refinery_schema_history VALUES (999, 'later', '2030-01-01', '0')";
    store.execute(sql, []).unwrap();
    drop(store);
    let args = ["sandbox", "--listen", "127.0.0.1:0", "--data", data.text()];
    let refused = run(&args);
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("version 999"), "{}", stderr(&refused));
}

#[test]
fn a_store_without_its_keys_is_refused_and_gets_no_new_ones() {
    let data = Folder::new("keyless");
    drop(Running::sandbox(&data, &[]));
    std::fs::rename(data.path().join("keys"), data.path().join("aside")).unwrap();
    let args = ["sandbox", "--listen", "127.0.0.1:0", "--data", data.text()];
    let refused = run(&args);
    assert!(stderr(&refused).contains("has no keys"), "{}", stderr(&refused));
    assert!(!data.path().join("keys").exists());
}
