//! Cash receipts of payments from accounts: issue and cancel (wire facts 2.9).

use super::head::Head;
use super::paid::{self, Body, Field, OID, PAYER_ID, Paid, REGULER_FLAG, receipt_no};
use super::schema::answer;
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

const ABOUT: &[Field] = &[PAYER_ID, OID, REGULER_FLAG];
const RECEIPT: &[&str] = &["PCD_PAY_WORK", "PCD_TAXSAVE_AMOUNT", "PCD_TAXSAVE_MGTNUM"];

answer!(Answer as "CpayReceipt": "A cash receipt that was issued or canceled.", paid::names(ABOUT, RECEIPT), &[]);

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
        .put(RECEIPT[0], work)
        .of(paid, ABOUT)
        .put(RECEIPT[1], receipt.amount.to_string())
        .put(RECEIPT[2], receipt_no(receipt).unwrap_or_default())
        .value()
}

#[cfg(test)]
mod tests {
    use super::super::golden::{But, same};
    use super::super::sample::{PAYER_ID, Sample, issued, trade};
    use super::*;
    use crate::hub::bad_input::{Form, HIDDEN, NO_AMOUNTS, NO_NUMBERS, letters, with};
    use secrecy::ExposeSecret;

    const ISSUE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_OID":"test201804000001","PCD_REGULER_FLAG":"Y","PCD_TAXSAVE_TRADEUSE":"personal","PCD_TAXSAVE_IDENTINUM":"01023456789"}"#;
    const CANCEL: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_OID":"test201804000001","PCD_REGULER_FLAG":"Y"}"#;
    const FORM: Form<Parsed> = Form { sample: ISSUE, parse: |fields| parse(fields, false) };
    const CANCEL_FORM: Form<Parsed> = Form { sample: CANCEL, parse: |fields| parse(fields, true) };
    const WRONG: Code = Code::TSAV0003;

    fn answer(kind: TradeKind) -> Value {
        let sample = Sample::account().monthly(201_804);
        let receipt = trade(kind, 7, 15_000, 1_363, Some(issued("test15424392310644")));
        response(&sample.paid(), &receipt)
    }

    #[test]
    fn the_official_samples() {
        let parsed = parse(&with(ISSUE, "x", None), false).unwrap();
        let documented: RequestBody = serde_json::from_str(ISSUE).unwrap();
        assert_eq!(parsed.payer_id, documented.pcd_payer_id);
        assert_eq!(parsed.oid, documented.pcd_pay_oid);
        assert_eq!(parsed.amount, None);
        let asked = parsed.asked.unwrap();
        assert!(asked.personal);
        assert_eq!(
            Some(asked.id_number.expose_secret()),
            documented.pcd_taxsave_identinum.as_deref()
        );
        let but = || But { ours: &["PCD_PAY_CODE", "PCD_PAY_WORK"], ..But::default() };
        same(
            &answer(TradeKind::Receipt),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"현금영수증 발행 완료","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_OID":"test201804000001","PCD_REGULER_FLAG":"Y","PCD_TAXSAVE_AMOUNT":15000,"PCD_TAXSAVE_MGTNUM":"test15424392310644"}"#,
            but(),
        );
        let canceled = parse(&with(CANCEL, "x", None), true).unwrap();
        assert!(canceled.asked.is_none());
        same(
            &answer(TradeKind::ReceiptCancel),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"현금영수증 발행취소 완료","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_OID":"test201804000001","PCD_REGULER_FLAG":"Y","PCD_TAXSAVE_AMOUNT":15000,"PCD_TAXSAVE_MGTNUM":"test15424392310644"}"#,
            but(),
        );
    }

    #[test]
    fn code_and_work_stand_in_the_head() {
        let text = answer(TradeKind::ReceiptCancel).to_string();
        assert!(text.starts_with(
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"TSAV0000","PCD_PAY_MSG":"현금영수증 발행취소 완료","PCD_PAY_WORK":"TSCANCEL","PCD_PAYER_ID":"#
        ));
        assert_eq!(answer(TradeKind::Receipt)["PCD_PAY_WORK"], "TSREG");
        assert_eq!(answer(TradeKind::Receipt)["PCD_PAYER_ID"], PAYER_ID);
    }

    #[test]
    fn bad_input() {
        for form in [&FORM, &CANCEL_FORM] {
            for name in ["PCD_PAYER_ID", "PCD_PAY_OID"] {
                form.missed(name, WRONG);
                form.named(name, WRONG, NO_NUMBERS);
                form.named(name, WRONG, &["0", "1000"]);
            }
            form.all("PCD_PAY_OID", None, &[&letters(255), "\"주문 1\""]);
            form.named("PCD_PAY_OID", WRONG, HIDDEN);
            form.named("PCD_PAY_OID", WRONG, &[&letters(256)]);
            form.missing("PCD_TAXSAVE_AMOUNT", None);
            form.all("PCD_TAXSAVE_AMOUNT", None, &["\"15000\"", "15000", "1", "999999999999"]);
            form.named("PCD_TAXSAVE_AMOUNT", WRONG, NO_AMOUNTS);
            form.named("PCD_TAXSAVE_AMOUNT", WRONG, NO_NUMBERS);
            form.named("PCD_TAXSAVE_AMOUNT", WRONG, &["0", "\"0\""]);
        }
        FORM.missed("PCD_TAXSAVE_TRADEUSE", WRONG);
        FORM.named("PCD_TAXSAVE_TRADEUSE", WRONG, NO_NUMBERS);
        FORM.named("PCD_TAXSAVE_TRADEUSE", WRONG, &["\"Personal\"", "\"other\"", "\"ｐersonal\""]);
        FORM.all("PCD_TAXSAVE_TRADEUSE", None, &["\"company\""]);
        FORM.missed("PCD_TAXSAVE_IDENTINUM", WRONG);
        FORM.named("PCD_TAXSAVE_IDENTINUM", WRONG, NO_NUMBERS);
        FORM.named("PCD_TAXSAVE_IDENTINUM", WRONG, HIDDEN);
        FORM.all("PCD_TAXSAVE_IDENTINUM", None, &["\"0102345678\"", "\"123456789012345678\""]);
        FORM.named(
            "PCD_TAXSAVE_IDENTINUM",
            WRONG,
            &[
                "\"010234567\"",
                "\"1234567890123456789\"",
                "\"010-2345-6789\"",
                "\"０１０２３４５６７８９\"",
                "1023456789",
            ],
        );
    }

    #[test]
    fn a_cancellation_does_not_look_for_whom_it_is() {
        CANCEL_FORM.all("PCD_TAXSAVE_TRADEUSE", None, &["\"x\"", "1"]);
        CANCEL_FORM.all("PCD_TAXSAVE_IDENTINUM", None, &["\"x\"", "1"]);
    }

    #[test]
    fn whom_it_is_for_is_not_printed() {
        let printed = format!("{:?}", parse(&with(ISSUE, "x", None), false).unwrap());
        assert!(!printed.contains("010234"), "{printed}");
    }
}
