//! Where calls wait for the bank: group commit on a thread of its own.

use crate::bank::Bank;
use crate::error::KftcError;
use ichae_domain::time::Time;
use ichae_rail::simulated::Clock;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the thread; more wait at the sender.
const WAITING_MAX: usize = 1_024;
/// Calls in one commit.
const BATCH_MAX: usize = 256;

/// A call. It does its work inside the transaction and gives back what tells its caller.
type Job = Box<dyn FnOnce(&mut Bank, Time) -> Result<Tell, KftcError> + Send>;
/// Tells a caller; run only once the work is durable.
type Tell = Box<dyn FnOnce() + Send>;

/// The sending end, and the thread behind it. The order of the fields matters: dropping the sender
/// ends the thread, and only then can it be joined.
pub struct Desk {
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
    pub fn start(bank: Bank, clock: Clock) -> Result<Desk, KftcError> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("kftc-bank".to_owned())
            .spawn(move || serve(bank, waiting, &clock))?;
        Ok(Desk { jobs, _thread: Joined(Some(thread)) })
    }

    /// Does some work at the bank and answers once it is durable. What was due is done first.
    ///
    /// # Errors
    /// [`KftcError::NotKept`] where the batch was not committed.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Bank, Time) -> Result<T, KftcError> + Send + 'static,
    ) -> Result<T, KftcError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |bank, now| {
            let value = work(bank, now)?;
            Ok(Box::new(move || {
                // Whoever asked may have gone; what was done stays done.
                let _ = tell.send(value);
            }))
        });
        self.jobs.send(job).await.map_err(|_| KftcError::NotKept)?;
        told.await.map_err(|_| KftcError::NotKept)
    }
}

/// Runs until every sender is gone, and finishes what was sent before.
fn serve(mut bank: Bank, mut waiting: mpsc::Receiver<Job>, clock: &Clock) {
    let mut jobs = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut jobs, BATCH_MAX) > 0 {
        if let Err(error) = batch(&mut bank, jobs.drain(..), clock()) {
            tracing::error!(%error, "the bank simulator did not keep a batch of calls");
        }
    }
}

/// All of the jobs in one commit, or none of them: then nobody is told anything.
fn batch(bank: &mut Bank, jobs: impl Iterator<Item = Job>, now: Time) -> Result<(), KftcError> {
    let kept = work(bank, jobs, now);
    match kept {
        Ok(tells) => tells.into_iter().for_each(|tell| tell()),
        Err(error) => {
            bank.journal.abandon()?;
            return Err(error);
        }
    }
    Ok(())
}

fn work(
    bank: &mut Bank,
    jobs: impl Iterator<Item = Job>,
    now: Time,
) -> Result<Vec<Tell>, KftcError> {
    bank.journal.settle(now)?;
    let tells = jobs.map(|job| job(&mut *bank, now)).collect::<Result<Vec<Tell>, _>>()?;
    bank.journal.commit()?;
    Ok(tells)
}
