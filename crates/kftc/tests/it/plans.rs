//! A plan's dice: the same seed goes the same way.

use crate::site::{PLAIN, Row, Site};

const PLAN: &str = "[per_mille]\nrefused = 200\nown-side = 100\nwrong-date = 100\n\
                    wrong-echo = 100\ninquiry-no-history = 300\n";

async fn run(seed: u64, numbers: impl Iterator<Item = u32>) -> Vec<Row> {
    let site = Site::start(&format!("seed = {seed}\n{PLAN}")).await;
    for n in numbers {
        site.deposit(n, PLAIN).await;
    }
    let mut rows = site.rows();
    rows.sort_by(|one, two| one.id.cmp(&two.id));
    rows
}

#[tokio::test]
async fn a_seed_strikes_the_same_deposits_in_any_order() {
    let forward = run(5, 1..=60).await;
    assert_eq!(forward, run(5, (1..=60).rev()).await);
    assert_ne!(forward, run(6, 1..=60).await);
    for fault in ["refused", "own-side", "wrong-date", "wrong-echo", "inquiry-no-history"] {
        let struck = |row: &&Row| row.fault.as_ref().is_some_and(|names| names.contains(fault));
        assert!(forward.iter().filter(struck).count() > 0, "{fault}");
    }
    assert!(forward.iter().any(|row| row.fault.is_none()));
}
