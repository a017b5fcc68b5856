//! What the simulated bank remembers. Neither an account number nor a name is among it.

use super::error::RailError;
use super::scenario::Scenario;
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::time::{Day, Time};
use ichae_domain::view::Deposit;
use std::collections::BTreeMap;

/// What names a deposit to a bank: an inquiry has to know all three (openbanking 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Triple {
    pub bank_no: BankNo,
    pub day: Day,
    pub amount: Won,
}

impl From<&Deposit> for Triple {
    fn from(deposit: &Deposit) -> Triple {
        Triple { bank_no: deposit.bank_no, day: deposit.day, amount: deposit.amount }
    }
}

/// One call to deposit. A second call with the same number is a second one of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    pub triple: Triple,
    pub scenario: Scenario,
    /// Whether the money moves.
    pub paid: bool,
    pub at: Time,
}

/// A return, numbered from 1 in the order of the calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Return {
    pub number: i64,
    pub bank_no: BankNo,
    /// Nobody hears of it before.
    pub due: Time,
}

/// All that was done under one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execution {
    pub bank_no: BankNo,
    pub calls: i64,
    /// More than one is money lost.
    pub times_paid: i64,
    /// The sum of what was paid.
    pub paid: Won,
}

/// The journal of a simulated bank.
pub trait Journal {
    /// Adds a call, and the return that will follow it.
    fn append(&mut self, call: &Call, return_due: Option<Time>) -> Result<(), RailError>;

    /// What counts of a triple's calls: the first that was paid, else the last. And which inquiry
    /// about it this is, counted from 1. `None` where there is no such call; then nothing counts.
    fn inquired(&mut self, triple: &Triple) -> Result<Option<(Call, i64)>, RailError>;

    /// Returns numbered above `after`, due or not, ascending, at most `limit`.
    fn returns(&self, after: i64, limit: usize) -> Result<Vec<Return>, RailError>;

    /// Each number that a call came with, ascending.
    fn executions(&self) -> Result<Vec<Execution>, RailError>;
}

/// A journal that ends with the process. It never fails.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    calls: Vec<(Call, i64)>,
    /// Where the calls of a number are, in their order.
    places: BTreeMap<BankNo, Vec<usize>>,
    returns: Vec<Return>,
}

impl Journal for MemoryJournal {
    fn append(&mut self, call: &Call, return_due: Option<Time>) -> Result<(), RailError> {
        let bank_no = call.triple.bank_no;
        self.places.entry(bank_no).or_default().push(self.calls.len());
        self.calls.push((*call, 0));
        if let Some(due) = return_due {
            let number = self.returns.last().map_or(0, |last| last.number) + 1;
            self.returns.push(Return { number, bank_no, due });
        }
        Ok(())
    }

    fn inquired(&mut self, triple: &Triple) -> Result<Option<(Call, i64)>, RailError> {
        let places = self.places.get(&triple.bank_no).map_or(&[][..], Vec::as_slice);
        let same = |place: &usize| self.calls[*place].0.triple == *triple;
        let mut same = places.iter().copied().filter(same);
        let paid = same.clone().find(|place| self.calls[*place].0.paid);
        let Some(place) = paid.or(same.next_back()) else { return Ok(None) };
        let (call, inquiries) = &mut self.calls[place];
        *inquiries += 1;
        Ok(Some((*call, *inquiries)))
    }

    fn returns(&self, after: i64, limit: usize) -> Result<Vec<Return>, RailError> {
        let start = self.returns.partition_point(|back| back.number <= after);
        Ok(self.returns[start..].iter().take(limit).copied().collect())
    }

    fn executions(&self) -> Result<Vec<Execution>, RailError> {
        let sum = |(bank_no, places): (&BankNo, &Vec<usize>)| {
            let none = Execution { bank_no: *bank_no, calls: 0, times_paid: 0, paid: Won::ZERO };
            places.iter().fold(none, |sum, place| {
                let call = &self.calls[*place].0;
                let paid = if call.paid { call.triple.amount.0 } else { 0 };
                Execution {
                    calls: sum.calls + 1,
                    times_paid: sum.times_paid + i64::from(call.paid),
                    paid: Won(sum.paid.0.saturating_add(paid)),
                    ..sum
                }
            })
        };
        Ok(self.places.iter().map(sum).collect())
    }
}
