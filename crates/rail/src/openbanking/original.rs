//! The transfer that an answer has to be about, and what an answer says about it.

use super::json::Node;
use super::reply::{amount, branch, day, echoes};
use ichae_domain::bank::{Answer, Why};
use ichae_domain::money::Won;
use ichae_domain::time::Day;
use ichae_domain::view::Deposit;

/// What identifies a transfer (openbanking 3), kept from the moment it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Original {
    /// Twenty characters.
    pub bank_tran_id: String,
    /// The day of sending.
    pub day: Day,
    pub amount: Won,
    /// Whether the answer's date is kept; else the day of sending is. The test bed's dates are
    /// canned (openbanking 12).
    pub trust_dates: bool,
}

impl Original {
    pub fn new(institution: &str, deposit: &Deposit, trust_dates: bool) -> Original {
        Original {
            bank_tran_id: deposit.bank_no.text(institution),
            day: deposit.day,
            amount: deposit.amount,
            trust_dates,
        }
    }

    /// Settled, if the entry is about this transfer. `branch_key` is the field that names the
    /// branch.
    pub(super) fn settled(&self, entry: &Node, branch_key: &str) -> Result<Answer, Why> {
        echoes(entry, "bank_tran_id", &self.bank_tran_id)?;
        match amount(entry)? {
            Some(won) if won == self.amount.0 => {}
            Some(_) => return Err(Why::Mismatch),
            None => return Err(Why::Unreadable),
        }
        let day = if self.trust_dates { day(entry).ok_or(Why::Unreadable)? } else { self.day };
        Ok(Answer::Settled { day, bank_code_sub: branch(entry, branch_key) })
    }

    /// Whether a refusal is about this transfer. It need not repeat the amount, but where it does
    /// it must be this one.
    pub(super) fn is_refused_by(&self, entry: &Node) -> Result<(), Why> {
        echoes(entry, "bank_tran_id", &self.bank_tran_id)?;
        match amount(entry)? {
            Some(won) if won != self.amount.0 => Err(Why::Mismatch),
            _ => Ok(()),
        }
    }

    /// The day of a refusal: no money moved, so the day of sending will do where there is none.
    pub(super) fn refused_day(&self, entry: &Node) -> Day {
        day(entry).filter(|_| self.trust_dates).unwrap_or(self.day)
    }
}
