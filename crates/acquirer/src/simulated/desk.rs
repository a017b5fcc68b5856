//! Where calls wait for the journal: group commit on a thread of its own.

use super::error::AcquirerError;
use super::journal::Journal;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the thread; more wait at the sender.
const WAITING_MAX: usize = 1_024;
/// Calls in one commit.
const BATCH_MAX: usize = 256;

/// A call. It does its work inside the transaction and gives back what tells its caller.
type Job = Box<dyn FnOnce(&Journal) -> Result<Tell, AcquirerError> + Send>;
/// Tells a caller; run only once the work is durable.
type Tell = Box<dyn FnOnce() + Send>;

pub(super) enum Desk {
    /// Nothing to wait for, so no thread: a test with paused time sees the answer at once.
    Memory(Mutex<Journal>),
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
    pub(super) fn file(journal: Journal) -> Result<Desk, AcquirerError> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("simulated-acquirer".to_owned())
            .spawn(move || serve(journal, waiting))?;
        Ok(Desk::File(Counter { jobs, _thread: Joined(Some(thread)) }))
    }

    /// Does some work with the journal and answers once it is durable.
    ///
    /// # Errors
    /// [`AcquirerError::NotKept`] where the batch was not committed.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Journal) -> Result<T, AcquirerError> + Send + 'static,
    ) -> Result<T, AcquirerError> {
        match self {
            Desk::Memory(journal) => {
                journal.lock().unwrap_or_else(PoisonError::into_inner).whole(work)
            }
            Desk::File(counter) => {
                let (tell, told) = oneshot::channel();
                counter.jobs.send(job(work, tell)).await.map_err(|_| AcquirerError::NotKept)?;
                told.await.map_err(|_| AcquirerError::NotKept)
            }
        }
    }
}

fn job<T: Send + 'static>(
    work: impl FnOnce(&Journal) -> Result<T, AcquirerError> + Send + 'static,
    tell: oneshot::Sender<T>,
) -> Job {
    Box::new(move |journal| {
        let value = work(journal)?;
        Ok(Box::new(move || {
            // Whoever asked may have gone; what was done stays done.
            let _ = tell.send(value);
        }))
    })
}

/// Runs until every sender is gone, and finishes what was sent before.
fn serve(mut journal: Journal, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut jobs, BATCH_MAX) > 0 {
        if let Err(error) = batch(&mut journal, jobs.drain(..)) {
            tracing::error!(%error, "the simulated acquirer did not keep a batch of calls");
        }
    }
}

/// All of the jobs in one commit, or none of them: then nobody is told anything.
fn batch(journal: &mut Journal, jobs: impl Iterator<Item = Job>) -> Result<(), AcquirerError> {
    let tells: Vec<Tell> =
        journal.whole(|journal| jobs.map(|job| job(journal)).collect::<Result<_, _>>())?;
    tells.into_iter().for_each(|tell| tell());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::PayCall;
    use crate::simulated::book;
    use crate::simulated::scenario::Scenario;
    use crate::simulated::token::Token;
    use ichae_domain::billing::Method;
    use ichae_domain::money::Won;
    use std::path::Path;

    fn paying(order: &str) -> (Job, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        let call = PayCall {
            reference: format!("reference of {order}"),
            order: order.to_owned(),
            token: Token { method: Method::Card, scenario: Scenario::Plain }.make(),
            method: Method::Card,
            amount: Won(1_000),
            vat: Won(90),
            receipt: None,
        };
        (job(move |journal| book::pay(journal, &call).map(drop), tell), told)
    }

    fn trades(journal: &mut Journal) -> usize {
        journal.whole(|journal| journal.audit()).unwrap().len()
    }

    #[test]
    fn a_batch_is_kept_and_told_as_a_whole() {
        let mut journal = Journal::open(Path::new(":memory:")).unwrap();
        let (jobs, mut told): (Vec<_>, Vec<_>) = ["1", "2", "3"].map(paying).into_iter().unzip();
        batch(&mut journal, jobs.into_iter()).unwrap();
        assert!(told.iter_mut().all(|told| told.try_recv().is_ok()));
        assert_eq!(trades(&mut journal), 3);
    }

    #[test]
    fn a_batch_that_fails_keeps_nothing_and_tells_nobody() {
        let mut journal = Journal::open(Path::new(":memory:")).unwrap();
        let (first, mut told) = paying("1");
        let broken: Job = Box::new(|_| Err(AcquirerError::NotKept));
        batch(&mut journal, [first, broken].into_iter()).unwrap_err();
        assert!(told.try_recv().is_err());
        assert_eq!(trades(&mut journal), 0);

        let (again, mut told) = paying("1");
        batch(&mut journal, [again].into_iter()).unwrap();
        assert!(told.try_recv().is_ok());
        assert_eq!(trades(&mut journal), 1);
    }
}
