//! Backup and restore (decision I1): of one moment, whole or not at all, and nothing is sent twice.

use super::*;
use crate::conformance::settled;
use crate::sqlite::backup::{backup, restore};
use ichae_domain::code::Code;
use ichae_domain::view::Deposit;
use std::fs;

impl Site {
    fn backup(&self, name: &str) -> PathBuf {
        let to = self.dir.join(name);
        backup(&self.file(), &self.sealer, &to, |_, _| {}).unwrap();
        to
    }

    fn restore(&self, from: &Path) -> Result<u16, StoreError> {
        let (file, witness) = (self.file(), self.dir.join("witness"));
        restore(from, &file, &self.sealer, &witness, Time(START)).map(|done| done.epoch)
    }
}

#[test]
fn a_backup_of_a_store_at_work_is_of_one_moment() {
    let site = Site::new();
    let mut h = site.open();
    let story = story(&mut h);
    let before = h.dump(2_000);
    let mut told = (0, 0);
    let to = site.dir.join("backup");
    // The writer works on between the pages.
    let mut at = 0;
    let (note, report) = backup(&site.file(), &site.sealer, &to, |done, total| {
        h.request(story.partner, story.key, 1, &format!("meanwhile {at}")).unwrap();
        at += 1;
        told = (done, total);
    })
    .unwrap();
    assert!(told.0 == told.1 && told.0 > 0 && at > 0);
    assert_eq!((report.findings.len(), note.epoch), (0, 0));
    drop(h);
    assert_eq!(site.findings(), [""; 0], "and the store itself went on");
    site.restore(&to).unwrap();
    let mut h = site.open();
    let again = h.request(story.partner, story.key, 1, "meanwhile 0");
    assert!(again.is_ok(), "what came after the backup is not in it");
    assert_ne!(h.dump(2_000), before, "what waited is in doubt now");
}

/// What was sent after the backup is asked about and never sent again; a distinct_key of before the
/// backup is still used up.
#[test]
fn a_restored_store_sends_nothing_that_may_have_been_sent() {
    let site = Site::new();
    let mut h = site.open();
    let Story { partner, key, waiting, open } = story(&mut h);
    let from = site.backup("backup");
    h.execute(partner, open, Action::Now).unwrap();
    let sent = h.claim_all(partner);
    let paid: Deposit = *sent.iter().find(|deposit| deposit.payout == waiting).unwrap();
    drop(h);
    assert_eq!(site.restore(&from).unwrap(), 1);
    let mut h = site.open();
    assert!(h.reader.rail().unwrap().pause.is_some());
    h.give(Command::ResumeRail).unwrap();
    assert!(h.claim_all(partner).is_empty());
    assert_eq!(
        h.give(execute(partner, open, Target::All, Action::Cancel)).unwrap_err().code,
        Code::E0130,
        "what may have been paid is not given back either"
    );
    let due = h.reader.due_inquiries(h.time(), 1_000).unwrap();
    let asked = due.iter().find(|due| due.payout == waiting).unwrap();
    assert_eq!((asked.bank_no, asked.amount), (paid.bank_no, paid.amount));
    let at = h.time();
    h.told(asked, Asked::Inquiry, settled(at)).unwrap();
    let repeat = h.request(partner, key, 1_000, "waiting").unwrap_err();
    assert_eq!(repeat.code, Code::R0132);
    // Numbers and identifiers of the lost time never come again.
    let fresh = h.request(partner, key, 9, "fresh").unwrap();
    h.execute(partner, fresh.group, Action::Now).unwrap();
    let resent = h.claim_all(partner);
    assert!(resent.iter().all(|new| sent.iter().all(|old| old.bank_no != new.bank_no)));
    assert_eq!(h.reader.epochs().unwrap().of(fresh.payout.0), 1);
    drop(h);
    assert_eq!(site.findings(), [""; 0]);
}

#[test]
fn the_old_store_is_kept_and_each_restore_is_an_epoch() {
    let (site, _) = told();
    let from = site.backup("backup");
    let old = fs::read(site.file()).unwrap().len();
    for epoch in 1..4 {
        assert_eq!(site.restore(&from).unwrap(), epoch);
        let kept = site.dir.join(format!("hub.db.before-epoch-{epoch}"));
        assert!(fs::read(kept).unwrap().len() >= old);
        drop(site.open());
        assert_eq!(site.findings(), [""; 0]);
    }
}

/// What restores are for: the store that is there cannot be read any more.
#[test]
fn a_damaged_store_is_replaced_and_kept() {
    let (site, Story { partner, key, .. }) = told();
    let from = site.backup("backup");
    // With its log gone too: SQLite would mend the file from it.
    for name in ["hub.db-wal", "hub.db-shm"] {
        let _ = fs::remove_file(site.dir.join(name));
    }
    fs::write(site.file(), b"nonsense").unwrap();
    assert_eq!(site.restore(&from).unwrap(), 1);
    let kept = fs::read(site.dir.join("hub.db.before-epoch-1")).unwrap();
    assert!(kept == b"nonsense", "{} bytes", kept.len());
    let mut h = site.open();
    assert!(h.request(partner, key, 1, "fresh").is_ok());
    drop(h);
    assert_eq!(site.findings(), [""; 0]);
}

#[test]
fn what_is_no_good_backup_is_refused_and_nothing_changes() {
    let (site, _) = told();
    let from = site.backup("backup");
    let before = site.open().dump(2_000);
    let refusal = |site: &Site, from: &Path| site.restore(from).unwrap_err().to_string();
    assert!(refusal(&site, &site.dir.join("nowhere")).contains("backup.txt"));
    let copy = from.join("hub.db");
    let good = fs::read(&copy).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&copy, &bad).unwrap();
    assert!(refusal(&site, &from).contains("changed or damaged"));
    fs::write(&copy, &good).unwrap();
    let other = Site::new();
    drop(other.open());
    let text = other.restore(&from).unwrap_err().to_string();
    assert!(text.contains("key folder does not belong"), "{text}");
    assert_eq!(site.open().dump(2_000), before);
    let again = backup(&site.file(), &site.sealer, &from, |_, _| {}).unwrap_err();
    assert!(again.to_string().contains("is there already"));
    let left: Vec<_> = fs::read_dir(&site.dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("restoring") || name.contains("partial"))
        .collect();
    assert_eq!(left, [""; 0]);
}

/// Damage is found while the backup is made, not when it is needed.
#[test]
fn a_store_that_does_not_add_up_is_not_backed_up_in_silence() {
    let (site, _) = told();
    site.sql().execute("UPDATE ledgers SET available = available + 1", []).unwrap();
    let to = site.dir.join("backup");
    let error = backup(&site.file(), &site.sealer, &to, |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("the ledger does not add up"), "{error}");
    assert!(!to.exists());
}
