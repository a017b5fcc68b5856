//! What the simulated bank does: a state machine over its journal. Time comes in with the call.

use super::error::RailError;
use super::journal::{Call, Execution, Journal};
use super::scenario::Scenario;
use crate::port::{CheckAnswer, LateNotice};
use ichae_domain::bank::{Answer, BankClass, BankCode, Why};
use ichae_domain::time::{Day, Time};
use ichae_domain::view::Deposit;

/// The holder of every account.
pub const HOLDER: &str = "홍길동";
/// From a call to the moment when its answer is lost, in milliseconds.
pub const LOST_AFTER_MS: i64 = 1_500;
/// How long the slow account takes, in milliseconds.
pub const SLOW_MS: i64 = 5_000;
/// From a deposit to its return, in milliseconds.
pub const RETURNED_AFTER_MS: i64 = 5_000;
/// The inquiry that finds a processing deposit done.
pub const INQUIRIES_TO_SETTLE: i64 = 3;
/// What the inquiry says about a deposit that was not paid and whose answer was lost.
const UNPAID: BankCode = BankCode(499);
/// The simulated bank has no branches.
const NO_BRANCH: u32 = 0;

/// What a call is answered, and after how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    pub answer: Answer,
    pub delay_ms: i64,
}

/// A bank that pays whatever it is told to, as often as it is told to: it does not recognise a
/// number that it has seen before. Preventing a double send is the hub's work, and this bank is
/// there to show where that failed.
///
/// The account number itself does not get this far, only the scenario that it selects.
#[derive(Debug, Default)]
pub struct Bank<J: Journal + ?Sized> {
    journal: J,
}

impl<J: Journal> Bank<J> {
    pub fn new(journal: J) -> Bank<J> {
        Bank { journal }
    }

    pub fn journal(&mut self) -> &mut J {
        &mut self.journal
    }
}

impl<J: Journal + ?Sized> Bank<J> {
    /// Pays or refuses, and journals the call either way.
    ///
    /// # Errors
    /// The journal's.
    pub fn deposit(
        &mut self,
        deposit: &Deposit,
        scenario: Scenario,
        now: Time,
    ) -> Result<Reply, RailError> {
        let call = Call { triple: deposit.into(), scenario, paid: pays(scenario), at: now };
        let returned = scenario == Scenario::Returned;
        let return_due = returned.then(|| now.plus_ms(RETURNED_AFTER_MS));
        self.journal.append(&call, return_due)?;
        let (answer, delay_ms) = match scenario {
            Scenario::Plain | Scenario::Returned => (settled(deposit.day), 0),
            Scenario::Slow => (settled(deposit.day), SLOW_MS),
            Scenario::DepositRefused(code) | Scenario::CheckRefused(code) => {
                (by_code(code, deposit.day), 0)
            }
            Scenario::PaidAnswerLost | Scenario::UnpaidAnswerLost => {
                (Answer::Unknown(Why::Lost), LOST_AFTER_MS)
            }
            Scenario::Processing => (Answer::Unknown(Why::Processing), 0),
        };
        Ok(Reply { answer, delay_ms })
    }

    /// Says what became of a deposit. A triple that is not in the journal has no history, and that
    /// is not a refusal: the call may still be on its way (openbanking 7.2).
    ///
    /// # Errors
    /// The journal's.
    pub fn inquire(&mut self, deposit: &Deposit, now: Time) -> Result<Answer, RailError> {
        let Some((call, inquiry)) = self.journal.inquired(&deposit.into())? else {
            return Ok(Answer::Unknown(Why::NoHistory));
        };
        Ok(match call.scenario {
            Scenario::Processing if inquiry < INQUIRIES_TO_SETTLE => {
                Answer::Unknown(Why::Processing)
            }
            Scenario::Slow if now < call.at.plus_ms(SLOW_MS) => Answer::Unknown(Why::Processing),
            Scenario::Plain
            | Scenario::PaidAnswerLost
            | Scenario::Processing
            | Scenario::Returned
            | Scenario::Slow => settled(deposit.day),
            Scenario::UnpaidAnswerLost => Answer::Refused { code: UNPAID, day: deposit.day },
            Scenario::DepositRefused(code) | Scenario::CheckRefused(code) => {
                by_code(code, deposit.day)
            }
        })
    }

    /// Returns that are due, numbered above `after`, at most `limit`.
    ///
    /// # Errors
    /// The journal's.
    pub fn notices(
        &self,
        after: i64,
        limit: usize,
        now: Time,
    ) -> Result<Vec<LateNotice>, RailError> {
        let returns = self.journal.returns(after, limit)?;
        // Ends at the first that is not due, even if the clock went back between two calls:
        // whoever has read a number does not ask for a lower one again.
        let due = returns.into_iter().take_while(|back| back.due <= now);
        Ok(due
            .map(|back| LateNotice { number: back.number, bank_no: back.bank_no, code: None })
            .collect())
    }

    /// Each number that a call came with, and how often it was paid.
    ///
    /// # Errors
    /// The journal's.
    pub fn executions(&self) -> Result<Vec<Execution>, RailError> {
        self.journal.executions()
    }
}

/// Answers an account check. It leaves no trace in the journal: no money moves.
pub fn real_name(scenario: Scenario, now: Time) -> CheckAnswer {
    match scenario {
        Scenario::CheckRefused(code) => CheckAnswer::Refused(code),
        _ => CheckAnswer::Holder { name: HOLDER.into(), bank_code_sub: NO_BRANCH, day: now.day() },
    }
}

fn pays(scenario: Scenario) -> bool {
    match scenario {
        Scenario::Plain
        | Scenario::PaidAnswerLost
        | Scenario::Processing
        | Scenario::Returned
        | Scenario::Slow => true,
        Scenario::DepositRefused(code) | Scenario::CheckRefused(code) => {
            code.class() == BankClass::Settled
        }
        Scenario::UnpaidAnswerLost => false,
    }
}

fn settled(day: Day) -> Answer {
    Answer::Settled { day, bank_code_sub: NO_BRANCH }
}

/// Reads a code by its class in the domain's table, as a real rail does.
fn by_code(code: BankCode, day: Day) -> Answer {
    match code.class() {
        BankClass::Settled => settled(day),
        BankClass::Refused => Answer::Refused { code, day },
        BankClass::OwnSide => Answer::OwnSide { code },
        BankClass::NotSent => Answer::NotSent,
        BankClass::Unknown => Answer::Unknown(Why::Undecided(code)),
    }
}
