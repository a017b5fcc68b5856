//! Looks a payment up (wire facts 2.8).

use super::head::Head;
use super::paid::{self, Body, Field, Paid};
use super::schema::{answer, either};
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

const REFUNDED: &str = "PCD_REFUND_TOTAL";

answer!(OfCard as "CpayCheckOfCard": "A payment from a card.", paid::names(CARD, &[REFUNDED]), &[]);
answer!(OfAccount as "CpayCheckOfAccount": "A payment from an account.", paid::names(ACCOUNT, &[REFUNDED]), &[]);
either!(Answer as "CpayCheck": "A payment as it is now.", OfCard, OfAccount);

/// A payment that was captured, and what was refunded of it since.
pub fn response(paid: &Paid<'_>) -> Value {
    let (message, fields) = match paid.charge.method {
        Method::Card => ("결제완료", CARD),
        Method::Account => ("출금이체완료", ACCOUNT),
    };
    Body::default()
        .head(Head::done(DONE, message))
        .of(paid, fields)
        .put(REFUNDED, paid.charge.refunded.to_string())
        .value()
}

#[cfg(test)]
mod tests {
    use super::super::golden::{But, has_all, same};
    use super::super::sample::{Sample, TIME_2018, issued, trade};
    use super::*;
    use crate::hub::bad_input::{Form, HIDDEN, NO_NUMBERS, letters, with};
    use ichae_domain::billing::{Approval, Reason, TradeKind};
    use ichae_domain::money::Won;

    const SAMPLE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAYCHK_FLAG":"Y","PCD_PAY_TYPE":"card","PCD_REGULER_FLAG":"Y","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"04","PCD_PAY_OID":"test201804000001","PCD_PAY_DATE":"20180502"}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };
    const WRONG: Code = Code::CBIL0003;

    #[test]
    fn the_official_requests() {
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        let expected = Parsed {
            method: Method::Card,
            oid: documented.pcd_pay_oid,
            day: Day(20_180_502),
            month: Some(Month(201_804)),
        };
        assert_eq!(parse(&with(SAMPLE, "x", None)).unwrap(), expected);
        assert_eq!(parse(&with(SAMPLE, "PCD_PAY_DATE", Some("20180502"))).unwrap(), expected);
        let account = parse(&with(SAMPLE, "PCD_PAY_TYPE", Some("\"transfer\""))).unwrap();
        assert_eq!(account, Parsed { method: Method::Account, ..expected.clone() });
        let simple = parse(&with(SAMPLE, "PCD_REGULER_FLAG", None)).unwrap();
        assert_eq!(simple, Parsed { month: None, ..expected });
    }

    #[test]
    fn a_card_as_the_newest_sample_has_it() {
        let mut sample = Sample::card().monthly(202_003);
        sample.texts.payer_no = "1234".into();
        sample.payer.org_name = "BC카드".into();
        sample.charge.amount = Won(100);
        sample.instrument.number_masked = "1111-****-****-2222".into();
        // Three names lack PAY_ in the sample, and have it in the table beside it.
        let official = r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"결제완료","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"card","PCD_PAYER_NO":"1234","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_EMAIL":"dev@payple.kr","PCD_PAY_YEAR":"2020","PCD_PAY_MONTH":"03","PCD_PAY_GOODS":"상품1","PCD_PAY_TOTAL":"100","PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":"10","PCD_CARDNAME":"BC카드","PCD_CARDNUM":"1111- ****-**** -2222","PCD_CARDTRADENUM":"202003141320332692022400","PCD_PAY_CARDAUTHNO":"98123445","PCD_PAY_CARDRECEIPT":"https://...","PCD_PAY_TIME":"2020-03-20…","PCD_REGULER_FLAG":"N","PCD_PAYER_NAME":"홍길동"}"#;
        same(
            &response(&sample.paid()),
            &official.replace("\"PCD_CARD", "\"PCD_PAY_CARD"),
            But {
                ours: &["PCD_PAY_CODE", "PCD_REFUND_TOTAL"],
                values: &[
                    "PCD_PAY_CARDNUM",
                    "PCD_PAY_CARDTRADENUM",
                    "PCD_PAY_CARDRECEIPT",
                    "PCD_PAY_TIME",
                    "PCD_REGULER_FLAG",
                ],
            },
        );
        let answer = response(&sample.paid());
        assert_eq!(answer["PCD_PAY_CODE"], "PCHK0000");
        assert_eq!(answer["PCD_PAY_CARDNUM"], "1111-****-****-2222");
        assert_eq!(answer["PCD_PAY_TIME"], "20180423130201");
    }

    #[test]
    fn a_card_has_what_the_older_sample_has() {
        let mut sample = Sample::card().monthly(201_805);
        sample.texts.payer_no = "1234".into();
        sample.texts.goods = "간편상품".into();
        sample.charge.tax.vat = Won(91);
        sample.payer.org_name = "BC카드".into();
        has_all(
            &response(&sample.paid()),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"조회완료","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"card","PCD_PAYER_NO":1234,"PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"05","PCD_PAY_GOODS":"간편상품","PCD_PAY_TOTAL":1000,"PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":91,"PCD_PAY_TIME":"20180423130201","PCD_REGULER_FLAG":"Y","PCD_PAYER_EMAIL":"dev@payple.kr","PCD_PAY_CARDNUM":"12345678 ** ** 1234","PCD_PAY_CARDNAME":"BC카드","PCD_PAY_CARDTRADENUM":"201904141320332692022400","PCD_PAY_CARDAUTHNO":"23423232","PCD_PAY_CARDRECEIPT":"https://www.danalpay.com/receipt/creditcard/view.aspx?..."}"#,
            &["PCD_PAY_MSG", "PCD_PAY_CARDNUM", "PCD_PAY_CARDAUTHNO"],
        );
    }

    #[test]
    fn an_account_as_its_sample_has_it() {
        let mut sample = Sample::account().monthly(201_805).with_receipt("test20233023023023");
        sample.texts.payer_no = "1234".into();
        sample.texts.goods = "간편상품".into();
        sample.charge.tax.vat = Won(91);
        same(
            &response(&sample.paid()),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"출금이체완료","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"transfer","PCD_PAYER_NO":1234,"PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_YEAR":"2018","PCD_PAY_MONTH":"05","PCD_PAY_GOODS":"간편상품","PCD_PAY_TOTAL":1000,"PCD_PAY_ISTAX":"Y","PCD_PAY_TAXTOTAL":91,"PCD_PAY_BANK":"011","PCD_PAY_BANKNAME":"농협","PCD_PAY_BANKNUM":"460-********-121","PCD_PAY_TIME":"20180423130201","PCD_REGULER_FLAG":"Y","PCD_TAXSAVE_FLAG":"Y","PCD_TAXSAVE_MGTNUM":"test20233023023023"}"#,
            But {
                ours: &["PCD_PAY_CODE", "PCD_PAYER_EMAIL", "PCD_TAXSAVE_RST", "PCD_REFUND_TOTAL"],
                ..But::default()
            },
        );
    }

    #[test]
    fn what_was_refunded_stands_last() {
        let mut sample = Sample::card();
        let last = |sample: &Sample| response(&sample.paid()).to_string();
        assert!(last(&sample).ends_with(r#","PCD_REFUND_TOTAL":"0"}"#));
        sample.charge.refunded = Won(300);
        assert!(last(&sample).ends_with(r#","PCD_REFUND_TOTAL":"300"}"#));
        let simple = response(&sample.paid());
        assert_eq!(
            (&simple["PCD_PAY_YEAR"], &simple["PCD_PAY_MONTH"], &simple["PCD_REGULER_FLAG"]),
            (&"".into(), &"".into(), &"N".into())
        );
    }

    #[test]
    fn the_receipt_that_stands_is_told() {
        let told = |sample: &Sample| {
            let answer = response(&sample.paid());
            ["PCD_TAXSAVE_FLAG", "PCD_TAXSAVE_RST", "PCD_TAXSAVE_MGTNUM"]
                .map(|name| answer[name].as_str().unwrap().to_owned())
        };
        let mut sample = Sample::account();
        assert_eq!(told(&sample), ["N", "N", ""]);
        // Refused with the payment, then issued on its own.
        let reason = Some(Reason(1_101));
        sample.pay.approval = Some(Approval { receipt_reason: reason, ..Approval::default() });
        assert_eq!(told(&sample), ["Y", "N", ""]);
        sample.receipt = Some(trade(TradeKind::Receipt, 7, 1_000, 90, Some(issued("r7"))));
        assert_eq!(told(&sample), ["Y", "Y", "r7"]);
        // Canceled: nothing stands, though the payment brought one.
        let mut sample = Sample::account().with_receipt("r1");
        assert_eq!(told(&sample), ["Y", "Y", "r1"]);
        sample.receipt = None;
        assert_eq!(told(&sample), ["Y", "N", ""]);
    }

    #[test]
    fn the_time_of_a_payment_is_when_it_was_asked_for() {
        let mut sample = Sample::card();
        sample.charge.at = TIME_2018;
        sample.pay.answered_at = Some(TIME_2018.plus_ms(86_400_000));
        assert_eq!(response(&sample.paid())["PCD_PAY_TIME"], "20180423130201");
    }

    #[test]
    fn bad_input() {
        FORM.missing("PCD_PAYCHK_FLAG", Some(Code::CBIL0001));
        FORM.text("PCD_PAYCHK_FLAG", Code::CBIL0001);
        FORM.all("PCD_PAYCHK_FLAG", Some(Code::CBIL0001), &["\"N\"", "\"y\"", "\"Ｙ\""]);
        FORM.missed("PCD_PAY_TYPE", WRONG);
        FORM.named("PCD_PAY_TYPE", WRONG, NO_NUMBERS);
        FORM.named("PCD_PAY_TYPE", WRONG, &["\"cash\"", "\"CARD\"", "1"]);
        FORM.missed("PCD_PAY_OID", WRONG);
        FORM.named("PCD_PAY_OID", WRONG, NO_NUMBERS);
        FORM.named("PCD_PAY_OID", WRONG, HIDDEN);
        FORM.named("PCD_PAY_OID", WRONG, &[&letters(256), "1"]);
        FORM.all("PCD_PAY_OID", None, &[&letters(255)]);
        FORM.missed("PCD_PAY_DATE", WRONG);
        FORM.named("PCD_PAY_DATE", WRONG, NO_NUMBERS);
        FORM.named(
            "PCD_PAY_DATE",
            WRONG,
            &["\"20180431\"", "\"2018-5-2\"", "2018052", "\"２０１８０５０２\"", "\"201805021\""],
        );
        FORM.missing("PCD_REGULER_FLAG", None);
        FORM.named("PCD_REGULER_FLAG", WRONG, &["\"y\"", "true", "1"]);
        FORM.missing("PCD_PAY_YEAR", Some(WRONG));
        FORM.named("PCD_PAY_YEAR", WRONG, &["\"18\"", "\"２０１８\"", "-1", "[]"]);
        FORM.all("PCD_PAY_YEAR", None, &["2018"]);
        FORM.missing("PCD_PAY_MONTH", Some(WRONG));
        FORM.named("PCD_PAY_MONTH", WRONG, &["\"13\"", "0", "\"0４\"", "1.5", "{}"]);
        FORM.all("PCD_PAY_MONTH", None, &["4", "\"4\""]);
    }

    #[test]
    fn the_flag_of_the_documents_own_samples_is_read_too() {
        let slip = SAMPLE.replace("PCD_PAYCHK_FLAG", "PCD_PAYCHECK_FLAG");
        assert!(parse(&Fields::parse(slip.as_bytes()).unwrap()).is_ok());
    }
}
