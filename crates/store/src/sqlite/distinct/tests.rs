use super::*;
use ichae_domain::ident::Epochs;
use proptest::prelude::*;
use rusqlite::params;
use std::collections::HashMap;
use std::path::PathBuf;

/// A table of payouts that has just the columns that matter here.
struct Rows {
    dir: PathBuf,
    main: Connection,
    epochs: Vec<(i64, u16)>,
}

const STORE: &[u8] = b"0123456789abcdef";
/// Small, so that a test makes runs of several levels.
const FLUSH: usize = 4;

impl Rows {
    fn new() -> Rows {
        let dir = crate::conformance::scratch();
        let main = Connection::open(dir.join("hub.db")).unwrap();
        let sql = "CREATE TABLE payouts (no INTEGER PRIMARY KEY, partner, distinct_key)";
        main.execute_batch(sql).unwrap();
        Rows { dir, main, epochs: vec![(1, 0)] }
    }

    fn open(&self) -> DistinctKeys {
        self.open_as(STORE)
    }

    fn open_as(&self, store: &[u8]) -> DistinctKeys {
        let epochs = Arc::new(Epochs::new(self.epochs.clone()).unwrap());
        let lineage = Lineage { store_id: store.to_vec(), epochs };
        DistinctKeys::open(&self.main, &self.dir.join("hub.db"), &lineage, FLUSH).unwrap()
    }

    fn add(&self, keys: &mut DistinctKeys, partner: i64, key: &str, no: i64) {
        let sql = "INSERT INTO payouts VALUES (?1, ?2, ?3)";
        self.main.execute(sql, params![no, partner, key]).unwrap();
        keys.insert(PartnerNo(partner), key, PayoutNo(no));
    }

    /// So many rows, each committed by itself.
    fn fill(&self, keys: &mut DistinctKeys, numbers: std::ops::Range<i64>) {
        for no in numbers {
            self.add(keys, no % 3, &name(no), no);
            keys.committed();
        }
    }

    fn counted(&self) -> (i64, i64) {
        let counted = counted(&self.dir.join("hub.db")).unwrap().unwrap();
        (counted.watermark, counted.rows)
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        crate::conformance::remove(&self.dir);
    }
}

fn name(no: i64) -> String {
    format!("order-{no}")
}

fn find(keys: &DistinctKeys, partner: i64, key: &str) -> Vec<i64> {
    let mut found = Vec::new();
    keys.candidates(PartnerNo(partner), key, &mut found).unwrap();
    found.into_iter().map(|no| no.0).collect()
}

/// Waits until everything that was frozen is written down.
fn settle(keys: &mut DistinctKeys) {
    while keys.frozen.is_some() {
        keys.worker.wait_for_flush();
        keys.adopt();
    }
}

#[test]
fn a_key_is_found_wherever_it_is_and_only_for_its_partner() {
    let rows = Rows::new();
    let mut keys = rows.open();
    rows.fill(&mut keys, 1..200);
    settle(&mut keys);
    for no in 1..200 {
        assert_eq!(find(&keys, no % 3, &name(no)), [no], "{no}");
        assert_eq!(find(&keys, no % 3 + 1, &name(no)), [0; 0], "{no}");
    }
    assert_eq!(find(&keys, 1, "never"), [0; 0]);
    assert!(!keys.runs.0.is_empty());
}

/// What was only in memory is read from the rows again; what is in a run is not.
#[test]
fn nothing_is_forgotten_when_the_process_dies() {
    let rows = Rows::new();
    let mut keys = rows.open();
    rows.fill(&mut keys, 1..103);
    settle(&mut keys);
    let (watermark, _) = rows.counted();
    assert!(watermark > 0);
    drop(keys);
    let keys = rows.open();
    assert_eq!(rows.counted().0, watermark, "the file was believed");
    for no in 1..103 {
        assert_eq!(find(&keys, no % 3, &name(no)), [no], "{no}");
    }
    assert_eq!(keys.recent.len() as i64, 102 - watermark);
}

#[test]
fn a_batch_that_is_rolled_back_uses_nothing_up() {
    let rows = Rows::new();
    let mut keys = rows.open();
    keys.insert(PartnerNo(1), "a", PayoutNo(1));
    assert_eq!(find(&keys, 1, "a"), [1]);
    keys.rolled_back();
    assert_eq!(find(&keys, 1, "a"), [0; 0]);
    keys.insert(PartnerNo(1), "a", PayoutNo(2));
    keys.committed();
    keys.insert(PartnerNo(1), "b", PayoutNo(3));
    keys.rolled_back();
    assert_eq!((find(&keys, 1, "a"), find(&keys, 1, "b")), (vec![2], vec![]));
}

/// Eight runs of a level become one of the next, and what they held is all there.
#[test]
fn runs_merge_in_levels_and_old_tables_go() {
    let rows = Rows::new();
    let mut keys = rows.open();
    let mut no = 1;
    // As long as it takes the thread to have merged twice.
    while !keys.runs.0.iter().any(|run| run.level == 2) {
        rows.fill(&mut keys, no..no + 40);
        no += 40;
        settle(&mut keys);
        assert!(no < 400_000, "it never merged");
    }
    for no in 1..no {
        assert_eq!(find(&keys, no % 3, &name(no)), [no], "{no}");
    }
    drop(keys);
    let keys = rows.open();
    let (watermark, counted) = rows.counted();
    assert_eq!(watermark, counted, "every row up to the watermark is in exactly one run");
    let db = Connection::open(file_beside(&rows.dir.join("hub.db"))).unwrap();
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'run\\_%' ESCAPE '\\' \
               AND type = 'table'";
    let tables: i64 = db.query_row(sql, [], |r| r.get(0)).unwrap();
    assert_eq!(usize::try_from(tables).unwrap(), keys.runs.0.len());
}

/// A file of other rows is never believed: of another store, ahead of the rows, of an epoch that
/// was left, of changed rows, or no database at all.
#[test]
fn a_file_of_other_rows_is_made_anew() {
    type Change = fn(&mut Rows);
    let table: &[(&str, Change, &[u8])] = &[
        ("another store", |_| {}, b"fedcba9876543210"),
        (
            "rows that went back",
            |rows| {
                rows.main.execute("DELETE FROM payouts WHERE no > 20", []).unwrap();
            },
            STORE,
        ),
        ("an epoch that was left", |rows| rows.epochs.push((30, 1)), STORE),
        (
            "another row in the place of the last",
            |rows| {
                let (last, _) = rows.counted();
                let sql = "UPDATE payouts SET distinct_key = 'other' WHERE no = ?1";
                rows.main.execute(sql, [last]).unwrap();
            },
            STORE,
        ),
        (
            "no database",
            |rows| {
                std::fs::write(file_beside(&rows.dir.join("hub.db")), b"nonsense").unwrap();
            },
            STORE,
        ),
        (
            "filters of another library",
            |rows| {
                let db = Connection::open(file_beside(&rows.dir.join("hub.db"))).unwrap();
                db.execute("UPDATE meta SET filters = filters + 1", []).unwrap();
            },
            STORE,
        ),
    ];
    for (what, change, store) in table {
        let mut rows = Rows::new();
        let mut keys = rows.open();
        rows.fill(&mut keys, 1..60);
        settle(&mut keys);
        drop(keys);
        change(&mut rows);
        let keys = rows.open_as(store);
        let sql = "SELECT no, partner, distinct_key FROM payouts";
        let mut statement = rows.main.prepare(sql).unwrap();
        let found: Vec<(i64, i64, String)> = statement
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (no, partner, key) in &found {
            assert_eq!(find(&keys, *partner, key), [*no], "{what}");
        }
        if found.len() < 59 {
            assert_eq!(find(&keys, 50 % 3, &name(50)), [0; 0], "{what}");
        }
    }
}

/// Two keys of one hash are both found, and whoever asks tells them apart by their rows.
#[test]
fn rows_of_one_hash_do_not_hide_each_other() {
    let mut recent = Recent::default();
    recent.insert(7, PayoutNo(1));
    recent.insert(7, PayoutNo(2));
    recent.insert(u64::MAX, PayoutNo(3));
    let find = |recent: &Recent, hash| {
        let mut found = Vec::new();
        recent.find(hash, &mut found);
        found.into_iter().map(|no| no.0).collect::<Vec<_>>()
    };
    assert_eq!(find(&recent, 7), [1, 2]);
    assert_eq!(recent.sorted().len(), 3);
    recent.remove(7, PayoutNo(1));
    assert_eq!(find(&recent, 7), [2]);
    recent.remove(7, PayoutNo(2));
    assert_eq!((find(&recent, 7), find(&recent, u64::MAX)), (vec![], vec![3]));
}

/// Filters are stored: if a newer library made others of the same keys, this test fails, and the
/// files of older installations are made anew.
#[test]
fn the_filters_are_the_ones_that_are_stored() {
    let mut filter = runs::Filter::for_keys(1_000);
    (0..1_000).for_each(|key| filter.insert(key * 7_919));
    let again = runs::Filter::from_bytes(&filter.to_bytes(), 1_000).unwrap();
    assert!((0..1_000).all(|key| again.may_have(key * 7_919)));
    let wrong = (0..10_000).filter(|key| again.may_have(key * 7_919 + 1)).count();
    assert!(wrong < 100, "{wrong} of 10,000 for nothing");
    assert!(runs::Filter::from_bytes(&filter.to_bytes(), 2_000).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    /// Random batches, rollbacks and restarts against a plain map.
    #[test]
    fn it_says_what_a_map_says(
        steps in prop::collection::vec((0_u8..10, 0_i64..3, 0_u16..400), 1..400),
    ) {
        let rows = Rows::new();
        let mut keys = rows.open();
        let mut model: HashMap<(i64, String), i64> = HashMap::new();
        let mut batch: Vec<(i64, String, i64)> = Vec::new();
        let mut next = 1;
        for (kind, partner, key) in steps {
            let key = name(i64::from(key));
            match kind {
                0..=6 => {
                    let in_batch = batch.iter().find(|(p, k, _)| *p == partner && *k == key);
                    let known = model.get(&(partner, key.clone())).copied();
                    let known = known.or(in_batch.map(|(.., no)| *no));
                    prop_assert_eq!(find(&keys, partner, &key), Vec::from_iter(known));
                    if known.is_none() {
                        keys.insert(PartnerNo(partner), &key, PayoutNo(next));
                        batch.push((partner, key, next));
                        next += 1;
                    }
                }
                7 => {
                    keys.rolled_back();
                    batch.clear();
                }
                8 => {
                    for (partner, key, no) in batch.drain(..) {
                        let sql = "INSERT INTO payouts VALUES (?1, ?2, ?3)";
                        rows.main.execute(sql, params![no, partner, key]).unwrap();
                        model.insert((partner, key), no);
                    }
                    keys.committed();
                }
                _ => {
                    drop(keys);
                    batch.clear();
                    keys = rows.open();
                }
            }
        }
        keys.rolled_back();
        for ((partner, key), no) in &model {
            prop_assert_eq!(find(&keys, *partner, key), vec![*no]);
        }
    }
}
