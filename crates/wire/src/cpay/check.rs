//! Looks a payment up (wire facts 2.8).

use super::head::Head;
use super::paid::{self, Body, Field, Paid};
use super::{field, method_of, session};
use crate::json::Fields;
use ichae_domain::billing::{Method, Month};
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Day;
use serde_json::Value;

/// Success. The documents' table lacks its last zero.
pub const DONE: &str = "PCHK0000";

/// Names a payment.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayCheckRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub session: session::RequestBody,
    /// `Y`.
    #[schema(example = "Y")]
    pub pcd_paychk_flag: String,
    /// `card`, or `transfer` for an account.
    #[schema(example = "card")]
    pub pcd_pay_type: String,
    /// The payment's order number.
    #[schema(example = "test201804000001", max_length = 255)]
    pub pcd_pay_oid: String,
    /// The day of the payment, `yyyyMMdd` in Seoul. A JSON integer is accepted too.
    #[schema(example = "20200320", pattern = "^[0-9]{8}$")]
    pub pcd_pay_date: String,
    /// `Y` where the payment is a monthly one.
    #[schema(example = "Y")]
    pub pcd_reguler_flag: Option<String>,
    /// With a monthly payment: four digits of the year that it was for.
    #[schema(example = "2018", pattern = "^[0-9]{4}$")]
    pub pcd_pay_year: Option<String>,
    /// With a monthly payment: the month that it was for.
    #[schema(example = "04", pattern = "^[0-9]{1,2}$")]
    pub pcd_pay_month: Option<String>,
}

/// What is in the body beside the session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub method: Method,
    pub oid: String,
    pub day: Day,
    /// Where the request names the month of a monthly payment.
    pub month: Option<Month>,
}

/// CBIL0001 for the flag, CBIL0003 with the field's name for the rest.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let wrong = Code::CBIL0003;
    if !field::is_check(fields) {
        return Err(Code::CBIL0001.into());
    }
    let method = field::text(fields, "PCD_PAY_TYPE", wrong)?.and_then(method_of);
    let method = method.ok_or(Refusal::field(wrong, "PCD_PAY_TYPE"))?;
    let oid = field::required_oid(fields, wrong)?;
    let day = field::pay_date(fields, wrong)?;
    let month = field::earlier_month(fields, wrong)?;
    Ok(Parsed { method, oid, day, month })
}

const CARD: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::PAYER_EMAIL,
    paid::YEAR,
    paid::MONTH,
    paid::GOODS,
    paid::TOTAL,
    paid::ISTAX,
    paid::TAXTOTAL,
    paid::CARDNAME,
    paid::CARDNUM_DASHED,
    paid::CARDTRADENUM,
    paid::CARDAUTHNO,
    paid::CARDRECEIPT,
    paid::TIME,
    paid::REGULER_FLAG,
    paid::PAYER_NAME,
];
/// With the e-mail address and the receipt's result, which today's sample clients read.
const ACCOUNT: &[Field] = &[
    paid::OID,
    paid::TYPE,
    paid::PAYER_NO,
    paid::PAYER_ID,
    paid::PAYER_EMAIL,
    paid::YEAR,
    paid::MONTH,
    paid::GOODS,
    paid::TOTAL,
    paid::ISTAX,
    paid::TAXTOTAL,
    paid::BANK,
    paid::BANKNAME,
    paid::BANKNUM,
    paid::TIME,
    paid::REGULER_FLAG,
    paid::STANDING_FLAG,
    paid::STANDING_RST,
    paid::STANDING_MGTNUM,
];

/// A payment that was captured, and what was refunded of it since.
pub fn response(paid: &Paid<'_>) -> Value {
    let (message, fields) = match paid.charge.method {
        Method::Card => ("결제완료", CARD),
        Method::Account => ("출금이체완료", ACCOUNT),
    };
    Body::default()
        .head(Head::done(DONE, message))
        .of(paid, fields)
        .put("PCD_REFUND_TOTAL", paid.charge.refunded.to_string())
        .value()
}
