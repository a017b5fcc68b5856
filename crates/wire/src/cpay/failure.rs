//! What a follow-up call is refused with, and what a fault below the API looks like on these paths.

use super::field::OID_MAX;
use super::head::{ERROR, Head};
use super::method_of;
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::{Detail, Refusal};
use ichae_domain::text;

/// An answer that is no success.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayFailure)]
pub struct Failure {
    #[serde(flatten)]
    pub head: Head,
    /// The request's, where it named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "card")]
    pub pcd_pay_type: Option<String>,
    /// The request's, where it named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "test201804000001")]
    pub pcd_pay_oid: Option<String>,
    /// The request's, where it named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09")]
    pub pcd_payer_id: Option<String>,
    /// Of a fault below the API: its code, as the Hub API has it.
    #[serde(rename = "result", skip_serializing_if = "Option::is_none")]
    #[schema(example = "T0503")]
    pub result: Option<&'static str>,
    /// Of a fault below the API: its text, as the Hub API has it.
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// T0999: what to give to the operator; it stands in the log.
    #[serde(rename = "reference", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Failure {
    /// A decision's or a form's refusal.
    pub fn of(refusal: &Refusal, test: bool) -> Failure {
        Failure {
            head: Head::refused(refusal, test),
            pcd_pay_type: None,
            pcd_pay_oid: None,
            pcd_payer_id: None,
            result: None,
            message: None,
            reference: None,
        }
    }

    /// A fault below the API (decision H1): both APIs' fields.
    pub fn fault(code: Code) -> Failure {
        let message = code.entry().ko.to_owned();
        let head = Head {
            pcd_pay_rst: ERROR,
            pcd_pay_code: code.name(),
            pcd_pay_msg: format!("[{}] {message}", code.name()),
        };
        let (result, message) = (Some(code.name()), Some(message));
        Failure { head, result, message, ..Failure::of(&code.into(), false) }
    }

    /// T0999: an internal fault, with the reference under which the log has it and nothing else.
    pub fn internal(reference: String) -> Failure {
        Failure { reference: Some(reference), ..Failure::fault(Code::T0999) }
    }

    /// With what the request said it is about, as far as that is of its form.
    pub fn about(self, fields: &Fields) -> Failure {
        let said = |name| fields.text(name).ok().flatten().and_then(text::clean);
        let short = |text: &String| text.chars().count() <= OID_MAX;
        Failure {
            pcd_pay_type: said("PCD_PAY_TYPE").filter(|text| method_of(text).is_some()),
            pcd_pay_oid: said("PCD_PAY_OID").filter(short),
            pcd_payer_id: said("PCD_PAYER_ID").filter(short),
            ..self
        }
    }
}

/// The documents' rule of a message: the mark of TEST, the code, and the text. Where an institution
/// refused, its code and its text stand instead of ours (wire facts 2.1).
pub fn message(refusal: &Refusal, test: bool) -> String {
    let mark = if test { "[Test] " } else { "" };
    format!("{mark}[{}] {}", refusal.code.name(), said(refusal))
}

fn said(refusal: &Refusal) -> String {
    let text = refusal.code.entry().ko;
    match &refusal.detail {
        Detail::Institution(reason) => format!("{} - {}", reason.text(), reason.ko()),
        Detail::Field(name) | Detail::First(_, Some(name)) => format!("{text} - {name}"),
        Detail::Bank(bank) => format!("{text} - {}", bank.reason()),
        Detail::None | Detail::First(_, None) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ichae_domain::bank::BankCode;
    use ichae_domain::billing::Reason;

    fn json(failure: &Failure) -> String {
        serde_json::to_string(failure).unwrap()
    }

    #[test]
    fn a_message_follows_the_documents_rule() {
        let ours = "결제 진행 중 오류가 발생하였습니다. 다시 시도해주세요.";
        let reason = Reason(1_103);
        let table = [
            (Detail::None, format!("[SPCD0003] {ours}")),
            (Detail::Field("PCD_PAY_GOODS"), format!("[SPCD0003] {ours} - PCD_PAY_GOODS")),
            (Detail::Institution(reason), format!("[SPCD0003] 1103 - {}", reason.ko())),
            (Detail::Institution(Reason(7)), format!("[SPCD0003] 0007 - {}", Reason(7).ko())),
            (Detail::Bank(BankCode(415)), format!("[SPCD0003] {ours} - 해약 계좌(415)")),
        ];
        for (detail, expected) in table {
            let refusal = Refusal { code: Code::SPCD0003, detail };
            assert_eq!(message(&refusal, false), expected);
            assert_eq!(message(&refusal, true), format!("[Test] {expected}"));
            assert_eq!(Failure::of(&refusal, true).head, Head::refused(&refusal, true));
        }
    }

    #[test]
    fn a_plain_failure_is_three_fields() {
        assert_eq!(
            json(&Failure::of(&Code::SPCD0004.into(), false)),
            r#"{"PCD_PAY_RST":"error","PCD_PAY_CODE":"SPCD0004","PCD_PAY_MSG":"[SPCD0004] 인증세션이 만료되었습니다. 다시 시도해주세요."}"#
        );
    }

    #[test]
    fn a_failure_says_what_it_is_about() {
        let about = |body: &str| {
            let fields = Fields::parse(body.as_bytes()).unwrap();
            let failure = Failure::of(&Code::SPCD0004.into(), false).about(&fields);
            (failure.pcd_pay_type, failure.pcd_pay_oid, failure.pcd_payer_id)
        };
        assert_eq!(
            about(r#"{"PCD_PAY_TYPE":"card","PCD_PAY_OID":"a1","PCD_PAYER_ID":"x="}"#),
            (Some("card".into()), Some("a1".into()), Some("x=".into()))
        );
        let long = "x".repeat(256);
        for body in [
            "{}".to_owned(),
            r#"{"PCD_PAY_TYPE":"cash","PCD_PAY_OID":1,"PCD_PAYER_ID":null}"#.to_owned(),
            r#"{"PCD_PAY_TYPE":[],"PCD_PAY_OID":"a\u202eb","PCD_PAYER_ID":"\n"}"#.to_owned(),
            format!(r#"{{"PCD_PAY_OID":"{long}","PCD_PAYER_ID":"{long}"}}"#),
        ] {
            assert_eq!(about(&body), (None, None, None), "{body}");
        }
        let fields = Fields::parse(br#"{"PCD_PAY_OID":"a1"}"#).unwrap();
        assert_eq!(
            json(&Failure::of(&Code::CBIL0001.into(), true).about(&fields)),
            r#"{"PCD_PAY_RST":"error","PCD_PAY_CODE":"CBIL0001","PCD_PAY_MSG":"[Test] [CBIL0001] Wrong access attempt","PCD_PAY_OID":"a1"}"#
        );
    }

    #[test]
    fn a_fault_has_the_fields_of_both_apis() {
        assert_eq!(
            json(&Failure::fault(Code::T0429)),
            r#"{"PCD_PAY_RST":"error","PCD_PAY_CODE":"T0429","PCD_PAY_MSG":"[T0429] 요청이 너무 많습니다. 잠시 후 다시 시도해주세요.","result":"T0429","message":"요청이 너무 많습니다. 잠시 후 다시 시도해주세요."}"#
        );
        let internal = json(&Failure::internal("01J".into()));
        assert!(internal.ends_with(r#","reference":"01J"}"#), "{internal}");
    }
}
