//! Refunds a payment, all of it or a part (wire facts 2.7).

use super::head::Head;
use super::paid::{self, Body, Field, Paid};
use super::{field, session};
use crate::json::Fields;
use ichae_domain::billing::{Approval, Method, Month, Trade};
use ichae_domain::code::Code;
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use ichae_domain::time::Day;
use secrecy::SecretString;
use serde_json::Value;

/// Success.
pub const DONE: &str = "PAYC0000";
pub const MESSAGE: &str = "환불성공";

/// Refunds a payment, all of it or a part.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayRefundRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub session: session::RequestBody,
    /// The partner's refund key.
    #[schema(example = "a41ce010ede9fcbfb3be86b24858806596a9db68b79d138b147c3e563e1829a0")]
    pub pcd_refund_key: String,
    /// `Y`.
    #[schema(example = "Y")]
    pub pcd_paycancel_flag: String,
    /// The payment's order number.
    #[schema(example = "test201804000001", max_length = 255)]
    pub pcd_pay_oid: String,
    /// The day of the payment, `yyyyMMdd` in Seoul. A JSON integer is accepted too.
    #[schema(example = "20180502", pattern = "^[0-9]{8}$")]
    pub pcd_pay_date: String,
    /// Whole won: all that is left of the payment where it is absent.
    #[schema(example = "1000", max_length = 12, pattern = "^[1-9][0-9]{0,11}$")]
    pub pcd_refund_total: Option<String>,
    /// What of it is value added tax; `PCD_PAY_TAXTOTAL` is read where it is absent.
    #[schema(example = "10", max_length = 12, pattern = "^(0|[1-9][0-9]{0,11})$")]
    pub pcd_refund_taxtotal: Option<String>,
    /// The older name of `PCD_REFUND_TAXTOTAL`.
    #[schema(example = "10", max_length = 12, pattern = "^(0|[1-9][0-9]{0,11})$")]
    pub pcd_pay_taxtotal: Option<String>,
    /// `Y` where the payment is a monthly one.
    #[schema(example = "Y")]
    pub pcd_reguler_flag: Option<String>,
    /// With a monthly payment: four digits of the year that it was for.
    #[schema(example = "2018", pattern = "^[0-9]{4}$")]
    pub pcd_pay_year: Option<String>,
    /// With a monthly payment: the month that it was for.
    #[schema(example = "05", pattern = "^[0-9]{1,2}$")]
    pub pcd_pay_month: Option<String>,
}

/// What is in the body beside the session.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Normalised to NFC, so that a verifier sees one form (decision H3).
    pub refund_key: SecretString,
    pub oid: String,
    pub day: Day,
    /// Where the request names the month of a monthly payment.
    pub month: Option<Month>,
    /// All that is left where it is not said.
    pub amount: Option<Won>,
    pub vat: Option<Won>,
}

/// PAYC0001 for the key, PAYC0003 with the field's name for the rest.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let wrong = Code::PAYC0003;
    let refund_key = fields.text("PCD_REFUND_KEY").ok().flatten();
    let refund_key = refund_key.filter(|key| text::is_cust_key(key)).and_then(text::clean);
    let refund_key = refund_key.ok_or(Code::PAYC0001)?.into();
    field::set(fields, "PCD_PAYCANCEL_FLAG", wrong)?;
    let oid = field::required_oid(fields, wrong)?;
    let day = field::pay_date(fields, wrong)?;
    let amount = field::amount(fields, "PCD_REFUND_TOTAL", wrong)?;
    // The documents' table has the second name, all of their samples the first.
    let (newer, older) = (
        field::part(fields, "PCD_REFUND_TAXTOTAL", wrong)?,
        field::part(fields, "PCD_PAY_TAXTOTAL", wrong)?,
    );
    let month = field::earlier_month(fields, wrong)?;
    Ok(Parsed { refund_key, oid, day, month, amount, vat: newer.or(older) })
}

const CARD: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::YEAR,
    paid::MONTH,
    paid::GOODS,
    paid::REGULER_FLAG,
];
const ACCOUNT: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::REGULER_FLAG,
    paid::YEAR,
    paid::MONTH,
    paid::GOODS,
];

/// A refund that was done. The slip and its number are the payment's.
pub fn response(paid: &Paid<'_>, refund: &Trade) -> Value {
    let card = paid.charge.method == Method::Card;
    let body = Body::default()
        .head(Head::done(DONE, MESSAGE))
        .of(paid, if card { CARD } else { ACCOUNT })
        .put("PCD_REFUND_TOTAL", refund.amount.to_string())
        .put("PCD_REFUND_TAXTOTAL", refund.vat.to_string());
    if card {
        return body.of(paid, &[paid::CARDTRADENUM, paid::CARDRECEIPT]).value();
    }
    match refund.approval.as_ref().and_then(receipt) {
        Some((code, message)) => {
            body.put("PCD_TAXSAVE_RST", code).put("PCD_TAXSAVE_MSG", message).value()
        }
        None => body.value(),
    }
}

/// What became of the payment's cash receipt, where it had one. That it could not be canceled leaves the
/// refund done.
fn receipt(approval: &Approval) -> Option<(&'static str, &'static str)> {
    match (&approval.receipt_no, approval.receipt_reason) {
        (_, Some(_)) => Some(("-10002122", "현금영수증 발행취소 실패")),
        (Some(_), None) => Some(("0000", "현금영수증 발행취소 성공")),
        (None, None) => None,
    }
}
