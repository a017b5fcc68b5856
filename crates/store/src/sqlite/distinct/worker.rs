//! The thread that writes runs down and merges them. It never holds the writer up: what it makes is
//! taken over when the writer next looks.

use super::recent::Recent;
use super::runs::{FILTERS_MAX, Filter, Run, Runs};
use super::side::Side;
use crate::port::StoreError;
use crate::sqlite::row;
use rusqlite::params;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Runs of one level that become one of the next.
pub(super) const FAN_IN: usize = 8;
/// Rows that a merge writes in one transaction.
const SLICE_ROWS: usize = 16_384;
/// A merge rests this many times as long as a slice took: it gets a fifth of a core.
const REST: u32 = 4;
/// After a write that failed: the disk may have room again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How long the writer waits for keys to be written down before it refuses.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the worker has made.
struct Made {
    runs: Arc<Runs>,
    /// Flushes done so far.
    flushed: u64,
}

struct Shared {
    made: Mutex<Made>,
    done: Condvar,
    /// Counts what was made, so that the writer looks without a lock.
    version: AtomicU64,
    /// The version that the writer works with: what older ones name may be dropped.
    adopted: AtomicU64,
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    jobs: Option<Sender<Arc<Recent>>>,
    thread: Option<JoinHandle<()>>,
    seen: u64,
    asked: u64,
}

impl Worker {
    pub fn start(side: Side, runs: Arc<Runs>) -> Result<Worker, StoreError> {
        let shared = Arc::new(Shared {
            made: Mutex::new(Made { runs, flushed: 0 }),
            done: Condvar::new(),
            version: AtomicU64::new(0),
            adopted: AtomicU64::new(0),
        });
        let (jobs, waiting) = channel();
        let work = Work { side, shared: Arc::clone(&shared), waiting, stop: false, next: None };
        let thread = std::thread::Builder::new()
            .name("ichae-distinct".to_owned())
            .spawn(move || work.run())
            .map_err(StoreError::io("the thread of the distinct keys cannot be started"))?;
        Ok(Worker { shared, jobs: Some(jobs), thread: Some(thread), seen: 0, asked: 0 })
    }

    pub fn flush(&mut self, keys: Arc<Recent>) {
        self.asked += 1;
        if let Some(jobs) = &self.jobs {
            // Gone only if it panicked; then the keys stay in memory, and `make_room` refuses.
            let _ = jobs.send(keys);
        }
    }

    /// What is new since the last time: the runs, and whether everything asked for is in them.
    pub fn news(&mut self) -> Option<(Arc<Runs>, bool)> {
        let version = self.shared.version.load(Ordering::Acquire);
        if version == self.seen {
            return None;
        }
        let made = self.shared.made.lock().unwrap_or_else(PoisonError::into_inner);
        self.seen = version;
        self.shared.adopted.store(version, Ordering::Release);
        Some((Arc::clone(&made.runs), made.flushed == self.asked))
    }

    pub fn wait_for_flush(&self) {
        let made = self.shared.made.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = self.asked;
        // A time-out is seen by whoever asked: the keys are still there.
        let _ = self.shared.done.wait_timeout_while(made, PATIENCE, |made| made.flushed != asked);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.take();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the distinct keys panicked");
        }
    }
}

struct Work {
    side: Side,
    shared: Arc<Shared>,
    waiting: Receiver<Arc<Recent>>,
    stop: bool,
    next: Option<Arc<Recent>>,
}

impl Work {
    fn run(mut self) {
        while !self.stop {
            match self.next.take() {
                Some(keys) => self.flush(&keys),
                None => {
                    if let Err(error) = self.merge() {
                        tracing::warn!(%error, "distinct keys could not be merged");
                    }
                    self.sweep();
                    if self.next.is_none() {
                        self.wait(Duration::from_secs(3_600));
                    }
                }
            }
        }
    }

    /// Until there is something to write down, or the time is over, or the end.
    fn wait(&mut self, time: Duration) {
        match self.waiting.recv_timeout(time) {
            Ok(keys) => self.next = Some(keys),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stop = true,
        }
    }

    fn flush(&mut self, keys: &Arc<Recent>) {
        match self.side.flush(keys, 0) {
            Ok(run) => self.publish(|runs| runs.push(run), 1),
            Err(error) => {
                tracing::warn!(%error, "distinct keys could not be written down: trying again");
                self.wait(TRY_AGAIN);
                // Only one is ever under way, so nothing came meanwhile.
                self.next = Some(Arc::clone(keys));
            }
        }
    }

    fn publish(&self, change: impl FnOnce(&mut Vec<Run>), flushes: u64) {
        let mut made = self.shared.made.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = |run: &Run| Run { filter: run.filter.clone(), ..*run };
        let mut runs: Vec<Run> = made.runs.0.iter().map(copy).collect();
        change(&mut runs);
        made.runs = Arc::new(Runs(runs));
        made.flushed += flushes;
        self.shared.version.fetch_add(1, Ordering::Release);
        self.shared.done.notify_all();
    }

    /// Tables that no run uses any more, once the writer does not either.
    fn sweep(&self) {
        let version = self.shared.version.load(Ordering::Acquire);
        if self.shared.adopted.load(Ordering::Acquire) == version
            && let Err(error) = self.side.sweep()
        {
            tracing::warn!(%error, "merged distinct keys could not be dropped");
        }
    }

    /// Merges the lowest level that is full, if there is one; gives way to a flush between slices
    /// by writing it down first.
    fn merge(&mut self) -> Result<(), StoreError> {
        let runs = {
            let made = self.shared.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&made.runs)
        };
        let levels = 0..=runs.0.iter().map(|run| run.level).max().unwrap_or(0);
        let of_level = |level| runs.0.iter().filter(move |run| run.level == level);
        let Some(level) = levels.into_iter().find(|level| of_level(*level).count() >= FAN_IN)
        else {
            return Ok(());
        };
        let sources: Vec<&Run> = of_level(level).take(FAN_IN).collect();
        let gone: Vec<i64> = sources.iter().map(|run| run.id).collect();
        let rows: i64 = sources.iter().map(|run| run.rows).sum();
        let Some(run) = self.merge_into(&gone, level + 1, rows, &runs)? else { return Ok(()) };
        self.publish(
            |runs| {
                let at = runs.iter().position(|run| gone.contains(&run.id)).unwrap_or(0);
                runs.retain(|run| !gone.contains(&run.id));
                runs.insert(at, run);
            },
            0,
        );
        // There may be another one at once.
        self.merge()
    }

    /// `None`: the end came first, and the table is swept at the next start.
    fn merge_into(
        &mut self,
        ids: &[i64],
        level: i64,
        rows: i64,
        all: &Runs,
    ) -> Result<Option<Run>, StoreError> {
        let keys = usize::try_from(rows).unwrap_or(usize::MAX);
        let fits = all.filter_bytes() + Filter::bytes_for(keys) <= FILTERS_MAX;
        let mut filter = fits.then(|| Filter::for_keys(keys));
        let id = self.side.fresh_run()?;
        let mut sources: Vec<Source> = ids.iter().map(|id| Source::new(*id)).collect();
        let mut written = 0;
        loop {
            let began = Instant::now();
            let slice = self.slice(id, &mut sources, filter.as_mut())?;
            written += slice;
            if slice == 0 {
                break;
            }
            self.wait(began.elapsed() * REST);
            if self.stop {
                return Ok(None);
            }
            if let Some(keys) = self.next.take() {
                self.flush(&keys);
            }
        }
        if written != rows {
            let text = format!("{rows} distinct keys in runs, {written} found");
            return Err(StoreError::Damaged(text));
        }
        let transaction = self.side.db().unchecked_transaction()?;
        for id in ids {
            transaction.execute("DELETE FROM runs WHERE id = ?1", [id])?;
        }
        self.side.enter(id, level, rows, filter.as_ref())?;
        transaction.commit()?;
        Ok(Some(Run { id, level, rows, filter: filter.map(Arc::new) }))
    }

    /// The next rows in order, in one transaction; how many.
    fn slice(
        &self,
        id: i64,
        sources: &mut [Source],
        mut filter: Option<&mut Filter>,
    ) -> Result<i64, StoreError> {
        let transaction = self.side.db().unchecked_transaction()?;
        let sql = format!("INSERT INTO {} VALUES (?1, ?2)", Run::table(id));
        let mut written = 0;
        {
            let mut insert = transaction.prepare(&sql)?;
            while written < SLICE_ROWS as i64 {
                let mut least: Option<(usize, (i64, i64))> = None;
                for (at, source) in sources.iter_mut().enumerate() {
                    if let Some(head) = source.head(&transaction)?
                        && least.is_none_or(|(_, found)| head < found)
                    {
                        least = Some((at, head));
                    }
                }
                let Some((at, (hash, no))) = least else { break };
                sources[at].rows.pop_front();
                insert.execute([hash, no])?;
                if let Some(filter) = &mut filter {
                    filter.insert(row::to_hash(hash));
                }
                written += 1;
            }
        }
        transaction.commit()?;
        Ok(written)
    }
}

/// One run as a merge reads it: in short looks, so that no read stays open.
struct Source {
    id: i64,
    rows: VecDeque<(i64, i64)>,
    after: Option<(i64, i64)>,
    ended: bool,
}

impl Source {
    fn new(id: i64) -> Source {
        Source { id, rows: VecDeque::new(), after: None, ended: false }
    }

    fn head(&mut self, db: &rusqlite::Connection) -> Result<Option<(i64, i64)>, StoreError> {
        if self.rows.is_empty() && !self.ended {
            let (hash, no) = self.after.unwrap_or((i64::MIN, i64::MIN));
            let sql = format!(
                "SELECT hash, no FROM {} WHERE (hash, no) > (?1, ?2) ORDER BY hash, no LIMIT ?3",
                Run::table(self.id)
            );
            let mut statement = db.prepare_cached(&sql)?;
            let found = statement
                .query_map(params![hash, no, (SLICE_ROWS / FAN_IN) as i64], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })?;
            self.rows = found.collect::<Result<_, _>>()?;
            self.ended = self.rows.is_empty();
            self.after = self.rows.back().copied().or(self.after);
        }
        Ok(self.rows.front().copied())
    }
}
