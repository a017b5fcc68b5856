//! A payment's row as the wire shows it: in answers, look-ups and webhooks alike.

use crate::config::Environment;
use crate::hub::Hub;
use ichae_domain::notice::{Notice, Outcome, Subject};
use ichae_store::billing::ChargeRow;
use ichae_wire::cpay::notice;
use ichae_wire::cpay::paid::Paid;
use serde_json::Value;

/// `payer_id`: the id as its partner knows it.
pub fn paid<'a>(row: &'a ChargeRow, payer_id: &'a str) -> Option<Paid<'a>> {
    let charge = &row.charge;
    Some(Paid {
        charge,
        texts: &row.texts,
        payer: &row.payer,
        instrument: &row.instrument,
        pay: row.trade(charge.pay)?,
        receipt: charge.receipt.and_then(|no| row.trade(no)),
        payer_id,
        // A page of the acquirer's; the simulated one has none.
        card_receipt: String::new(),
    })
}

/// What a notice of it says.
pub fn told(hub: &Hub, cst_id: &str, told: &Notice, row: &ChargeRow) -> Option<Value> {
    let Subject::Charge(_, trade) = told.subject else { return None };
    let payer_id = hub.payer_id(&row.payer);
    let paid = paid(row, &payer_id)?;
    match told.outcome {
        Outcome::Paid => Some(notice::paid(cst_id, &paid)),
        Outcome::ChargeFailed => {
            Some(notice::failed(cst_id, &paid, hub.environment == Environment::Test))
        }
        Outcome::Refunded => Some(notice::refunded(cst_id, &paid, row.trade(trade)?)),
        Outcome::Settled | Outcome::Failed | Outcome::Returned | Outcome::Deregistered => None,
    }
}
