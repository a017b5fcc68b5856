//! Where calls wait for the bank: group commit on a thread of its own.

use super::Clock;
use super::bank::Bank;
use super::error::RailError;
use super::journal::{Journal, MemoryJournal};
use super::sqlite::SqliteJournal;
use ichae_domain::time::Time;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the thread; more wait at the sender.
const WAITING_MAX: usize = 1_024;
/// Calls in one commit.
const BATCH_MAX: usize = 256;

/// A call. It does its work inside the transaction and gives back what tells its caller.
type Job = Box<dyn FnOnce(&mut Bank<dyn Journal>, Time) -> Result<Tell, RailError> + Send>;
/// Tells a caller; run only once the work is durable.
type Tell = Box<dyn FnOnce() + Send>;

pub(super) enum Desk {
    /// Nothing to commit, so no thread: a test with paused time sees the answer at once.
    Memory {
        bank: Mutex<Bank<MemoryJournal>>,
        clock: Clock,
    },
    File(Counter),
}

/// The sending end, and the thread behind it. The order of the fields matters: dropping the sender
/// ends the thread, and only then can it be joined.
pub(super) struct Counter {
    jobs: mpsc::Sender<Job>,
    _thread: Joined,
}

struct Joined(Option<JoinHandle<()>>);

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic over there was reported over there.
            let _ = thread.join();
        }
    }
}

impl Desk {
    pub(super) fn memory(clock: Clock) -> Desk {
        Desk::Memory { bank: Mutex::default(), clock }
    }

    pub(super) fn file(journal: SqliteJournal, clock: Clock) -> Result<Desk, RailError> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let bank = Bank::new(journal);
        let thread = std::thread::Builder::new()
            .name("simulated-bank".to_owned())
            .spawn(move || serve(bank, waiting, &clock))?;
        Ok(Desk::File(Counter { jobs, _thread: Joined(Some(thread)) }))
    }

    /// Does some work at the bank and answers once it is durable.
    ///
    /// # Errors
    /// [`RailError::NotKept`] where the batch was not committed.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Bank<dyn Journal>, Time) -> Result<T, RailError> + Send + 'static,
    ) -> Result<T, RailError> {
        match self {
            Desk::Memory { bank, clock } => {
                let now = clock();
                work(&mut *bank.lock().unwrap_or_else(PoisonError::into_inner), now)
            }
            Desk::File(counter) => {
                let (tell, told) = oneshot::channel();
                counter.jobs.send(job(work, tell)).await.map_err(|_| RailError::NotKept)?;
                told.await.map_err(|_| RailError::NotKept)
            }
        }
    }
}

fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Bank<dyn Journal>, Time) -> Result<T, RailError> + Send + 'static,
    tell: oneshot::Sender<T>,
) -> Job {
    Box::new(move |bank, now| {
        let value = work(bank, now)?;
        Ok(Box::new(move || {
            // Whoever asked may have gone; what was done stays done.
            let _ = tell.send(value);
        }))
    })
}

/// Runs until every sender is gone, and finishes what was sent before.
fn serve(mut bank: Bank<SqliteJournal>, mut waiting: mpsc::Receiver<Job>, clock: &Clock) {
    let mut jobs = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut jobs, BATCH_MAX) > 0 {
        if let Err(error) = batch(&mut bank, jobs.drain(..), clock()) {
            tracing::error!(%error, "the simulated bank did not keep a batch of calls");
        }
    }
}

/// All of the jobs in one commit, or none of them: then nobody is told anything.
fn batch(
    bank: &mut Bank<SqliteJournal>,
    jobs: impl Iterator<Item = Job>,
    now: Time,
) -> Result<(), RailError> {
    let worked = jobs.map(|job| job(&mut *bank, now)).collect::<Result<Vec<Tell>, _>>();
    let kept = worked.and_then(|tells| bank.journal().commit().map(|()| tells));
    match kept {
        Ok(tells) => tells.into_iter().for_each(|tell| tell()),
        Err(error) => {
            bank.journal().abandon()?;
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::scenario::Scenario;
    use ichae_domain::ident::{BankNo, KeyNo, PartnerNo, PayoutNo};
    use ichae_domain::money::Won;
    use ichae_domain::view::Deposit;
    use std::path::Path;

    /// SQLite's own name for a database that is nowhere.
    fn nowhere() -> Bank<SqliteJournal> {
        Bank::new(SqliteJournal::open(Path::new(":memory:")).unwrap())
    }

    fn paying(bank_no: i64) -> (Job, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        let deposit = Deposit {
            payout: PayoutNo(1),
            partner: PartnerNo(1),
            key: KeyNo(1),
            bank_no: BankNo(bank_no),
            sends: 1,
            day: Time(0).day(),
            amount: Won(1_000),
        };
        let work = move |bank: &mut Bank<dyn Journal>, now| {
            bank.deposit(&deposit, Scenario::Plain, now).map(drop)
        };
        (job(work, tell), told)
    }

    #[test]
    fn a_batch_is_kept_and_told_as_a_whole() {
        let mut bank = nowhere();
        let (jobs, mut told): (Vec<_>, Vec<_>) = (1..=3).map(paying).unzip();
        batch(&mut bank, jobs.into_iter(), Time(0)).unwrap();
        assert!(told.iter_mut().all(|told| told.try_recv().is_ok()));
        assert_eq!(bank.executions().unwrap().len(), 3);
    }

    #[test]
    fn a_batch_that_fails_keeps_nothing_and_tells_nobody() {
        let mut bank = nowhere();
        let (first, mut told) = paying(1);
        let broken: Job = Box::new(|_, _| Err(RailError::NotKept));
        batch(&mut bank, [first, broken].into_iter(), Time(0)).unwrap_err();
        assert!(told.try_recv().is_err());
        assert_eq!(bank.executions().unwrap(), []);

        let (again, mut told) = paying(1);
        batch(&mut bank, [again].into_iter(), Time(0)).unwrap();
        assert!(told.try_recv().is_ok());
        assert_eq!(bank.executions().unwrap().len(), 1);
    }
}
