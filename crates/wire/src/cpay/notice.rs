//! What a partner's webhook is told: payments, refunds, and keys that were deregistered by hand (wire
//! facts 2.10).

use super::head::{Head, SUCCESS};
use super::paid::{self, Body, Field, Paid, seoul_14};
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
        .put("PCD_REFUND_TIME", seoul_14(refund.answered_at.unwrap_or(refund.at)))
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

#[cfg(test)]
mod tests {
    use super::super::golden::{But, same};
    use super::super::sample::{PAYER_ID, Sample, trade};
    use super::*;
    use ichae_domain::billing::TradeKind;

    #[test]
    fn a_payment_is_its_answer_and_whose_it_is() {
        for sample in [
            Sample::card(),
            Sample::card().monthly(201_804),
            Sample::account().with_receipt("r1"),
            Sample::account().monthly(201_804),
        ] {
            let answer = pay::response(&sample.paid()).to_string();
            same(
                &paid("test", &sample.paid()),
                &answer,
                But { ours: &["PCD_CST_ID"], ..But::default() },
            );
        }
        let text = paid("test", &Sample::card().paid()).to_string();
        assert!(text.starts_with(
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"SPCD0000","PCD_PAY_MSG":"카드결제완료","PCD_CST_ID":"test","PCD_PAY_OID":"#
        ));
    }

    #[test]
    fn a_notice_says_the_same_after_what_came_since() {
        let mut sample = Sample::account().with_receipt("r1");
        let before = paid("test", &sample.paid());
        sample.receipt = Some(trade(TradeKind::ReceiptCancel, 7, 1_000, 90, None));
        sample.charge.refunded = sample.charge.amount;
        assert_eq!(paid("test", &sample.paid()), before);
        sample.receipt = None;
        assert_eq!(paid("test", &sample.paid()), before);
    }

    #[test]
    fn a_failure_has_the_code_and_the_message_of_its_answer() {
        let told = |sample: Sample, test| {
            let told = failed("test", &sample.paid(), test);
            let text = |name: &str| told[name].as_str().unwrap().to_owned();
            assert_eq!(text("PCD_PAY_RST"), "error");
            assert_eq!(text("PCD_CST_ID"), "test");
            (text("PCD_PAY_CODE"), text("PCD_PAY_MSG"))
        };
        // The documents' picture.
        assert_eq!(
            told(Sample::card().refused(Some(3_143)), true),
            ("SPCD1001".into(), "[Test] [SPCD1001] 3143 - 카드사 문의 바랍니다.".into())
        );
        assert_eq!(
            told(Sample::card().monthly(201_804).refused(Some(3_143)), false),
            ("RPCD1001".into(), "[RPCD1001] 3143 - 카드사 문의 바랍니다.".into())
        );
        assert_eq!(
            told(Sample::account().refused(None), false),
            ("SPAY0012".into(), "[SPAY0012] 출금이체 실패!!".into())
        );
        assert_eq!(told(Sample::account().monthly(201_804).refused(None), false).0, "CPAY0022");
    }

    #[test]
    fn a_failure_has_a_payments_fields_and_no_approval() {
        let sample = Sample::card().refused(Some(3_143));
        let keys =
            |told: Value| -> Vec<String> { told.as_object().unwrap().keys().cloned().collect() };
        let told = failed("test", &sample.paid(), false);
        assert_eq!(told["PCD_PAY_CARDAUTHNO"], "");
        assert_eq!(keys(told), keys(paid("test", &Sample::card().paid())));
    }

    #[test]
    fn a_refund_as_the_official_sample_has_it() {
        let sample = Sample::card();
        let refund = trade(TradeKind::Refund, 7, 300, 27, None);
        let told = refunded("test", &sample.paid(), &refund);
        same(
            &told,
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"(결제결과 리턴 메시지)","PCD_CST_ID":"(가맹점 ID)","PCD_PAY_OID":"(주문번호)","PCD_PAY_TYPE":"card","PCD_PAYER_NO":"(회원번호)","PCD_PAYER_ID":"(빌링키)","PCD_PAY_YEAR":"","PCD_PAY_MONTH":"","PCD_PAY_GOODS":"(상품명)","PCD_PAY_TOTAL":"(상품금액)","PCD_REGULER_FLAG":"","PCD_REFUND_TOTAL":"(환불금액)","PCD_REFUND_TIME":"(환불시간)","PCD_PAYCANCEL_FLAG":"Y"}"#,
            But {
                values: &[
                    "PCD_PAY_MSG",
                    "PCD_CST_ID",
                    "PCD_PAY_OID",
                    "PCD_PAYER_NO",
                    "PCD_PAYER_ID",
                    "PCD_PAY_GOODS",
                    "PCD_PAY_TOTAL",
                    "PCD_REGULER_FLAG",
                    "PCD_REFUND_TOTAL",
                    "PCD_REFUND_TIME",
                ],
                ..But::default()
            },
        );
        assert_eq!(
            told.to_string(),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"환불성공","PCD_CST_ID":"test","PCD_PAY_OID":"test201804000001","PCD_PAY_TYPE":"card","PCD_PAYER_NO":"2324","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAY_YEAR":"","PCD_PAY_MONTH":"","PCD_PAY_GOODS":"상품1","PCD_PAY_TOTAL":"1000","PCD_REGULER_FLAG":"N","PCD_REFUND_TOTAL":"300","PCD_REFUND_TIME":"20190414132034","PCD_PAYCANCEL_FLAG":"Y"}"#
        );
    }

    #[test]
    fn a_deregistration_as_the_official_sample_has_it() {
        let sample = Sample::card();
        let told = removed("test", &sample.payer, &sample.instrument, PAYER_ID);
        same(
            &told,
            r#"{"PCD_CST_ID":"(가맹점 ID)","PCD_PAY_WORK":"PUSERDEL","PCD_PAY_RST":"success","PCD_PAY_MSG":"2008 : 고객요청으로 자동이체 해지되었음(업체해지)","PCD_PAY_TYPE":"card","PCD_PAYER_ID":"(빌링키)","PCD_PAYER_NAME":"(이름)","PCD_PAYER_HP":"(휴대폰번호)"}"#,
            But {
                values: &["PCD_CST_ID", "PCD_PAYER_ID", "PCD_PAYER_NAME", "PCD_PAYER_HP"],
                ..But::default()
            },
        );
        assert_eq!(told["PCD_PAYER_NAME"], "홍길동");
        assert_eq!(told["PCD_PAYER_HP"], "010-****-5678");
    }
}
