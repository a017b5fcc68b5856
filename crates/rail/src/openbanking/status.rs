//! `GET /v2.0/bank/status`: what each bank says of itself (openbanking 10).

use super::form::is_bank;
use super::json::Node;
use super::message::{Body, Got, Outgoing};
use super::reply::{DONE, Opened, open};
use crate::port::{BankState, BankStatus};

pub const PATH: &str = "/v2.0/bank/status";

/// The request: it has no fields.
pub fn build() -> Outgoing {
    Outgoing { path: PATH, body: Body::Nothing }
}

/// Reads the answer; `None` where nothing could be learned. A bank whose letter is none of the
/// four is left out, and so taken for open: it decides only whether to wait.
pub fn read(got: &Got) -> Option<Vec<BankState>> {
    let Ok(Opened::Body(DONE, node)) = open(got) else { return None };
    let entries = node.entries().ok()??;
    Some(entries.iter().filter_map(state).collect())
}

fn state(entry: &Node) -> Option<BankState> {
    let bank = entry.text("bank_code_std").ok()?.filter(|bank| is_bank(bank))?;
    let status = BankStatus::from_letter(entry.text("bank_status").ok()??)?;
    Some(BankState { bank: bank.to_owned(), status })
}
