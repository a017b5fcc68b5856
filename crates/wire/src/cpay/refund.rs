//! Refunds a payment, all of it or a part (wire facts 2.7).

use super::head::Head;
use super::paid::{self, Body, Field, Paid};
use super::schema::{answer, either};
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

const REFUNDED: &[&str] = &["PCD_REFUND_TOTAL", "PCD_REFUND_TAXTOTAL"];
const SLIP: &[Field] = &[paid::CARDTRADENUM, paid::CARDRECEIPT];
/// Where the payment had a cash receipt.
const TAXSAVE: &[&str] = &["PCD_TAXSAVE_RST", "PCD_TAXSAVE_MSG"];

answer!(OfCard as "CpayRefundOfCard": "A refund to a card.", paid::names(CARD, REFUNDED).chain(paid::names(SLIP, &[])), &[]);
answer!(OfAccount as "CpayRefundOfAccount": "A refund to an account.", paid::names(ACCOUNT, REFUNDED), TAXSAVE);
either!(Answer as "CpayRefund": "A refund that was done.", OfCard, OfAccount);

/// A refund that was done. The slip and its number are the payment's.
pub fn response(paid: &Paid<'_>, refund: &Trade) -> Value {
    let card = paid.charge.method == Method::Card;
    let body = Body::default()
        .head(Head::done(DONE, MESSAGE))
        .of(paid, if card { CARD } else { ACCOUNT })
        .put(REFUNDED[0], refund.amount.to_string())
        .put(REFUNDED[1], refund.vat.to_string());
    if card {
        return body.of(paid, SLIP).value();
    }
    match refund.approval.as_ref().and_then(receipt) {
        Some((code, message)) => body.put(TAXSAVE[0], code).put(TAXSAVE[1], message).value(),
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

#[cfg(test)]
mod tests {
    use super::super::golden::{But, has_all, same};
    use super::super::sample::{Sample, issued, trade};
    use super::*;
    use crate::hub::bad_input::{Form, HIDDEN, NO_AMOUNTS, NO_NUMBERS, letters, with};
    use ichae_domain::billing::{Reason, TradeKind};
    use secrecy::ExposeSecret;

    const SAMPLE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_REFUND_KEY":"a41ce010ede9fcbfb3be86b24858806596a9db68b79d138b147c3e563e1829a0","PCD_PAYCANCEL_FLAG":"Y","PCD_PAY_OID":"test201804000001","PCD_REGULER_FLAG":"Y","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"05","PCD_PAY_DATE":"20180502","PCD_REFUND_TOTAL":"1000"}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };
    const WRONG: Code = Code::PAYC0003;

    fn read(name: &str, value: Option<&str>) -> Parsed {
        parse(&with(SAMPLE, name, value)).unwrap()
    }

    fn refund(amount: i64, approval: Option<Approval>) -> Trade {
        trade(TradeKind::Refund, 7, amount, 10, approval)
    }

    #[test]
    fn the_official_request() {
        let parsed = read("x", None);
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(parsed.refund_key.expose_secret(), documented.pcd_refund_key);
        assert_eq!(parsed.oid, documented.pcd_pay_oid);
        assert_eq!(parsed.day, Day(20_180_502));
        assert_eq!(parsed.month, Some(Month(201_805)));
        assert_eq!((parsed.amount, parsed.vat), (Some(Won(1_000)), None));
        assert_eq!(read("PCD_PAY_DATE", Some("20180502")).day, Day(20_180_502));
        assert_eq!(read("PCD_PAY_YEAR", Some("2018")).month, Some(Month(201_805)));
        assert_eq!(read("PCD_REGULER_FLAG", Some("\"N\"")).month, None);
        assert_eq!(read("PCD_REFUND_TOTAL", Some("1000")).amount, Some(Won(1_000)));
        assert_eq!(read("PCD_REFUND_TOTAL", None).amount, None);
        let printed = format!("{parsed:?}");
        assert!(!printed.contains("a41ce"), "{printed}");
    }

    #[test]
    fn the_tax_has_two_names() {
        let vat = |fields: &str| {
            let body = format!("{},{fields}}}", &SAMPLE[..SAMPLE.len() - 1]);
            parse(&Fields::parse(body.as_bytes()).unwrap()).unwrap().vat
        };
        assert_eq!(vat(r#""PCD_PAY_TAXTOTAL":10"#), Some(Won(10)));
        assert_eq!(vat(r#""PCD_REFUND_TAXTOTAL":"0""#), Some(Won::ZERO));
        assert_eq!(vat(r#""PCD_PAY_TAXTOTAL":"10","PCD_REFUND_TAXTOTAL":"9""#), Some(Won(9)));
        assert_eq!(vat(r#""PCD_PAY_TAXTOTAL":"10","PCD_REFUND_TAXTOTAL":"""#), Some(Won(10)));
    }

    #[test]
    fn a_card_as_the_newest_sample_has_it() {
        let mut sample = Sample::card();
        sample.texts.payer_no = "1234".into();
        same(
            &response(&sample.paid(), &refund(100, Some(Approval::default()))),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"PAYC0000","PCD_PAY_MSG":"환불성공","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"card","PCD_PAYER_NO":1234,"PCD_PAYER_ID":"d0to...","PCD_PAY_YEAR":"","PCD_PAY_MONTH":"","PCD_PAY_GOODS":"상품1","PCD_REGULER_FLAG":"N","PCD_REFUND_TOTAL":100,"PCD_REFUND_TAXTOTAL":10,"PCD_PAY_CARDTRADENUM":"","PCD_PAY_CARDRECEIPT":""}"#,
            But {
                values: &["PCD_PAYER_ID", "PCD_PAY_CARDTRADENUM", "PCD_PAY_CARDRECEIPT"],
                ..But::default()
            },
        );
        // The older one has the tax under the request's name.
        let older = r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"PAYC0000","PCD_PAY_MSG":"환불성공","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"card","PCD_PAYER_NO":1234,"PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_YEAR":"","PCD_PAY_MONTH":"","PCD_PAY_GOODS":"상품1","PCD_REGULER_FLAG":"N","PCD_REFUND_TOTAL":1000,"PCD_PAY_TAXTOTAL":10,"PCD_PAY_CARDTRADENUM":"2019...","PCD_PAY_CARDRECEIPT":"http..."}"#;
        has_all(
            &response(&sample.paid(), &refund(1_000, None)),
            &older.replace("PCD_PAY_TAXTOTAL", "PCD_REFUND_TAXTOTAL"),
            &["PCD_PAY_CARDTRADENUM", "PCD_PAY_CARDRECEIPT"],
        );
    }

    #[test]
    fn an_account_as_its_sample_has_it() {
        let mut sample = Sample::account().monthly(201_805);
        sample.texts.payer_no = "1234".into();
        sample.texts.goods = "간편구독".into();
        let answer = response(&sample.paid(), &refund(1_000, Some(issued("r1"))));
        same(
            &answer,
            r#"{"PCD_PAY_RST":"success|error","PCD_PAY_MSG":"환불성공|환불실패...","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"transfer","PCD_PAYER_NO":"1234","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_REGULER_FLAG":"Y","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"05","PCD_PAY_GOODS":"간편구독","PCD_REFUND_TOTAL":1000,"PCD_TAXSAVE_RST":"0000 | -10002122","PCD_TAXSAVE_MSG":"현금영수증 발행취소 성공 | 현금영수증 발행취소 실패.."}"#,
            But {
                ours: &["PCD_PAY_CODE", "PCD_REFUND_TAXTOTAL"],
                values: &["PCD_PAY_RST", "PCD_PAY_MSG", "PCD_TAXSAVE_RST", "PCD_TAXSAVE_MSG"],
            },
        );
        assert_eq!(answer["PCD_PAY_CODE"], "PAYC0000");
    }

    #[test]
    fn what_became_of_the_receipt_is_told_where_there_was_one() {
        let sample = Sample::account();
        let told = |approval| {
            let answer = response(&sample.paid(), &refund(1_000, approval));
            let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
            text("PCD_TAXSAVE_RST").zip(text("PCD_TAXSAVE_MSG"))
        };
        let kept = Approval { receipt_reason: Some(Reason(1_101)), ..Approval::default() };
        let both = Approval { receipt_reason: Some(Reason(1_101)), ..issued("r1") };
        let done = ("0000".to_owned(), "현금영수증 발행취소 성공".to_owned());
        let failed = ("-10002122".to_owned(), "현금영수증 발행취소 실패".to_owned());
        assert_eq!(told(Some(issued("r1"))), Some(done));
        assert_eq!(told(Some(kept)), Some(failed.clone()));
        assert_eq!(told(Some(both)), Some(failed));
        assert_eq!(told(Some(Approval::default())), None);
        assert_eq!(told(None), None);
    }

    #[test]
    fn bad_input() {
        FORM.missing("PCD_REFUND_KEY", Some(Code::PAYC0001));
        FORM.text("PCD_REFUND_KEY", Code::PAYC0001);
        FORM.all("PCD_REFUND_KEY", Some(Code::PAYC0001), HIDDEN);
        FORM.all("PCD_REFUND_KEY", Some(Code::PAYC0001), &[&letters(256)]);
        FORM.missed("PCD_PAYCANCEL_FLAG", WRONG);
        FORM.named("PCD_PAYCANCEL_FLAG", WRONG, &["\"N\"", "\"y\"", "\"Ｙ\"", "true", "1"]);
        FORM.missed("PCD_PAY_OID", WRONG);
        FORM.named("PCD_PAY_OID", WRONG, NO_NUMBERS);
        FORM.named("PCD_PAY_OID", WRONG, HIDDEN);
        FORM.named("PCD_PAY_OID", WRONG, &[&letters(256), "1"]);
        FORM.all("PCD_PAY_OID", None, &[&letters(255), "\"주문 1\""]);
        FORM.missed("PCD_PAY_DATE", WRONG);
        FORM.named("PCD_PAY_DATE", WRONG, NO_NUMBERS);
        FORM.named(
            "PCD_PAY_DATE",
            WRONG,
            &["\"20180431\"", "20180431", "\"2018-5-2\"", "\"２０１８０５０２\"", "201805021"],
        );
        FORM.missing("PCD_REFUND_TOTAL", None);
        FORM.named("PCD_REFUND_TOTAL", WRONG, NO_AMOUNTS);
        FORM.named("PCD_REFUND_TOTAL", WRONG, NO_NUMBERS);
        FORM.named("PCD_REFUND_TOTAL", WRONG, &["0", "\"0\""]);
        for name in ["PCD_REFUND_TAXTOTAL", "PCD_PAY_TAXTOTAL"] {
            FORM.missing(name, None);
            FORM.all(name, None, &["0", "\"0\"", "10", "\"10\""]);
            FORM.named(name, WRONG, NO_AMOUNTS);
            FORM.named(name, WRONG, NO_NUMBERS);
            FORM.named(name, WRONG, &["\"00\""]);
        }
        FORM.named("PCD_REGULER_FLAG", WRONG, &["\"y\"", "true", "1"]);
        FORM.named("PCD_PAY_YEAR", WRONG, &["\"18\"", "\"２０１８\"", "1.5", "[]"]);
        FORM.named("PCD_PAY_MONTH", WRONG, &["\"13\"", "0", "\"0５\"", "-5", "{}"]);
    }
}
