//! Billing keys of payers, and what is paid with them: the vocabulary of the cpay half.
//!
//! A payer registers a card or an account once; its key is charged since. A charge moves money through
//! an acquirer, which may fail to answer: the intent is durable before it is called, and what it did
//! not answer is asked, never called again.

mod answer;
mod charge;
mod institution;
mod institution_codes;
mod payer;
mod trade;
mod words;

pub use answer::{Approval, TradeAnswer, TradeWhy};
pub use charge::{Charge, ChargeState, Month, OrderText, Tax, least, month_of};
pub use institution::{InstitutionEntry, Reason, ReasonClass};
pub use institution_codes::INSTITUTION_TABLE;
pub use payer::{Instrument, Method, Owner, Payer, PayerAlias};
pub use trade::{Trade, TradeKind, TradeState, reference};
pub use words::{Words, words};
