//! The simulated acquirer: what a sandbox charges through.
//!
//! It has scenario cards and accounts in the place of faults ([`mod@scenario`]) and a journal of its own
//! beside the hub's data, which it commits before it answers. So a hub that was killed at any moment
//! can ask, and whoever doubts can count ([`mod@audit`]). It keeps no number of a card or an account.

pub mod audit;
mod book;
mod desk;
pub mod error;
mod journal;
mod register;
mod row;
pub mod scenario;
mod token;

pub use book::{INQUIRIES_TO_KNOW, SLOW_MS};
pub use register::{CARD_COMPANY, bank_name};

use crate::port::{
    AccountDetails, Acquirer, CardDetails, PayCall, ReceiptCall, RefundCall, Registration,
};
use audit::AuditRow;
use book::Reply;
use desk::Desk;
use error::AcquirerError;
use ichae_domain::billing::{Method, TradeAnswer, TradeKind, TradeWhy};
use journal::Journal;
use scenario::Scenario;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use token::Token;

/// The simulated acquirer behind the port. Dropping it ends its thread.
pub struct SimulatedAcquirer {
    desk: Desk,
}

impl SimulatedAcquirer {
    /// Opens the journal at `path`, or creates it.
    ///
    /// # Errors
    /// [`AcquirerError::File`] where the file is no journal that can be used, [`AcquirerError::Thread`].
    pub fn open(path: &Path) -> Result<SimulatedAcquirer, AcquirerError> {
        Ok(SimulatedAcquirer { desk: Desk::file(Journal::open(path)?)? })
    }

    /// One whose journal ends with it.
    ///
    /// # Errors
    /// [`AcquirerError::File`].
    pub fn in_memory() -> Result<SimulatedAcquirer, AcquirerError> {
        let journal = Journal::open(Path::new(":memory:"))?;
        Ok(SimulatedAcquirer { desk: Desk::Memory(Mutex::new(journal)) })
    }

    /// What [`audit::audit`] reads of a file.
    ///
    /// # Errors
    /// [`AcquirerError::NotKept`] where the journal did not answer.
    pub async fn audit(&self) -> Result<Vec<AuditRow>, AcquirerError> {
        self.desk.ask(Journal::audit).await
    }
}

/// What a registration of any plain number gives: a token that pays, as often as it is used.
pub fn plain_token(method: Method) -> SecretString {
    Token { method, scenario: Scenario::Plain }.make()
}

/// What the caller gets to hear, once it is time.
async fn heard(told: Result<Reply, AcquirerError>) -> TradeAnswer {
    // A commit that failed may have been kept all the same, so this is not "not sent".
    let Ok(reply) = told else { return TradeAnswer::Unknown(TradeWhy::Lost) };
    if reply.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    }
    reply.answer
}

#[async_trait::async_trait]
impl Acquirer for SimulatedAcquirer {
    async fn register_card(&self, card: &CardDetails) -> Registration {
        register::card(card)
    }

    async fn register_account(&self, account: &AccountDetails) -> Registration {
        register::account(account)
    }

    async fn pay(&self, pay: &PayCall) -> TradeAnswer {
        let call = pay.clone();
        heard(self.desk.ask(move |journal| book::pay(journal, &call)).await).await
    }

    async fn refund(&self, refund: &RefundCall) -> TradeAnswer {
        let call = refund.clone();
        heard(self.desk.ask(move |journal| book::refund(journal, &call)).await).await
    }

    async fn receipt(&self, receipt: &ReceiptCall) -> TradeAnswer {
        let call = receipt.clone();
        heard(self.desk.ask(move |journal| book::receipt(journal, &call)).await).await
    }

    async fn inquire(&self, reference: &str, kind: TradeKind) -> TradeAnswer {
        let reference = reference.to_owned();
        let told = self.desk.ask(move |journal| book::inquire(journal, &reference, kind)).await;
        told.unwrap_or(TradeAnswer::Unknown(TradeWhy::Lost))
    }
}
