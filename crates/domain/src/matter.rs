//! What operators decide about money, where no rule may: alone up to a set amount, above it with a
//! second person (decisions H13, M1, M2).

use crate::bank::BankCode;
use crate::command::Funding;
use crate::ident::{PartnerNo, PayoutNo, ProposalNo, TradeNo};
use crate::money::Won;
use crate::time::{Day, Time};

/// Longest evidence or reference, in characters.
pub const NOTE_MAX: usize = 200;

/// What became of a payout whose outcome the bank could not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was paid, on that business date.
    Settled(Day),
    /// It was never paid.
    Failed,
}

/// One decision of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matter {
    /// Ends an unknown outcome (decision H13).
    Resolve(Verdict),
    /// A failed payout that was paid after all: settled against suspense (decision H13).
    Correct(Day),
    /// A settled payout came back, and no rail told it (decision H17).
    Return(Option<BankCode>),
    /// Money of a partner in or back (decision M1).
    Fund(Funding),
    /// Takes from what a partner has available what it owes in suspense.
    Recover,
    /// The house pays what a partner owes in suspense.
    WriteOff,
    /// Ends a call of which the acquirer never said what became of it: done, or not.
    Trade(TradeNo, bool),
}

impl Matter {
    /// (kind, detail) as stores keep it.
    pub fn numbers(self) -> (i64, i64) {
        match self {
            Matter::Resolve(Verdict::Settled(day)) => (1, i64::from(day.0)),
            Matter::Resolve(Verdict::Failed) => (2, 0),
            Matter::Correct(day) => (3, i64::from(day.0)),
            Matter::Return(code) => (4, code.map_or(-1, |code| i64::from(code.0))),
            Matter::Fund(Funding::In) => (5, 0),
            Matter::Fund(Funding::Back) => (6, 0),
            Matter::Recover => (7, 0),
            Matter::WriteOff => (8, 0),
            Matter::Trade(no, true) => (9, no.0),
            Matter::Trade(no, false) => (10, no.0),
        }
    }

    pub fn from_numbers(kind: i64, detail: i64) -> Option<Matter> {
        let day = || i32::try_from(detail).ok().map(Day);
        Some(match kind {
            1 => Matter::Resolve(Verdict::Settled(day()?)),
            2 => Matter::Resolve(Verdict::Failed),
            3 => Matter::Correct(day()?),
            4 if detail < 0 => Matter::Return(None),
            4 => Matter::Return(Some(BankCode(u16::try_from(detail).ok()?))),
            5 => Matter::Fund(Funding::In),
            6 => Matter::Fund(Funding::Back),
            7 => Matter::Recover,
            8 => Matter::WriteOff,
            9 => Matter::Trade(TradeNo(detail), true),
            10 => Matter::Trade(TradeNo(detail), false),
            _ => return None,
        })
    }

    /// For people.
    pub fn text(self) -> String {
        match self {
            Matter::Resolve(Verdict::Settled(day)) => format!("resolve as settled on {day}"),
            Matter::Resolve(Verdict::Failed) => "resolve as failed".to_owned(),
            Matter::Correct(day) => format!("correct to settled on {day}, against suspense"),
            Matter::Return(_) => "take in a return".to_owned(),
            Matter::Fund(Funding::In) => "fund".to_owned(),
            Matter::Fund(Funding::Back) => "take back".to_owned(),
            Matter::Recover => "recover from what is available".to_owned(),
            Matter::WriteOff => "write off".to_owned(),
            Matter::Trade(_, true) => "end an acquirer's call as done".to_owned(),
            Matter::Trade(_, false) => "end an acquirer's call as not done".to_owned(),
        }
    }
}

/// What a person wants done, and on what ground.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    pub matter: Matter,
    pub partner: PartnerNo,
    /// The payout that it is about; `None` for money of a partner.
    pub payout: Option<PayoutNo>,
    pub amount: Won,
    /// Evidence, or the reference of the money: where another person finds it. Never a name or an
    /// account number.
    pub note: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ProposalState {
    Open = 0,
    Approved = 1,
    Withdrawn = 2,
}

impl ProposalState {
    pub fn from_number(number: i64) -> Option<ProposalState> {
        use ProposalState::*;
        [Open, Approved, Withdrawn].into_iter().find(|state| *state as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            ProposalState::Open => "open",
            ProposalState::Approved => "approved",
            ProposalState::Withdrawn => "withdrawn",
        }
    }
}

/// An act above the set amount, waiting for the second person; kept for ever, with both names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// Assigned by the decision from the store's serials.
    pub no: ProposalNo,
    pub act: Act,
    pub by: String,
    pub at: Time,
    pub state: ProposalState,
    /// Who approved it or took it back, and when.
    pub closed_by: Option<String>,
    pub closed_at: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_matter_survives_its_numbers() {
        for matter in [
            Matter::Resolve(Verdict::Settled(Day(20_261_124))),
            Matter::Resolve(Verdict::Failed),
            Matter::Correct(Day(20_261_124)),
            Matter::Return(None),
            Matter::Return(Some(BankCode(412))),
            Matter::Fund(Funding::In),
            Matter::Fund(Funding::Back),
            Matter::Recover,
            Matter::WriteOff,
            Matter::Trade(TradeNo(7), true),
            Matter::Trade(TradeNo(7), false),
        ] {
            let (kind, detail) = matter.numbers();
            assert_eq!(Matter::from_numbers(kind, detail), Some(matter));
            assert!(!matter.text().is_empty());
        }
        assert_eq!(Matter::from_numbers(0, 0), None);
        assert_eq!(Matter::from_numbers(4, 1 << 40), None);
    }
}
