//! A refusal: its code, and what of the rows belongs into the answer. It leaves nothing behind.

use crate::bank::BankCode;
use crate::billing::Reason;
use crate::code::Code;
use crate::ident::{GroupNo, KeyNo, PayoutNo};
use crate::money::Won;
use crate::payout::State;
use crate::time::Time;

/// The first request under a `distinct_key`, as a repeat's refusal carries it (decision H9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct First {
    pub payout: PayoutNo,
    pub group: GroupNo,
    pub key: KeyNo,
    pub amount: Won,
    pub at: Time,
    pub state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Detail {
    None,
    /// The setting or field that is wrong.
    Field(&'static str),
    /// The bank code behind it.
    Bank(BankCode),
    /// The card company's code behind it.
    Institution(Reason),
    /// The first request, and the field in which the repeat differs (R0133).
    First(Box<First>, Option<&'static str>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub code: Code,
    pub detail: Detail,
}

impl Refusal {
    pub fn field(code: Code, name: &'static str) -> Refusal {
        Refusal { code, detail: Detail::Field(name) }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal { code, detail: Detail::None }
    }
}
