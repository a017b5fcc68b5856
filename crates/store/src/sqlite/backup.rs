//! Backup and restore: online, verified, atomic. A backup is one file of one moment and a note about
//! it; the keys are not in it, and neither is the index of distinct keys, which is made anew.

use super::check;
use super::open::{begin_epoch, compare_keys, epochs, last_event, store_id};
use crate::port::StoreError;
use crate::report::Report;
use crate::seal::Sealer;
use crate::witness::Witness;
use aws_lc_rs::digest::{Context, SHA256};
use ichae_domain::ident::EPOCHS_MAX;
use ichae_domain::time::Time;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The copy within a backup folder.
const COPY: &str = "hub.db";
/// What is known of it: see [`Note`].
const NOTE: &str = "backup.txt";
/// Pages that are copied before the server gets its turn again.
const PAGES: i32 = 512;
const REST: Duration = Duration::from_millis(2);

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub store_id: Vec<u8>,
    pub epoch: u16,
    pub events: i64,
    pub digest: Vec<u8>,
}

impl Note {
    fn text(&self) -> String {
        format!(
            "ichae backup 1\nstore {}\nepoch {}\nevents {}\nsha256 {}\n",
            hex(&self.store_id),
            self.epoch,
            self.events,
            hex(&self.digest)
        )
    }

    fn parse(text: &str) -> Option<Note> {
        let mut lines = text.lines();
        (lines.next()? == "ichae backup 1").then_some(())?;
        let mut next = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        Some(Note {
            store_id: unhex(next("store")?)?,
            epoch: next("epoch")?.parse().ok()?,
            events: next("events")?.parse().ok()?,
            digest: unhex(next("sha256")?)?,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let even = text.len().is_multiple_of(2) && text.is_ascii();
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    even.then(|| (0..text.len()).step_by(2).map(byte).collect())?
}

/// Copies a store, also a served one, into a new folder, and checks the copy's whole ledger. The
/// folder has its name only once everything in it is on the disk. `progress` is told pages done, of
/// how many.
///
/// # Errors
/// The folder exists; the keys are of another store; the disk; or the copy has findings.
pub fn backup(
    file: &Path,
    sealer: &Sealer,
    to: &Path,
    mut progress: impl FnMut(i64, i64),
) -> Result<(Note, Report), StoreError> {
    if to.exists() {
        return Err(refused(format!("{} is there already: name a new folder", to.display())));
    }
    let partial = beside(to, "partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(io(&partial))?;
    let copy = partial.join(COPY);
    let done = copy_pages(file, &copy, &mut progress).and_then(|()| {
        let report = verify(&copy, sealer)?;
        let db = super::read::connect(&copy)?;
        let note = Note {
            store_id: store_id(&db)?,
            epoch: epochs(&db)?.current(),
            events: last_event(&db)?,
            digest: digest(&copy)?,
        };
        drop(db);
        write_synced(&partial.join(NOTE), note.text().as_bytes())?;
        sync(&copy)?;
        sync(&partial)?;
        fs::rename(&partial, to).map_err(io(to))?;
        sync(to.parent().unwrap_or(Path::new(".")))?;
        Ok((note, report))
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    done
}

/// One snapshot, in slices: the server writes on, and its log grows for as long as this takes.
fn copy_pages(
    file: &Path,
    copy: &Path,
    progress: &mut impl FnMut(i64, i64),
) -> Result<(), StoreError> {
    let from = super::read::connect(file)?;
    from.execute_batch("BEGIN; SELECT 1 FROM store")?;
    let mut to = Connection::open(copy)?;
    {
        let pages = Backup::new(&from, &mut to)?;
        loop {
            let step = pages.step(PAGES)?;
            let state = pages.progress();
            let total = i64::from(state.pagecount);
            progress(total - i64::from(state.remaining), total);
            match step {
                StepResult::Done => break,
                _ => std::thread::sleep(REST),
            }
        }
    }
    // One file, without a log beside it.
    to.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    from.execute_batch("COMMIT")?;
    Ok(())
}

/// The file is whole, it belongs to these keys, and its ledger adds up.
fn verify(copy: &Path, sealer: &Sealer) -> Result<Report, StoreError> {
    let db = super::read::connect(copy)?;
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if verdict != "ok" {
        return Err(refused(format!("the copy is damaged: {verdict}")));
    }
    compare_keys(&db, &sealer.keys())?;
    drop(db);
    let report = check::check(copy, sealer, |_, _| {})?;
    match report.findings.first() {
        None => Ok(report),
        Some(finding) => {
            let more = report.findings.len() - 1;
            Err(refused(format!("the ledger does not add up: {finding} (and {more} more)")))
        }
    }
}

/// Where a store that was replaced is kept.
#[derive(Debug)]
pub struct Restored {
    pub note: Note,
    pub epoch: u16,
    pub payouts: u64,
    pub kept: Option<PathBuf>,
}

/// Puts a backup in the place of a store whose lock is held. It is copied, verified and begins its
/// new epoch beside that place and is renamed into it last: cut anywhere, there is the old store or
/// the new one. An old one is kept beside it.
///
/// # Errors
/// No backup, a changed one, other keys, or the disk; then nothing has changed.
pub fn restore(
    from: &Path,
    file: &Path,
    sealer: &Sealer,
    witness: &Path,
    now: Time,
) -> Result<Restored, StoreError> {
    let text = fs::read_to_string(from.join(NOTE)).map_err(io(&from.join(NOTE)))?;
    let note = Note::parse(&text)
        .ok_or_else(|| refused(format!("{} is no backup of ours", from.display())))?;
    let fresh = beside(file, "restoring");
    remove_database(&fresh)?;
    fs::copy(from.join(COPY), &fresh).map_err(io(&fresh))?;
    if digest(&fresh)? != note.digest {
        remove_database(&fresh)?;
        return Err(refused("the backup was changed or damaged since it was made".to_owned()));
    }
    let prepared = verify(&fresh, sealer).and_then(|report| {
        let epoch = prepare(&fresh, file, &note, witness, now)?;
        Ok((epoch, report.payouts))
    });
    let (epoch, payouts) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            remove_database(&fresh)?;
            return Err(error);
        }
    };
    sync(&fresh)?;
    let kept = keep_old(file, epoch)?;
    fs::rename(&fresh, file).map_err(io(file))?;
    sync(file.parent().unwrap_or(Path::new(".")))?;
    Ok(Restored { note, epoch, payouts, kept })
}

/// Begins the epoch after every one that is known of, in the file that is not in place yet.
fn prepare(
    fresh: &Path,
    file: &Path,
    note: &Note,
    witness: &Path,
    now: Time,
) -> Result<u16, StoreError> {
    let mut db = Connection::open(fresh)?;
    db.execute_batch("PRAGMA synchronous = FULL")?;
    let seen = Witness::of(witness, file).read(&note.store_id)?;
    let epoch = epochs(&db)?.current().max(seen.map_or(0, |seen| seen.epoch)) + 1;
    if epoch >= EPOCHS_MAX {
        return Err(refused(format!("all {EPOCHS_MAX} store epochs are used up")));
    }
    let reason = format!("restored from a backup of {} events; epoch {epoch} started", note.events);
    begin_epoch(&mut db, epoch, now, &reason)?;
    Ok(epoch)
}

/// Gives the store that is there a second name, which it keeps: it may be needed to see what was lost.
/// A damaged one, which is what restores are for, is kept with its log as it is.
fn keep_old(file: &Path, epoch: u16) -> Result<Option<PathBuf>, StoreError> {
    remove_database(&super::distinct::file_beside(file))?;
    if !file.exists() {
        return Ok(None);
    }
    let emptied = Connection::open(file).and_then(|old| {
        old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))
    });
    if let Err(error) = emptied {
        tracing::warn!(%error, "the store that is replaced cannot be read; it is kept as it is");
    }
    let kept = beside(file, &format!("before-epoch-{epoch}"));
    fs::hard_link(file, &kept).map_err(io(&kept))?;
    let beside_it = |path: &Path, ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let log = beside_it(file, "-wal");
    if log.exists() {
        let kept_log = beside_it(&kept, "-wal");
        fs::rename(&log, &kept_log).map_err(io(&kept_log))?;
    }
    match fs::remove_file(beside_it(file, "-shm")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(file)(error)),
        _ => Ok(Some(kept)),
    }
}

fn remove_database(file: &Path) -> Result<(), StoreError> {
    super::distinct::remove(file)
}

/// `hub.db` and `restoring` make `hub.db.restoring`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn digest(file: &Path) -> Result<Vec<u8>, StoreError> {
    let mut context = Context::new(&SHA256);
    let mut from = File::open(file).map_err(io(file))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match from.read(&mut buffer).map_err(io(file))? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            read => context.update(&buffer[..read]),
        }
    }
}

fn write_synced(file: &Path, text: &[u8]) -> Result<(), StoreError> {
    fs::write(file, text).map_err(io(file))?;
    sync(file)
}

/// A file, or a folder's names.
fn sync(path: &Path) -> Result<(), StoreError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|file| file.sync_all()).map_err(io(path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + use<> {
    StoreError::io(path.display().to_string())
}

fn refused(text: String) -> StoreError {
    StoreError::Refused(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_nothing_else_is() {
        let note = Note { store_id: vec![1, 0xab], epoch: 2, events: 9, digest: vec![7; 32] };
        assert_eq!(Note::parse(&note.text()), Some(note.clone()));
        for bad in ["", "ichae backup 2\n", &note.text()[..20], &note.text().replace("ab", "zz")] {
            assert_eq!(Note::parse(bad), None, "{bad}");
        }
    }
}
