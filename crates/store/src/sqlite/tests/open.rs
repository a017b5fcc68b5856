//! Opening: what survives it, what it refuses, and what it notices (decisions H5, I1, I2).

use super::*;
use crate::keys::Keys;
use crate::port::Reader;
use ichae_domain::code::Code;
use ichae_domain::ident::BankNo;
use ichae_domain::view::{Deposit, EventKind, Reply};
use rusqlite::params;
use secrecy::ExposeSecret;

/// Figure 1: everything that was answered is there again, to the last field.
#[test]
fn everything_survives_a_reopen() {
    let site = Site::new();
    let mut harness = site.open();
    let Story { partner, key, waiting, open } = story(&mut harness);
    let before = harness.dump(2_000);
    drop(harness);
    let mut harness = site.open();
    assert_eq!(harness.dump(2_000), before);
    let secret = harness.reader.webhook_secret(partner).unwrap().unwrap();
    assert_eq!(secret.expose_secret(), "whsec_c2VjcmV0");
    // Nothing is handed out twice: serials, keys, bank numbers, distinct_keys.
    assert_eq!(harness.key(partner, "1"), key);
    assert_eq!(harness.request(partner, key, 1_000, "waiting").unwrap_err().code, Code::R0132);
    let next = harness.request(partner, key, 1, "after").unwrap();
    assert!(next.group == open && next.payout > waiting);
    let numbers = bank_numbers(&site);
    harness.execute(partner, open, Action::Now).unwrap();
    let sent = harness.claim_all(partner);
    assert!(!sent.is_empty() && sent.iter().all(|deposit| !numbers.contains(&deposit.bank_no)));
    assert_eq!(site.findings(), [""; 0]);
}

fn bank_numbers(site: &Site) -> Vec<BankNo> {
    let db = site.sql();
    let mut rows = db.prepare("SELECT bank_no FROM attempts WHERE bank_no IS NOT NULL").unwrap();
    let numbers = rows.query_map([], |r| r.get(0).map(BankNo)).unwrap();
    numbers.collect::<Result<_, _>>().unwrap()
}

/// A serial is handed out once even where the row that would show it is the newest of another
/// kind: payouts, groups, keys and partners share the sequence.
#[test]
fn serials_continue_after_whichever_row_was_the_last() {
    type Step = fn(&mut Harness, PartnerNo) -> i64;
    let steps: [Step; 3] = [
        |h, _| h.partner("last", 0).0,
        |h, p| h.key(p, "777").0,
        |h, p| {
            let key = h.key(p, "1");
            let group = h.request(p, key, 1, "opens a group").unwrap().group;
            group.0
        },
    ];
    for step in steps {
        let site = Site::new();
        let mut harness = site.open();
        let partner = harness.partner("a", 100);
        let last = step(&mut harness, partner);
        drop(harness);
        assert_eq!(site.open().partner("next", 0).0, last + 1);
    }
}

/// Decision H5: never below the latest time in the store, whatever the machine's clock says.
#[test]
fn time_never_goes_back_over_a_reopen() {
    let (site, Story { partner, .. }) = told();
    let latest = site.open().reader.latest().unwrap();
    assert!(latest.0 > START, "the story took its time");
    let mut harness = site.open();
    assert_eq!(harness.time(), Time(START), "and the clock is behind it");
    harness.give(fund(partner, 1, "late")).unwrap();
    assert_eq!(harness.reader.events(None, 1).unwrap()[0].at, latest);
}

#[test]
fn a_store_of_a_newer_version_is_refused_with_both_versions() {
    let (site, _) = told();
    let sql = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
               SELECT 99, name, applied_on, checksum FROM refinery_schema_history LIMIT 1";
    site.sql().execute(sql, []).unwrap();
    let text = site.refusal(&site.sealer, |_| {});
    let known = "this store is of version 99, this ichae knows up to 5";
    assert!(text.starts_with(known), "{text}");
}

#[test]
fn a_store_of_another_environment_is_refused() {
    let (site, _) = told();
    let text = site.refusal(&site.sealer, |settings| settings.environment = "live");
    assert_eq!(text, "this store was made for test, not for live");
}

/// Decision I2: everything that opens a store refuses the wrong keys by fingerprint.
#[test]
fn a_store_refuses_other_keys_and_missing_ones() {
    let (site, _) = told();
    let refusal = |keys| {
        let sealer = Arc::new(Sealer::new(keys).unwrap());
        let text = site.refusal(&sealer, |_| {});
        let checked = check(&site.file(), &sealer, |_, _| {}).unwrap_err().to_string();
        assert_eq!(checked, text, "a check refuses them as well");
        text
    };
    let foreign = || Keys::random().unwrap();
    let own = site.keys().load().unwrap();
    let mut others = own.clone();
    others.identifier = foreign().identifier;
    assert!(refusal(others).contains("identifier key 1"));
    let mut others = own.clone();
    others.sealing = foreign().sealing;
    assert!(refusal(others).contains("sealing key 1"));
    let mut others = own;
    others.index = foreign().index;
    assert!(refusal(others).contains("index key 1"));
    // A folder that was rotated and then lost its older lines.
    site.keys().rotate().unwrap();
    for file in ["sealing.keys", "index.keys"] {
        let path = site.keys().path().join(file);
        let whole = std::fs::read_to_string(&path).unwrap();
        let kept: Vec<&str> = whole.lines().filter(|line| !line.starts_with("1 ")).collect();
        std::fs::write(&path, kept.join("\n")).unwrap();
        let kind = file.split('.').next().unwrap();
        assert!(refusal(site.keys().load().unwrap()).contains(&format!("{kind} key 1")));
        std::fs::write(&path, whole).unwrap();
    }
    assert!(
        site.open_with(&Arc::new(Sealer::new(site.keys().load().unwrap()).unwrap()), |_| {})
            .is_ok()
    );
}

/// Which keys the sealed columns are under.
fn sealed_under(site: &Site) -> Vec<u32> {
    let db = site.sql();
    let sql = "SELECT account FROM billing_keys UNION ALL SELECT webhook_secret FROM partners";
    let mut rows = db.prepare(sql).unwrap();
    let sealed = rows.query_map([], |r| r.get::<_, Vec<u8>>(0)).unwrap();
    sealed.map(|sealed| Sealer::sealed_under(&sealed.unwrap()).unwrap()).collect()
}

fn reseal(harness: &mut Harness, limit: usize) -> usize {
    let (mut after, mut slices) = (Some(0), 0);
    while let Some(from) = after {
        after = harness.backend.reseal(from, limit).unwrap();
        slices += 1;
    }
    slices
}

/// Decision I2: sealing keys rotate row by row, the blind index by re-indexing, both read
/// meanwhile.
#[test]
fn a_rotation_reseals_every_row_and_finds_the_same_keys() {
    // Three rows: slices that end before, at and after the last of them.
    for (limit, slices) in [(1, 4), (2, 2), (3, 2), (100, 1)] {
        let (mut site, Story { partner, key, .. }) = told();
        site.sealer = Arc::new(Sealer::new(site.keys().rotate().unwrap()).unwrap());
        let mut harness = site.open();
        assert_eq!(sealed_under(&site), [1; 5]);
        let before = harness.dump(2_000);
        let accounts = accounts(&harness);
        assert_eq!(harness.key(partner, "1"), key, "found by the older index key");
        assert_eq!(reseal(&mut harness, limit), slices);
        assert_eq!(sealed_under(&site), [2; 5]);
        assert_eq!(harness.key(partner, "1"), key, "found by the new one");
        assert!(self::accounts(&harness) == accounts && harness.dump(2_000) == before);
        let secret = harness.reader.webhook_secret(partner).unwrap().unwrap();
        assert_eq!(secret.expose_secret(), "whsec_c2VjcmV0");
        let fresh = harness.key(partner, "new");
        drop(harness);
        assert_eq!(site.open().key(partner, "new"), fresh);
        assert_eq!(site.findings(), [""; 0]);
    }
}

fn accounts(harness: &Harness) -> Vec<ichae_domain::key::Account> {
    let keys = (1..100).filter_map(|no| harness.reader.key(KeyNo(no)).unwrap());
    keys.map(|(_, account)| account).collect()
}

/// Figure 20: a rotation on a store that is being used; afterwards it asks for the new keys.
#[test]
fn keys_are_swapped_in_an_open_store() {
    let (site, Story { partner, key, .. }) = told();
    let old = Arc::new(Sealer::new(site.keys().load().unwrap()).unwrap());
    let mut harness = site.open();
    site.sealer.swap(site.keys().rotate().unwrap()).unwrap();
    let between = harness.key(partner, "between");
    reseal(&mut harness, 2);
    assert_eq!((harness.key(partner, "1"), harness.key(partner, "between")), (key, between));
    assert!(sealed_under(&site).iter().all(|id| *id == 2));
    drop(harness);
    assert!(site.refusal(&old, |_| {}).contains("key 2 is another or missing"));
    assert_eq!(site.open().key(partner, "1"), key);
}

/// The key prints that the store keeps, and the rows of the folder's files.
fn known(site: &Site) -> Vec<(String, i64)> {
    let db = site.sql();
    let mut rows = db.prepare("SELECT kind, id FROM key_prints ORDER BY kind, id").unwrap();
    let rows = rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Takes one key's line out of the folder's files.
fn retire(site: &Site, files: &[&str], id: u32) {
    for file in files {
        let path = site.keys().path().join(file);
        let whole = std::fs::read_to_string(&path).unwrap();
        let kept: Vec<_> = whole.lines().filter(|l| !l.starts_with(&format!("{id} "))).collect();
        assert_eq!(kept.len() + 1, whole.lines().count(), "{file} has it");
        std::fs::write(&path, kept.join("\n")).unwrap();
    }
}

fn reload(site: &Site) -> Arc<Sealer> {
    Arc::new(Sealer::new(site.keys().load().unwrap()).unwrap())
}

const FILES: [&str; 2] = ["sealing.keys", "index.keys"];

/// Decision I2: once every row was sealed again, an old key may leave the folder.
#[test]
fn old_keys_can_be_retired_after_every_row_was_sealed_again() {
    // As soon as the pass is over, and also where the store was opened with the old ones since.
    for reopened in [false, true] {
        let (mut site, Story { partner, key, .. }) = told();
        site.keys().rotate().unwrap();
        site.sealer = reload(&site);
        let mut harness = site.open();
        let both = |kind: &str| [(kind.to_owned(), 1), (kind.to_owned(), 2)];
        assert!(known(&site).ends_with(&both("sealing")));
        reseal(&mut harness, 2);
        let newest = [("identifier", 1), ("index", 2), ("sealing", 2)];
        let newest = newest.map(|(kind, id)| (kind.to_owned(), id));
        assert_eq!(known(&site), newest);
        drop(harness);
        if reopened {
            drop(site.open());
            assert_eq!(known(&site).len(), 5);
        }
        retire(&site, &FILES, 1);
        site.sealer = reload(&site);
        assert_eq!(site.findings(), [""; 0]);
        let mut harness = site.open();
        assert_eq!(known(&site), newest, "what is retired is not looked for at every start");
        assert_eq!(harness.key(partner, "1"), key);
        assert_eq!(accounts(&harness).len(), 3);
        drop(harness);
        // The next rotation goes on from there.
        site.keys().rotate().unwrap();
        site.sealer = reload(&site);
        assert_eq!(reseal(&mut site.open(), 100), 1);
        assert_eq!(sealed_under(&site), [3; 5]);
    }
}

/// As long as one row is under a key, it must be there; so must the index key that may have made
/// that row's fingerprint.
#[test]
fn a_key_that_is_still_used_cannot_be_retired() {
    let (mut site, _) = told();
    let sql = "SELECT webhook_secret FROM partners WHERE no = 1";
    let old: Vec<u8> = site.sql().query_row(sql, [], |r| r.get(0)).unwrap();
    site.keys().rotate().unwrap();
    site.sealer = reload(&site);
    // A pass that was given up after one row.
    assert!(site.open().backend.reseal(0, 1).unwrap().is_some());
    for file in FILES {
        let path = site.keys().path().join(file);
        let whole = std::fs::read_to_string(&path).unwrap();
        retire(&site, &[file], 1);
        let kind = file.split('.').next().unwrap();
        let text = site.refusal(&reload(&site), |_| {});
        assert!(text.contains(&format!("its {kind} key 1 is another or missing")), "{text}");
        std::fs::write(&path, whole).unwrap();
    }
    // A secret is enough.
    reseal(&mut site.open(), 100);
    site.sql().execute("UPDATE partners SET webhook_secret = ?1 WHERE no = 1", [old]).unwrap();
    drop(site.open());
    retire(&site, &FILES, 1);
    assert!(site.refusal(&reload(&site), |_| {}).contains("key 1 is another or missing"));
}

/// An account that was fingerprinted just before the keys were swapped and is written after it.
#[test]
fn a_key_that_is_made_while_the_keys_are_swapped_is_found_by_the_new_ones() {
    let (mut site, Story { partner, .. }) = told();
    let mut harness = site.open();
    let account = account("late");
    let fingerprints = harness.sealer.fingerprints(partner, None, "020", &account);
    site.sealer.swap(site.keys().rotate().unwrap()).unwrap();
    reseal(&mut harness, 100);
    let (sub_id, bank) = (None, "020".to_owned());
    let new = NewKey { partner, sub_id, bank, account, fingerprints };
    let Ok(Reply::Key(key, true)) = harness.give(Command::RegisterKey(Box::new(new))) else {
        panic!("no new key")
    };
    drop(harness);
    retire(&site, &FILES, 1);
    site.sealer = reload(&site);
    assert_eq!(site.open().key(partner, "late"), key);
}

#[test]
fn a_slice_of_nothing_still_goes_on() {
    let (mut site, _) = told();
    site.sealer = Arc::new(Sealer::new(site.keys().rotate().unwrap()).unwrap());
    assert_eq!(reseal(&mut site.open(), 0), 4);
    assert_eq!(sealed_under(&site), [2; 5]);
}

/// Figure 20: a sealed value that is moved to another row does not open.
#[test]
fn a_sealed_account_that_is_moved_to_another_row_does_not_open() {
    let (site, Story { partner, key, .. }) = told();
    let other = site.open().key(partner, "2");
    let db = site.sql();
    let sealed = |no: KeyNo| -> Vec<u8> {
        let sql = "SELECT account FROM billing_keys WHERE no = ?1";
        db.query_row(sql, [no.0], |r| r.get(0)).unwrap()
    };
    let (one, two) = (sealed(key), sealed(other));
    for (no, sealed) in [(key, two), (other, one)] {
        let sql = "UPDATE billing_keys SET account = ?2 WHERE no = ?1";
        db.execute(sql, params![no.0, sealed]).unwrap();
    }
    let harness = site.open();
    for no in [key, other] {
        let error = harness.reader.key(no).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("billing_keys {}: account does not open", no.0)),
            "{error}"
        );
    }
}

/// Copies the store aside, wherever its newest pages are.
fn copy_aside(site: &Site) {
    let mode = "PRAGMA wal_checkpoint(TRUNCATE)";
    site.sql().query_row(mode, [], |_| Ok(())).unwrap();
    for name in ["hub.db", "hub.db-wal"] {
        let from = site.dir.join(name);
        if from.exists() {
            std::fs::copy(from, site.dir.join(format!("{name}.aside"))).unwrap();
        }
    }
}

fn put_back(site: &Site) {
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let _ = std::fs::remove_file(site.dir.join(name));
        let aside = site.dir.join(format!("{name}.aside"));
        if aside.exists() {
            std::fs::copy(aside, site.dir.join(name)).unwrap();
        }
    }
}

/// A store that went on after it was copied aside, and was told so by its witness.
fn went_on() -> (Site, Story, Vec<BankNo>, PayoutNo, Vec<Deposit>) {
    let site = Site::new();
    let mut harness = site.open();
    let story = story(&mut harness);
    copy_aside(&site);
    harness.execute(story.partner, story.open, Action::Now).unwrap();
    let lost = harness.request(story.partner, story.key, 7, "lost").unwrap().payout;
    let sent = harness.claim_all(story.partner);
    let numbers = bank_numbers(&site);
    drop(harness);
    // Each opening writes the witness.
    drop(site.open());
    (site, story, numbers, lost, sent)
}

/// Decision I1: a store that finds itself older than it was starts a new epoch before it serves.
#[test]
fn a_store_that_was_put_back_starts_a_new_epoch_and_pauses() {
    let (site, Story { partner, key, .. }, used, lost, _) = went_on();
    put_back(&site);
    let opened = site.open_with(&site.sealer, |_| {}).unwrap();
    assert!(opened.rolled_back);
    let epochs = opened.reader.epochs().unwrap();
    assert_eq!((epochs.current(), epochs.of(1)), (1, 0));
    let pause = opened.reader.rail().unwrap().pause.unwrap();
    assert!(pause.reason.contains("epoch 1 started"), "{}", pause.reason);
    let events = opened.reader.events(None, 100).unwrap();
    let started = events.iter().find(|event| event.kind == EventKind::EpochStarted).unwrap();
    assert_eq!(started.note.as_ref(), Some(&pause.reason));
    drop(opened);
    assert_eq!(site.findings(), [""; 0]);

    let mut harness = site.open();
    let next = harness.request(partner, key, 7, "another").unwrap().payout;
    let epochs = harness.reader.epochs().unwrap();
    assert_eq!(epochs.of(next.0), 1, "a new serial is of the new epoch");
    assert_eq!(epochs.of(lost.0), 1, "an identifier of the lost time names none of its own");
    assert!(harness.claim_all(partner).is_empty(), "paused until a person looked");
    harness.give(Command::ResumeRail).unwrap();
    assert!(harness.claim_all(partner).is_empty(), "what is of the lost time is never sent again");
    let row = harness.request(partner, key, 8, "of the new epoch").unwrap();
    harness.execute(partner, row.group, Action::Now).unwrap();
    let sent = harness.claim_all(partner);
    let of_new_epoch = |deposit: &Deposit| deposit.payout >= next;
    assert!(!sent.is_empty() && sent.iter().all(of_new_epoch));
    assert!(sent.iter().all(|deposit| !used.contains(&deposit.bank_no)));
    drop(harness);
    assert_eq!(site.findings(), [""; 0]);
}

/// Decision I1: what was sent in the lost time is asked about under the very number that it was sent
/// under, which the store never saw; what may have been sent is held until the bank has answered.
#[test]
fn what_was_sent_in_the_lost_time_is_asked_about_under_its_number() {
    let (site, Story { partner, waiting, .. }, _, lost, sent) = went_on();
    put_back(&site);
    let mut harness = site.open();
    let due = harness.reader.due_inquiries(harness.time().plus_ms(60_000), 1_000).unwrap();
    let known = |deposit: &&Deposit| deposit.payout < lost;
    let asked = |sent: &Deposit| {
        due.iter().any(|due| {
            (due.payout, due.bank_no, due.amount) == (sent.payout, sent.bank_no, sent.amount)
        })
    };
    let there: Vec<&Deposit> = sent.iter().filter(known).collect();
    assert!(there.iter().any(|deposit| deposit.payout == waiting));
    // One had a number before, and got own-side or lost answers; each is asked under what it had.
    assert!(there.iter().all(|deposit| asked(deposit)), "{there:?} {due:?}");
    let held = harness.balances(partner).1;
    let rows = due.iter().filter(|due| due.partner == partner).map(|due| due.amount.0);
    assert_eq!(rows.sum::<i64>() + 500, held, "and one of before, sent without an answer");
    let paid = *due.iter().find(|due| due.payout == waiting).unwrap();
    let at = harness.time();
    harness.told(&paid, Asked::Inquiry, settled(at)).unwrap();
    assert_eq!(harness.balances(partner).1, held - paid.amount.0);
    drop(harness);
    assert_eq!(site.findings(), [""; 0]);
}

/// Numbers of an epoch that counted them may be another payout's: nothing is asked under a guess.
#[test]
fn no_number_is_guessed_for_an_epoch_that_counted_them() {
    let (site, Story { partner, waiting, .. }, ..) = went_on();
    put_back(&site);
    site.sql().execute("UPDATE epochs SET counted = 1", []).unwrap();
    let mut harness = site.open();
    let due = harness.reader.due_inquiries(harness.time().plus_ms(60_000), 1_000).unwrap();
    assert!(due.iter().all(|due| due.payout != waiting), "{due:?}");
    let row = harness.reader.row(waiting).unwrap().unwrap();
    assert_eq!(row.state, ichae_domain::payout::State::Unknown);
    assert_eq!(row.attempt.unwrap().bank_no, None);
    harness.give(Command::ResumeRail).unwrap();
    assert!(harness.claim_all(partner).is_empty());
}

/// Every further time is an epoch of its own; a store that is not behind starts none.
#[test]
fn epochs_are_counted_by_restores_not_by_starts() {
    let (site, ..) = went_on();
    let open = || {
        let opened = site.open_with(&site.sealer, |_| {}).unwrap();
        (opened.rolled_back, opened.reader.epochs().unwrap().current())
    };
    assert_eq!(open(), (false, 0));
    put_back(&site);
    assert_eq!(open(), (true, 1));
    assert_eq!(open(), (false, 1));
    put_back(&site);
    assert_eq!(open(), (true, 2));
}

#[test]
fn used_up_epochs_are_refused_and_never_wrap() {
    let (site, ..) = went_on();
    let witness = site.dir.join("witness");
    let text = std::fs::read_to_string(&witness).unwrap();
    let id = text.split(' ').next().unwrap();
    let last = ichae_domain::ident::EPOCHS_MAX - 1;
    std::fs::write(&witness, format!("{id} {last} 1\n")).unwrap();
    assert!(site.refusal(&site.sealer, |_| {}).contains("epochs are used up"));
}

#[test]
fn a_witness_of_another_store_is_refused_and_an_unreadable_one_says_nothing() {
    let (site, _) = told();
    let (other, _) = told();
    let path = other.dir.join("witness");
    let witness = Some(path.clone());
    let text = site.refusal(&site.sealer, |settings| settings.witness.clone_from(&witness));
    assert!(text.contains("witness is of another store"), "{text}");
    std::fs::write(path, "not a witness").unwrap();
    let opened = site.open_with(&site.sealer, |settings| settings.witness = witness).unwrap();
    assert!(!opened.rolled_back);
}

/// Nothing that is open is half open: a refused store answers nothing, and is not changed.
#[test]
fn a_refused_opening_changes_nothing() {
    let (site, Story { partner, key, .. }) = told();
    let before = site.open().dump(2_000);
    site.refusal(&site.sealer, |settings| settings.environment = "live");
    let foreign = Sealer::new(Keys::random().unwrap()).unwrap();
    site.refusal(&Arc::new(foreign), |_| {});
    let mut harness = site.open();
    assert_eq!(harness.dump(2_000), before);
    assert!(matches!(harness.give(request(partner, key, 1, "d")), Ok(Reply::Requested(_))));
}
