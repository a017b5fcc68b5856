//! Figure 8: the power goes in the middle of the writer's work, again and again; the store lives on
//! from what the disk was left with.

use crate::dice::Dice;
use crate::disk::disk;
use crate::load::{Audit, run};
use crate::pending::Fate;
use crate::site::Site;
use crate::verify::verify;
use crate::vfs;
use ichae_store::port::StoreError;
use ichae_store::queue::Writer;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// One disk for the process: one run at a time.
static ONE: Mutex<()> = Mutex::new(());

#[derive(Clone, Debug)]
pub struct Options {
    pub cycles: u64,
    pub seed: u64,
    /// A new store is begun when there are so many.
    pub payouts_max: u64,
    pub clients: usize,
    /// Calls between two cuts at most.
    pub calls_max: u64,
    /// The disk says that it synced and does not: then something has to be found.
    pub lying: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cycles: 60,
            seed: 0,
            payouts_max: 20_000,
            clients: 4,
            calls_max: 2_500,
            lying: false,
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub cycles: u64,
    pub stores: u64,
    /// Cuts that came while the store was being opened.
    pub while_opening: u64,
    /// Second cuts, during the recovery from the first.
    pub while_recovering: u64,
    pub calls: u64,
    /// Facts that were held against the stores, once for each cycle.
    pub held: u64,
    pub payouts: u64,
    pub fates: BTreeMap<&'static str, u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    #[error("cycle {cycle} of seed {seed} ({fate}): {what}; the image is {image}")]
    Found { cycle: u64, seed: u64, fate: String, what: String, image: String },
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the VFS could not be installed")]
    NoVfs,
    #[error("a client panicked")]
    Panicked,
}

/// What a cut left.
struct Left {
    fate: std::io::Result<Fate>,
    /// Facts that were acknowledged before it.
    facts: usize,
}

/// Where the cycles are.
struct Cycles<'a> {
    options: &'a Options,
    scratch: &'a Path,
    dice: Dice,
    site: Site,
    audit: Arc<Audit>,
    report: Report,
    folders: u64,
}

/// Runs the cycles in a folder that is scratch.
pub fn cycles(options: &Options, scratch: &Path) -> Result<Report, PowerError> {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !vfs::install() {
        return Err(PowerError::NoVfs);
    }
    let site = Site::make(&scratch.join("0"), &scratch.join("keys"))?;
    let mut cycles = Cycles {
        options,
        scratch,
        dice: Dice::new(options.seed),
        site,
        audit: Arc::default(),
        report: Report { stores: 1, ..Report::default() },
        folders: 0,
    };
    let done = (0..options.cycles).try_for_each(|cycle| cycles.cycle(cycle));
    disk().watch_nothing();
    done?;
    Ok(cycles.report)
}

impl Cycles<'_> {
    fn next_folder(&mut self) -> PathBuf {
        self.folders += 1;
        self.scratch.join(self.folders.to_string())
    }

    fn cycle(&mut self, cycle: u64) -> Result<(), PowerError> {
        let image = self.next_folder();
        let mut left = self.until_the_cut(&image)?;
        std::fs::remove_dir_all(&self.site.folder)?;
        self.site = self.site.at(&image);
        if self.dice.percent(25) {
            let second = self.next_folder();
            if let Some(fate) = self.cut_the_recovery(&second)? {
                left.fate = Ok(fate);
            }
        }
        let fate = left.fate?;
        self.report.cycles += 1;
        self.report.held += left.facts as u64;
        *self.report.fates.entry(name(fate)).or_default() += 1;
        let verdict = match self.audit.complaint() {
            Some(complaint) => Err(complaint),
            None => verify(&self.site, &self.audit.facts(), Some(&self.audit.asked())),
        };
        let found = verdict.map_err(|what| PowerError::Found {
            cycle,
            seed: self.options.seed,
            fate: format!("{fate:?}"),
            what,
            image: self.site.folder.display().to_string(),
        })?;
        self.report.payouts = self.report.payouts.max(found.payouts);
        // Now and then also a small one: making a store has to survive as well.
        if found.payouts >= self.options.payouts_max || self.dice.percent(8) {
            let fresh = self.next_folder();
            std::fs::remove_dir_all(&self.site.folder)?;
            self.site = Site::make(&fresh, &self.scratch.join("keys"))?;
            self.audit = Arc::default();
            self.report.stores += 1;
        }
        Ok(())
    }

    /// Opens the store and lets the clients work until the power goes.
    fn until_the_cut(&mut self, image: &Path) -> Result<Left, PowerError> {
        let left: Arc<Mutex<Option<Left>>> = Arc::default();
        // Some cuts come while the store is opened, and many of a new one while it is made.
        let (early, within) = if self.site.file().exists() { (15, 25) } else { (60, 150) };
        let most = if self.dice.percent(early) { within } else { self.options.calls_max };
        let calls = 1 + self.dice.below(most);
        self.audit.over.store(false, Ordering::SeqCst);
        self.plan(calls, image, &left);
        let opened = self.site.open()?;
        if left.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.report.while_opening += 1;
        }
        let writer = Writer::start(Box::new(opened.backend))?;
        let seed = self.dice.roll();
        let (site, audit) = (&self.site, &*self.audit);
        let (writer_ref, reader) = (&writer, &opened.reader);
        let worked = std::thread::scope(|scope| {
            let client = |at: usize| {
                let seed = seed.wrapping_add(at as u64);
                scope.spawn(move || run(site, audit, (writer_ref, reader), (at, 400), seed))
            };
            let clients: Vec<_> = (0..self.options.clients).map(client).collect();
            clients.into_iter().map(|client| client.join()).collect::<Vec<_>>()
        });
        for done in worked {
            done.map_err(|_| PowerError::Panicked)??;
        }
        disk().interrupt_now();
        self.report.calls += disk().calls();
        drop(writer);
        drop(opened.reader);
        disk().watch_nothing();
        let left = left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let left = left.ok_or(PowerError::Panicked)?;
        self.audit.cut(left.facts);
        Ok(left)
    }

    /// The cut, before the call of this number from now.
    fn plan(&mut self, calls: u64, image: &Path, left: &Arc<Mutex<Option<Left>>>) {
        let mut disk = disk();
        disk.watch(&self.site.folder);
        if self.options.lying {
            disk.lie();
        }
        let (from, to) = (self.site.folder.clone(), image.to_owned());
        let (audit, left) = (Arc::clone(&self.audit), Arc::clone(left));
        let seed = self.dice.roll();
        disk.interrupt(
            calls,
            Box::new(move |disk| {
                // Counted first: whoever had an answer by now had it from before the cut.
                let facts = audit.length();
                let fate = disk.image(&from, &to, seed);
                audit.over.store(true, Ordering::SeqCst);
                let left = &mut *left.lock().unwrap_or_else(PoisonError::into_inner);
                *left = Some(Left { fate, facts });
            }),
        );
    }

    /// A second cut while the store recovers from the first; it goes on from what that one left.
    fn cut_the_recovery(&mut self, image: &Path) -> Result<Option<Fate>, PowerError> {
        let left: Arc<Mutex<Option<Left>>> = Arc::default();
        let calls = 1 + self.dice.below(40);
        self.plan(calls, image, &left);
        let opened = self.site.open();
        drop(opened);
        // Where there were fewer calls, nothing was cut.
        disk().watch_nothing();
        let Some(left) = left.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(None);
        };
        std::fs::remove_dir_all(&self.site.folder)?;
        self.site = self.site.at(image);
        self.report.while_recovering += 1;
        Ok(Some(left.fate?))
    }
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Lost => "lost",
        Fate::Kept => "kept",
        Fate::Until(_) => "in order",
        Fate::Torn => "torn",
    }
}
