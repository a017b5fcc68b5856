//! Figure 9: the script is run again and again, and in each run another of its I/O calls fails.

use crate::child::{Task, acknowledged};
use crate::disk::Fault;
use crate::site::Site;
use crate::verify::verify;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Children at once.
const SIDE_BY_SIDE: usize = 2;
const SIGABRT: i32 = 6;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Every call; else those where something new begins, and some between.
    pub full: bool,
    /// The script in which the WAL is moved into the file on the way.
    pub long: bool,
    /// About so many calls for each fault, where not every one fails.
    pub some: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the script does not run without a fault: {0}")]
    Script(String),
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Calls of the script.
    pub calls: u64,
    pub runs: u64,
    /// How often each kind of call failed, on which file.
    pub failed: BTreeMap<(String, String), u64>,
    /// Runs that a failed sync ended.
    pub aborted: u64,
    /// Runs in which an order was refused, and taken later.
    pub refused: u64,
    /// Runs in which the store did not open at first.
    pub unopened: u64,
    /// Syncs of the store that failed while it was made, opened or closed.
    pub aside: u64,
    /// Syncs of the index of distinct keys that failed, which end nothing.
    pub index: u64,
    /// Runs in which nobody was told anything.
    pub unnoticed: u64,
    /// What was not as it has to be, a line for each run.
    pub violations: Vec<String>,
}

impl Report {
    pub fn add(&mut self, other: Report) {
        self.calls = self.calls.max(other.calls);
        self.runs += other.runs;
        for (of, times) in other.failed {
            *self.failed.entry(of).or_default() += times;
        }
        self.aborted += other.aborted;
        self.refused += other.refused;
        self.unopened += other.unopened;
        self.aside += other.aside;
        self.index += other.index;
        self.unnoticed += other.unnoticed;
        self.violations.extend(other.violations);
    }
}

/// How the program is called that is the child.
fn arguments(task: &Task) -> Vec<String> {
    let mut all = vec![
        "child".to_owned(),
        "--folder".to_owned(),
        task.folder.display().to_string(),
        "--keys".to_owned(),
        task.keys.display().to_string(),
    ];
    all.extend(task.long.then(|| "--long".to_owned()));
    if let Some((call, fault)) = task.fault {
        all.extend(["--call".to_owned(), call.to_string()]);
        all.extend(["--fault".to_owned(), fault.name().to_owned()]);
    }
    all
}

struct Sweep<'a> {
    program: &'a Path,
    scratch: &'a Path,
    keys: PathBuf,
    long: bool,
    next: AtomicU64,
}

/// How a child ended, and what it said.
struct Ran {
    folder: PathBuf,
    lines: Vec<String>,
    aborted: bool,
    fine: bool,
}

/// `program`: this crate's binary. The folder is scratch.
pub fn sweep(program: &Path, scratch: &Path, options: Options) -> Result<Report, SweepError> {
    let keys = scratch.join("keys");
    let made = Site::make(&scratch.join("made"), &keys);
    made.map_err(|error| SweepError::Script(error.to_string()))?;
    let sweep = Sweep { program, scratch, keys, long: options.long, next: AtomicU64::new(0) };
    let whole = sweep.child(None)?;
    if !whole.fine {
        return Err(SweepError::Script(whole.lines.join("\n")));
    }
    let trace = trace(&whole.lines);
    let mut runs = Vec::new();
    for (at, fault) in Fault::ALL.into_iter().enumerate() {
        let calls = if options.full {
            (1..=trace.len() as u64 + 1).collect()
        } else {
            some(&trace, options, at)
        };
        runs.extend(calls.into_iter().map(|call| (call, fault)));
    }
    let runs = Mutex::new(runs.into_iter());
    let next = || runs.lock().ok().and_then(|mut runs| runs.next());
    let work = || {
        let mut report = Report::default();
        while let Some((call, fault)) = next() {
            report.add(sweep.one(call, fault)?);
        }
        Ok(report)
    };
    let mut report = Report { calls: trace.len() as u64, ..Report::default() };
    let done: Vec<Result<Report, SweepError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        let gone = || Err(SweepError::Script("a thread panicked".to_owned()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| gone())).collect()
    });
    for part in done {
        report.add(part?);
    }
    Ok(report)
}

/// The calls of a run: kind and file of each.
fn trace(lines: &[String]) -> Vec<(String, String)> {
    let call = |line: &String| {
        let mut words = line.strip_prefix("call ")?.split(' ').skip(1);
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    lines.iter().filter_map(call).collect()
}

/// Of each turn from one kind and file to another the first call, the last, and one between; every
/// sync of the store; about so many more at even distances, the last call, and the one after it. In
/// the long script only those on the file itself, which the short one does not have.
fn some(trace: &[(String, String)], options: Options, shift: usize) -> BTreeSet<u64> {
    let mut turns: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for (at, two) in trace.windows(2).enumerate().filter(|(_, two)| two[0] != two[1]) {
        if !options.long || two[1].1 == "hub.db" {
            turns.entry((&two[0], &two[1])).or_default().push(at as u64 + 2);
        }
    }
    let mut calls = BTreeSet::new();
    for turn in turns.values() {
        calls.extend(turn.first().into_iter().chain(turn.get(turn.len() / 2)).chain(turn.last()));
    }
    if !options.long {
        let sync = |of: &&(String, String)| of.0 == "sync" && of.1.starts_with("hub.db");
        let all = (1_u64..).zip(trace);
        calls.extend(all.filter(|(_, of)| sync(of)).map(|(call, _)| call));
        let step = (trace.len() / options.some.max(1)).max(1);
        calls.extend((1 + shift as u64..=trace.len() as u64).step_by(step));
        calls.extend([trace.len() as u64, trace.len() as u64 + 1]);
    }
    calls
}

impl Sweep<'_> {
    fn child(&self, fault: Option<(u64, Fault)>) -> Result<Ran, SweepError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = self.scratch.join(format!("run{number}"));
        let (keys, long) = (self.keys.clone(), self.long);
        let task = Task { folder: folder.clone(), keys, long, fault };
        let done =
            Command::new(self.program).args(arguments(&task)).stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&done.stdout);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let aborted = done.status.signal() == Some(SIGABRT);
        if !done.status.success() && !aborted {
            lines.push(format!("ended with {}", done.status));
        }
        Ok(Ran { folder, lines, aborted, fine: done.status.success() })
    }

    /// One run with one fault, and what has to be true afterwards.
    fn one(&self, call: u64, fault: Fault) -> Result<Report, SweepError> {
        let ran = self.child(Some((call, fault)))?;
        let hit = ran.lines.iter().find_map(|line| line.strip_prefix("fault "));
        let (mut report, ended) = ending(&ran, hit);
        let left = || {
            let site = Site::make(&ran.folder, &self.keys).map_err(|error| error.to_string())?;
            verify(&site, &acknowledged(&ran.lines), None)
        };
        match ended.and_then(|()| left()) {
            Ok(_) => std::fs::remove_dir_all(&ran.folder)?,
            Err(what) => report.violations.push(format!(
                "call {call} {}, {}: {what}; the store is {}",
                fault.name(),
                hit.unwrap_or("not reached"),
                ran.folder.display()
            )),
        }
        Ok(report)
    }
}

/// What a run was, and whether the process ended as it has to.
fn ending(ran: &Ran, hit: Option<&str>) -> (Report, Result<(), String>) {
    let mut report = Report { runs: 1, ..Report::default() };
    let Some(hit) = hit else {
        // The fault was never reached: the script made fewer calls.
        let fine = if ran.fine { Ok(()) } else { Err(format!("it ended: {}", ran.last_words())) };
        return (report, fine);
    };
    let mut words = hit.split(' ').skip(1);
    let (kind, file) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    *report.failed.entry((kind.to_owned(), file.to_owned())).or_default() += 1;
    let said = |word: &str| ran.lines.iter().any(|line| line.starts_with(word));
    report.refused = u64::from(said("refused "));
    report.unopened = u64::from(said("failed opening"));
    report.aborted = u64::from(ran.aborted);
    let noticed = report.aborted + report.refused + report.unopened;
    report.unnoticed = u64::from(noticed == 0);
    let of_the_store = matches!(file, "hub.db" | "hub.db-wal" | "hub.db-journal");
    let fine = match (kind == "sync", of_the_store) {
        (true, true) if !ran.aborted => {
            report.aside = 1;
            ran.went_on_rightly()
        }
        (true, false) => {
            report.index = 1;
            if ran.aborted { Err("the index ended the process".to_owned()) } else { Ok(()) }
        }
        (false, _) if ran.aborted => Err("ended without a failed sync".to_owned()),
        _ => Ok(()),
    };
    if !ran.fine && !ran.aborted {
        let why = format!("the script was not followed to its end: {}", ran.last_words());
        return (report, Err(why));
    }
    (report, fine)
}

impl Ran {
    fn last_words(&self) -> String {
        let from = self.lines.len().saturating_sub(3);
        self.lines[from..].join("; ")
    }

    /// After a sync of the store that failed: it may only fail to open, or be closing.
    fn went_on_rightly(&self) -> Result<(), String> {
        let at = self.lines.iter().position(|line| line.starts_with("fault ")).unwrap_or_default();
        let after = self.lines.get(at + 1).map_or("", String::as_str);
        let before = self.lines[..at].iter().rev().find(|line| !line.starts_with("fault "));
        if after.starts_with("failed opening") || before.is_some_and(|line| line == "closing") {
            return Ok(());
        }
        Err(format!("the sync failed and it went on: {after}"))
    }
}
