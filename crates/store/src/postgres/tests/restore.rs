//! A database that is older than it was, as after a restore to a point in time (decision I1).

use super::nodes::harness;
use super::server::database;
use crate::conformance::*;
use crate::keys::Keys;
use crate::port::Reader;
use crate::postgres::scratch::ScratchDatabase;
use crate::postgres::{self, Opened};
use crate::seal::Sealer;
use ichae_domain::command::Action;
use ichae_domain::time::Time;
use std::path::Path;
use std::sync::Arc;

fn node(database: &ScratchDatabase, sealer: &Arc<Sealer>, witness: &Path) -> Opened {
    let settings = postgres::Settings {
        link: database.link().unwrap(),
        environment: "test",
        rules: RULES,
        clock: Arc::new(|| Time(START)),
        witness: Some(witness.to_owned()),
        node: "a".to_owned(),
        one_by_one: false,
        peers: vec![],
    };
    postgres::open(settings, sealer).unwrap()
}

#[test]
fn a_restored_database_begins_an_epoch_and_doubts_what_waited() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    let witness = std::env::temp_dir().join(format!("ichae-restored-{}", std::process::id()));
    let mut before = harness(node(&database, &sealer, &witness), &sealer);
    let partner = before.partner("shop", 100_000);
    let key = before.key(partner, "1234567890");
    let waits = before.request(partner, key, 1_000, "waits").unwrap();
    drop(before);
    let backup = database.copy("restored").unwrap();
    let mut lost = harness(node(&database, &sealer, &witness), &sealer);
    lost.execute(partner, waits.group, Action::Now).unwrap();
    lost.request(partner, key, 2_000, "after").unwrap();
    drop(lost);
    // As the server does it: on a thread that drives other work.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let opened = runtime.block_on(async { node(&backup, &sealer, &witness) });
    assert!(opened.rolled_back);
    assert!(opened.reader.rail().unwrap().pause.is_some());
    assert_eq!(opened.reader.epochs().unwrap().current(), 1, "numbers of another epoch");
    let mut restored = harness(opened, &sealer);
    assert_eq!(restored.state(waits.payout), "unknown");
    assert_eq!(restored.balances(partner), (99_000, 1_000));
    restored.request(partner, key, 2_000, "after").unwrap();
    drop(restored);
    assert!(!node(&backup, &sealer, &witness).rolled_back, "once is enough");
    std::fs::remove_file(&witness).unwrap();
}
