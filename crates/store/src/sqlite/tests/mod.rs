//! What only the embedded store must do: survive, refuse, notice, and be found out.

mod backup;
mod damage;
mod live;
mod open;
mod queue;
mod walls;

use super::check::{check, check_in};
use super::{Opened, Settings};
use crate::conformance::*;
use crate::keys::KeyFolder;
use crate::port::StoreError;
use crate::seal::Sealer;
use ichae_domain::command::*;
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::time::Time;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with keys and a store that outlives the handles on it.
struct Site {
    dir: PathBuf,
    sealer: Arc<Sealer>,
}

impl Site {
    fn new() -> Site {
        let dir = scratch();
        let keys = KeyFolder::at(&dir.join("keys")).create().unwrap();
        Site { dir, sealer: Arc::new(Sealer::new(keys).unwrap()) }
    }

    fn file(&self) -> PathBuf {
        self.dir.join("hub.db")
    }

    fn keys(&self) -> KeyFolder {
        KeyFolder::at(&self.dir.join("keys"))
    }

    fn open(&self) -> Harness {
        let mut harness = on_sqlite_at(
            self.dir.clone(),
            Arc::clone(&self.sealer),
            (crate::sqlite::KEYS_IN_MEMORY, RULES),
        );
        // The folder is this site's to remove.
        harness.file = None;
        harness
    }

    /// Opens with settings of a test's own.
    fn open_with(
        &self,
        sealer: &Arc<Sealer>,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Opened, StoreError> {
        let mut settings = Settings {
            file: self.file(),
            environment: "test",
            rules: RULES,
            clock: Arc::new(|| Time(START)),
            witness: Some(self.dir.join("witness")),
            keys_in_memory: crate::sqlite::KEYS_IN_MEMORY,
        };
        change(&mut settings);
        super::open(settings, sealer)
    }

    /// The text by which an opening is refused.
    #[track_caller]
    fn refusal(&self, sealer: &Arc<Sealer>, change: impl FnOnce(&mut Settings)) -> String {
        match self.open_with(sealer, change) {
            Err(StoreError::Refused(text)) => text,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it opened"),
        }
    }

    /// A hand on the file itself.
    fn sql(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    fn findings(&self) -> Vec<String> {
        let report = check(&self.file(), &self.sealer, |_, _| {}).unwrap();
        report.findings.iter().map(|finding| finding.to_string()).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        remove(&self.dir);
    }
}

/// Who and what [`story`] left behind.
struct Story {
    partner: PartnerNo,
    key: KeyNo,
    waiting: PayoutNo,
    open: GroupNo,
}

/// A store with a payout in every state, in open, closed, executed and cancelled groups.
fn story(h: &mut Harness) -> Story {
    let partner = h.partner("a", 10_000);
    let other = h.partner("b", 500);
    let (key, dying) = (h.key(partner, "1"), h.key(partner, "2"));
    let cancelled = h.request(partner, key, 50, "cancelled").unwrap();
    h.request(partner, key, 60, "cancelled too").unwrap();
    h.execute(partner, cancelled.group, Action::Cancel).unwrap();
    let first = h.request(partner, key, 100, "settled").unwrap();
    h.request(partner, key, 200, "returned").unwrap();
    h.request(partner, dying, 300, "failed").unwrap();
    h.request(partner, key, 400, "unknown").unwrap();
    h.request(partner, key, 500, "sending").unwrap();
    h.execute(partner, first.group, Action::Now).unwrap();
    let sent = h.claim_all(partner);
    let at = h.time();
    h.told(&sent[0], Asked::Deposit, settled(at)).unwrap();
    h.told(&sent[1], Asked::Deposit, settled(at)).unwrap();
    let back = Command::Return { payout: sent[1].payout, partner, code: None, notice: 1 };
    h.give(back).unwrap();
    h.told(&sent[2], Asked::Deposit, refused(415, at)).unwrap();
    h.told(&sent[3], Asked::Deposit, LOST).unwrap();
    let unclaimed = h.request(partner, key, 600, "unclaimed").unwrap();
    h.execute(partner, unclaimed.group, Action::Now).unwrap();
    let one = h.request(partner, key, 700, "executing").unwrap();
    h.request(partner, key, 800, "left in a closed group").unwrap();
    h.give(execute(partner, one.group, Target::Rows(vec![one.payout]), Action::Now)).unwrap();
    let gone = h.request(partner, key, 900, "cancelled alone").unwrap();
    h.give(execute(partner, gone.group, Target::Rows(vec![gone.payout]), Action::Cancel)).unwrap();
    let waiting = h.request(partner, key, 1_000, "waiting").unwrap();
    let elsewhere = h.key(other, "1");
    h.request(other, elsewhere, 5, "waiting").unwrap();
    h.later(1_500);
    h.give(Command::PauseRail { reason: "a story".into() }).unwrap();
    h.give(Command::ResumeRail).unwrap();
    Story { partner, key, waiting: waiting.payout, open: waiting.group }
}

/// A story that was told and closed.
fn told() -> (Site, Story) {
    let site = Site::new();
    let mut harness = site.open();
    let story = story(&mut harness);
    drop(harness);
    (site, story)
}
