//! Cash receipts of payments from accounts: issue and cancel (wire facts 2.9).

use super::head::Head;
use super::paid::{Body, OID, PAYER_ID, Paid, REGULER_FLAG, receipt_no};
use super::{field, session};
use crate::json::Fields;
use ichae_domain::billing::{Trade, TradeKind};
use ichae_domain::code::Code;
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use secrecy::SecretString;
use serde_json::Value;

/// Success; ours, as the documents have none.
pub const DONE: &str = "TSAV0000";
/// Fewest and most digits of a phone number, a cash receipt card or a business number.
pub const ID_NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 10..=18;

/// Issues a cash receipt for a payment from an account, or cancels the one that stands.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayReceiptRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub session: session::RequestBody,
    /// The billing key that was charged.
    #[schema(example = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09", max_length = 255)]
    pub pcd_payer_id: String,
    /// The payment's order number.
    #[schema(example = "test201804000001", max_length = 255)]
    pub pcd_pay_oid: String,
    /// What the receipt is for, whole won: all that is left of the payment where it is absent.
    #[schema(example = "15000", pattern = "^[1-9][0-9]{0,11}$")]
    pub pcd_taxsave_amount: Option<String>,
    /// Needed to issue: `personal` deducts it from income, `company` proves an expense.
    #[schema(example = "personal")]
    pub pcd_taxsave_tradeuse: Option<String>,
    /// Needed to issue: a phone number, a cash receipt card or a business number, digits only.
    #[schema(example = "01023456789", pattern = "^[0-9]{10,18}$")]
    pub pcd_taxsave_identinum: Option<String>,
}

/// Whom a cash receipt is for.
#[derive(Clone, Debug)]
pub struct ReceiptAsked {
    /// A person deducts it from income; else a company proves an expense with it.
    pub personal: bool,
    pub id_number: SecretString,
}

/// What is in the body beside the session.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// As it came; whether it is a key is not known yet.
    pub payer_id: String,
    pub oid: String,
    pub amount: Option<Won>,
    /// To issue only.
    pub asked: Option<ReceiptAsked>,
}

/// TSAV0003 with the field's name.
pub fn parse(fields: &Fields, cancel: bool) -> Result<Parsed, Refusal> {
    let wrong = Code::TSAV0003;
    let payer_id = field::text(fields, "PCD_PAYER_ID", wrong)?;
    let payer_id = payer_id.ok_or(Refusal::field(wrong, "PCD_PAYER_ID"))?.to_owned();
    let oid = field::required_oid(fields, wrong)?;
    let amount = field::amount(fields, "PCD_TAXSAVE_AMOUNT", wrong)?;
    let asked = match cancel {
        true => None,
        false => Some(asked(fields, ("PCD_TAXSAVE_TRADEUSE", "PCD_TAXSAVE_IDENTINUM"), wrong)?),
    };
    Ok(Parsed { payer_id, oid, amount, asked })
}

/// Whom a receipt is for, of the two fields that say it. The number has to be text: as a JSON number a
/// phone number has lost its zero, and is ten digits still.
pub(super) fn asked(
    fields: &Fields,
    (purpose, id_number): (&'static str, &'static str),
    wrong: Code,
) -> Result<ReceiptAsked, Refusal> {
    let personal = match field::text(fields, purpose, wrong)? {
        Some("personal") => true,
        Some("company") => false,
        _ => return Err(Refusal::field(wrong, purpose)),
    };
    let is_number = |text: &&str| {
        ID_NUMBER_DIGITS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let number = field::text(fields, id_number, wrong)?.filter(is_number);
    let number = number.ok_or(Refusal::field(wrong, id_number))?;
    Ok(ReceiptAsked { personal, id_number: number.into() })
}

/// A receipt that was issued or canceled. `PCD_PAY_WORK` is what today's samples read.
pub fn response(paid: &Paid<'_>, receipt: &Trade) -> Value {
    let (work, message) = match receipt.kind {
        TradeKind::ReceiptCancel => ("TSCANCEL", "현금영수증 발행취소 완료"),
        TradeKind::Receipt | TradeKind::Pay | TradeKind::Refund => {
            ("TSREG", "현금영수증 발행 완료")
        }
    };
    Body::default()
        .head(Head::done(DONE, message))
        .put("PCD_PAY_WORK", work)
        .of(paid, &[PAYER_ID, OID, REGULER_FLAG])
        .put("PCD_TAXSAVE_AMOUNT", receipt.amount.to_string())
        .put("PCD_TAXSAVE_MGTNUM", receipt_no(receipt).unwrap_or_default())
        .value()
}
