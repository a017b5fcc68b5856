//! The simulated bank: what a sandbox pays through.
//!
//! It has scenario accounts in the place of faults ([`mod@scenario`]), a journal of its own beside the
//! hub's data ([`sqlite`]), and it commits that journal before it answers. So a hub that was killed
//! at any moment can ask, and whoever doubts can count ([`audit`]).

pub mod audit;
pub mod bank;
mod desk;
pub mod error;
pub mod journal;
pub mod scenario;
pub mod sqlite;

use crate::port::{AccountCheck, CheckAnswer, LateNotice, May, Payee, Rail};
use desk::Desk;
use error::RailError;
use ichae_domain::bank::{Answer, Why};
use ichae_domain::time::Time;
use ichae_domain::view::Deposit;
use journal::Execution;
use scenario::scenario;
use secrecy::ExposeSecret as _;
use sqlite::SqliteJournal;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Says what time it is (decision H5).
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The institution that the simulated bank knows.
pub const INSTITUTION: &str = "M202112389";

/// The simulated bank behind the port. Dropping it ends its thread.
pub struct SimulatedRail {
    desk: Desk,
    clock: Clock,
}

impl SimulatedRail {
    /// Opens the journal at `path`, or keeps one in memory.
    ///
    /// # Errors
    /// [`RailError::File`] where the file is no journal that can be used, [`RailError::Thread`].
    pub fn open(path: Option<&Path>, clock: Clock) -> Result<SimulatedRail, RailError> {
        let desk = match path {
            Some(path) => Desk::file(SqliteJournal::open(path)?, clock.clone())?,
            None => Desk::memory(clock.clone()),
        };
        Ok(SimulatedRail { desk, clock })
    }

    /// Each number that a call came with, ascending, and how often it was paid.
    ///
    /// # Errors
    /// [`RailError::NotKept`] where the journal did not answer.
    pub async fn executions(&self) -> Result<Vec<Execution>, RailError> {
        self.desk.ask(|bank, _| bank.executions()).await
    }
}

#[async_trait::async_trait]
impl Rail for SimulatedRail {
    fn institution(&self) -> &str {
        INSTITUTION
    }

    async fn real_name(&self, check: &AccountCheck) -> CheckAnswer {
        bank::real_name(scenario(check.number.expose_secret()), (self.clock)())
    }

    async fn deposit(&self, deposit: &Deposit, to: &Payee, may: &May) -> Answer {
        if !may() {
            return Answer::NotSent;
        }
        let (deposit, scenario) = (*deposit, scenario(to.account.number.expose_secret()));
        let told = self.desk.ask(move |bank, now| bank.deposit(&deposit, scenario, now)).await;
        // A commit that failed may have been kept all the same, so this is not "not sent".
        let Ok(reply) = told else { return Answer::Unknown(Why::Lost) };
        if let Ok(ms @ 1..) = u64::try_from(reply.delay_ms) {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        reply.answer
    }

    async fn inquire(&self, deposits: &[Deposit]) -> Vec<Answer> {
        let (asked, deposits) = (deposits.len(), deposits.to_vec());
        let told = self.desk.ask(move |bank, now| {
            deposits.iter().map(|deposit| bank.inquire(deposit, now)).collect::<Result<_, _>>()
        });
        told.await.unwrap_or_else(|_| vec![Answer::Unknown(Why::Lost); asked])
    }

    async fn notices(&self, after: i64, limit: usize) -> Vec<LateNotice> {
        // None for now: the engine asks again.
        self.desk.ask(move |bank, now| bank.notices(after, limit, now)).await.unwrap_or_default()
    }
}
