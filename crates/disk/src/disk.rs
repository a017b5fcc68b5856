//! The disk below SQLite: counts its calls, fails one of them where it is told so, and knows of each
//! file what a power cut would leave. One for the process, as the VFS is.
//!
//! Only files in the folder that is watched count; SQLite's temporary files and other stores pass.

use crate::dice::Dice;
use crate::pending::{Fate, Pending};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls that change something on the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Open,
    Write,
    Sync,
    Truncate,
    Delete,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Open, Kind::Write, Kind::Sync, Kind::Truncate, Kind::Delete];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Open => "open",
            Kind::Write => "write",
            Kind::Sync => "sync",
            Kind::Truncate => "truncate",
            Kind::Delete => "delete",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The call fails, once.
    Eio,
    /// There is no room, once.
    Full,
    /// There is no room from then on, until [`Disk::heal`].
    StaysFull,
}

impl Fault {
    pub const ALL: [Fault; 3] = [Fault::Eio, Fault::Full, Fault::StaysFull];

    pub fn name(self) -> &'static str {
        match self {
            Fault::Eio => "eio",
            Fault::Full => "full",
            Fault::StaysFull => "stays-full",
        }
    }
}

/// What SQLite is told of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Pass,
    Eio,
    Full,
}

/// Told of each call that counts: its number from 1, and whether it fails.
pub type Hook = Box<dyn FnMut(u64, Kind, &Path, Verdict) + Send>;
type Cut = Box<dyn FnOnce(&mut Disk) + Send>;

/// A file as the disk knows it.
struct Tracked {
    path: PathBuf,
    pending: Pending,
    /// Its first sync also syncs its folder: SQLite's unix VFS does so for a journal and a WAL that
    /// it has created, not for a database.
    syncs_folder: bool,
    /// Its name is not on the disk for sure yet.
    new: bool,
}

pub struct Disk {
    watched: Option<PathBuf>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    cut: Option<(u64, Cut)>,
    hook: Option<Hook>,
    /// A sync says that it was done, and does nothing.
    lies: bool,
    files: BTreeMap<u64, Tracked>,
    /// What the disk has for sure under names that have gone or changed since: a deleted file comes
    /// back in some cuts.
    ghosts: BTreeMap<PathBuf, Vec<u8>>,
    next_file: u64,
}

static DISK: Mutex<Disk> = Mutex::new(Disk::new());

/// The process's disk; no call is made while the guard lives.
pub fn disk() -> MutexGuard<'static, Disk> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    const fn new() -> Disk {
        Disk {
            watched: None,
            calls: 0,
            fault: None,
            cut: None,
            hook: None,
            lies: false,
            files: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            next_file: 0,
        }
    }

    /// Begins anew: everything in this folder is on the disk, and nothing is planned.
    pub fn watch(&mut self, folder: &Path) {
        let next_file = self.next_file;
        *self = Disk { watched: Some(folder.to_owned()), next_file, ..Disk::new() };
    }

    pub fn watch_nothing(&mut self) {
        *self = Disk { next_file: self.next_file, ..Disk::new() };
    }

    /// The call of this number, from 1, fails so.
    pub fn fail(&mut self, call: u64, fault: Fault) {
        self.fault = Some((call, fault));
    }

    /// There is room again.
    pub fn heal(&mut self) {
        self.fault = None;
    }

    /// A sync says from now on that it was done, and does nothing.
    pub fn lie(&mut self) {
        self.lies = true;
    }

    pub fn tell(&mut self, hook: Hook) {
        self.hook = Some(hook);
    }

    /// Before the call of this number from now, `work` sees the disk as it is then.
    pub fn interrupt(&mut self, calls: u64, work: Cut) {
        self.cut = Some((self.calls + calls, work));
    }

    /// Takes what [`Disk::interrupt`] has planned, where it was not carried out yet.
    pub fn interrupt_now(&mut self) {
        if let Some((_, work)) = self.cut.take() {
            work(self);
        }
    }

    pub fn calls(&self) -> u64 {
        self.calls
    }

    fn counts(&self, path: &Path) -> bool {
        self.watched.as_deref().is_some_and(|folder| path.parent() == Some(folder))
    }

    fn call(&mut self, kind: Kind, path: &Path) -> Verdict {
        self.calls += 1;
        if self.cut.as_ref().is_some_and(|(at, _)| *at <= self.calls) {
            self.interrupt_now();
        }
        let verdict = self.verdict(kind);
        if let Some(hook) = &mut self.hook {
            hook(self.calls, kind, path, verdict);
        }
        verdict
    }

    /// A disk without room still syncs and deletes what it has: that fails only where it is the one
    /// call that was named.
    fn verdict(&self, kind: Kind) -> Verdict {
        match self.fault {
            Some((at, Fault::Eio)) if at == self.calls => Verdict::Eio,
            Some((at, Fault::Full)) if at == self.calls => Verdict::Full,
            Some((at, Fault::StaysFull))
                if at <= self.calls && matches!(kind, Kind::Write | Kind::Open) =>
            {
                Verdict::Full
            }
            _ => Verdict::Pass,
        }
    }

    /// Before a file is opened; `None`: it is none of ours.
    pub fn opening(&mut self, path: &Path) -> Option<Verdict> {
        self.counts(path).then(|| self.call(Kind::Open, path))
    }

    /// After it was opened; gives the number that the file is known by. `journal`: a journal or WAL
    /// that may be created, `made`: it was not there before.
    pub fn opened(&mut self, path: &Path, journal: bool, made: bool) -> u64 {
        let known =
            self.files.iter().find(|(_, file)| file.path == path).map(|(number, _)| *number);
        if let Some(number) = known {
            if !made {
                return number;
            }
            // Removed behind our back, by whoever made the store's file anew.
            self.files.remove(&number);
        }
        let size = std::fs::metadata(path).map_or(0, |found| found.len());
        let tracked = Tracked {
            path: path.to_owned(),
            pending: Pending::synced_at(size),
            syncs_folder: journal && made,
            new: made,
        };
        self.next_file += 1;
        self.files.insert(self.next_file, tracked);
        self.next_file
    }

    /// Before a call on an open file.
    pub fn calling(&mut self, kind: Kind, number: u64) -> Verdict {
        let path = self.files.get(&number).map(|file| file.path.clone());
        path.map_or(Verdict::Pass, |path| self.call(kind, &path))
    }

    pub fn size(&self, number: u64) -> u64 {
        self.files.get(&number).map_or(0, |file| file.pending.size())
    }

    /// `old`: what the sectors held that the bytes lie in.
    pub fn wrote(&mut self, number: u64, at: u64, bytes: &[u8], old: &[u8]) {
        let moment = self.calls;
        if let Some(file) = self.files.get_mut(&number) {
            file.pending.write(moment, at, bytes, old);
        }
    }

    pub fn truncated(&mut self, number: u64, to: u64, old: &[u8]) {
        let moment = self.calls;
        if let Some(file) = self.files.get_mut(&number) {
            file.pending.truncate(moment, to, old);
        }
    }

    pub fn synced(&mut self, number: u64) {
        if self.lies {
            return;
        }
        let Some(file) = self.files.get_mut(&number) else { return };
        file.pending.synced();
        if std::mem::take(&mut file.syncs_folder) {
            self.folder_synced();
        }
    }

    fn folder_synced(&mut self) {
        self.ghosts.clear();
        for file in self.files.values_mut() {
            file.new = false;
        }
    }

    /// Before a file is deleted; `None`: it is none of ours.
    pub fn deleting(&mut self, path: &Path) -> Option<Verdict> {
        self.counts(path).then(|| self.call(Kind::Delete, path))
    }

    /// `content`: what it held.
    pub fn deleted(&mut self, path: &Path, folder_synced: bool, content: Vec<u8>) {
        let was_new = self.files.values().any(|file| file.path == path && file.new);
        self.files.retain(|_, file| file.path != path);
        if !was_new {
            // Its content is taken as synced: SQLite deletes a journal or WAL that it needs no
            // more, so what it would read from there is of before in any case.
            self.ghosts.insert(path.to_owned(), content);
        }
        if folder_synced && !self.lies {
            self.folder_synced();
        }
    }

    /// Makes a folder of what the disk may hold if the power goes now. What is not SQLite's is
    /// copied as it is; `-shm` files are memory.
    ///
    /// A file is read through a descriptor of its own, and closing it drops the process's POSIX
    /// locks on it. SQLite's threads know of each other without them, and no other process is here.
    pub fn image(&mut self, from: &Path, to: &Path, seed: u64) -> io::Result<Fate> {
        let mut dice = Dice::new(seed);
        let since = self.files.values().filter_map(|file| file.pending.since()).min();
        let fate = Fate::roll(&mut dice, since.unwrap_or(self.calls), self.calls);
        std::fs::create_dir_all(to)?;
        let mut names: Vec<_> =
            std::fs::read_dir(from)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        names.sort();
        for path in &names {
            let Some(name) = path.file_name() else { continue };
            if name.to_string_lossy().ends_with("-shm") || path.is_dir() {
                continue;
            }
            if let Some(content) = self.left_of(path, fate, &mut dice)? {
                std::fs::write(to.join(name), content)?;
            }
        }
        for (path, content) in self.ghosts.iter().filter(|(path, _)| !path.exists()) {
            if let Some(name) = path.file_name()
                && dice.percent(50)
            {
                std::fs::write(to.join(name), content)?;
            }
        }
        Ok(fate)
    }

    /// `None`: it is not there any more.
    fn left_of(&self, path: &Path, fate: Fate, dice: &mut Dice) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.files.values().find(|file| file.path == path) else {
            // A file that is not SQLite's is renamed past this lock, by a thread that runs on.
            return match std::fs::read(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                read => read.map(Some),
            };
        };
        let now = std::fs::read(path)?;
        if file.new && dice.percent(25) {
            // The name is not on the disk yet, or is still that of the file before.
            return Ok(self.ghosts.get(path).cloned());
        }
        Ok(Some(file.pending.after_cut(&now, fate, dice)))
    }
}
