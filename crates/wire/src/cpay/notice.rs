//! What a partner's webhook is told: payments, refunds, and keys that were deregistered by hand (wire
//! facts 2.10).

use super::head::{Head, SUCCESS};
use super::paid::{self, Body, Field, Paid, time_of};
use super::{pay, pay_type, refund, user};
use ichae_domain::billing::{Instrument, Payer, Trade, words};
use ichae_domain::refusal::{Detail, Refusal};
use secrecy::ExposeSecret;
use serde_json::Value;

/// Why a key is gone, in the documents' words.
const REMOVED: &str = "2008 : 고객요청으로 자동이체 해지되었음(업체해지)";

/// A payment that was captured: its answer's fields, and whose it is.
pub fn paid(cst_id: &str, paid: &Paid<'_>) -> Value {
    payment(cst_id, paid, pay::head(paid))
}

/// A payment that failed: the same fields under the code and the message that its answer had. `test`
/// marks the message.
pub fn failed(cst_id: &str, paid: &Paid<'_>, test: bool) -> Value {
    let code = words(paid.charge.method, paid.charge.month.is_some()).refused;
    let detail = paid.pay.reason.map_or(Detail::None, Detail::Institution);
    payment(cst_id, paid, Head::refused(&Refusal { code, detail }, test))
}

fn payment(cst_id: &str, paid: &Paid<'_>, head: Head) -> Value {
    let body = Body::default().head(head).put("PCD_CST_ID", cst_id);
    body.of(paid, pay::fields(paid)).value()
}

const REFUNDED: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::YEAR,
    paid::MONTH,
    paid::GOODS,
    paid::TOTAL,
    paid::REGULER_FLAG,
];

/// One refund of a payment. The documents' example has no code.
pub fn refunded(cst_id: &str, paid: &Paid<'_>, refund: &Trade) -> Value {
    Body::default()
        .put("PCD_PAY_RST", SUCCESS)
        .put("PCD_PAY_MSG", refund::MESSAGE)
        .put("PCD_CST_ID", cst_id)
        .of(paid, REFUNDED)
        .put("PCD_REFUND_TOTAL", refund.amount.to_string())
        .put("PCD_REFUND_TIME", time_of(refund))
        .put("PCD_PAYCANCEL_FLAG", "Y")
        .value()
}

/// A key that the operator deregistered.
pub fn removed(cst_id: &str, payer: &Payer, instrument: &Instrument, payer_id: &str) -> Value {
    Body::default()
        .put("PCD_CST_ID", cst_id)
        .put("PCD_PAY_WORK", user::WORK)
        .put("PCD_PAY_RST", SUCCESS)
        .put("PCD_PAY_MSG", REMOVED)
        .put("PCD_PAY_TYPE", pay_type(payer.method))
        .put("PCD_PAYER_ID", payer_id)
        .put("PCD_PAYER_NAME", instrument.holder.expose_secret())
        .put("PCD_PAYER_HP", instrument.phone_masked.expose_secret())
        .value()
}
