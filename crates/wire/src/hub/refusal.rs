//! A refusal as the wire has it: `result`, `message`, and what else the caller needs.

use crate::ident::Kind;
use crate::json::Fault;
use ichae_domain::code::Code;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::refusal::{Detail, First, Refusal};

/// Says of an execution that it was done before (decision H10).
const EXECUTED_ALREADY: &str = "이미 실행되었습니다.";

/// An answer that is no success. A field after `message` stands there only with the codes that it
/// names.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Refusal)]
pub struct RefusalBody {
    /// The code; the table of codes says what to do about it.
    #[schema(example = "R0140")]
    pub result: &'static str,
    /// The code's text, with a detail after ` - ` where there is one.
    #[schema(example = "지급이체 한도잔여금액이 부족합니다.")]
    pub message: String,
    /// R0132, R0133: the first request's group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_key: Option<String>,
    /// R0132, R0133: the first request's billing key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_tran_id: Option<String>,
    /// R0132, R0133: the first request's amount, whole won.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tran_amt: Option<String>,
    /// R0132, R0133: when the first request was accepted, `yyyyMMddHHmmssSSS` in Seoul.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_tran_dtm: Option<String>,
    /// R0132, R0133: what has become of the first request: `requested`, `executing`, `sending`,
    /// `settled`, `failed`, `unknown`, `returned` or `canceled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// R0132, R0133: the first request's transfer id, once it was executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_tran_id: Option<String>,
    /// E0130: what the call named, counted by state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<Vec<StateCount>>,
    /// T0999: what to give to the operator; it stands in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// How many payouts are in one state, and their sum.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct StateCount {
    /// `requested`, `executing`, `sending`, `settled`, `failed`, `unknown`, `returned` or
    /// `canceled`.
    #[schema(example = "executing")]
    pub state: &'static str,
    /// How many.
    #[schema(example = "3")]
    pub count: String,
    /// Their sum, whole won.
    #[schema(example = "3000")]
    pub sum: String,
}

impl StateCount {
    pub fn new(state: State, count: i64, sum: Won) -> StateCount {
        StateCount { state: state.name(), count: count.to_string(), sum: sum.to_string() }
    }
}

impl RefusalBody {
    /// A decision's or a form's refusal. `id` gives the wire's text of one of the partner's serials.
    pub fn of(refusal: &Refusal, id: impl Fn(Kind, i64) -> String) -> RefusalBody {
        let body = RefusalBody::with(refusal.code, message(refusal.code, &refusal.detail));
        match &refusal.detail {
            Detail::First(first, _) => body.carrying(first, id),
            Detail::None | Detail::Field(_) | Detail::Bank(_) | Detail::Institution(_) => body,
        }
    }

    /// E0130: nothing waits there. `executed` is whether any of what the call named was executed
    /// already, which the message then says (decision H10).
    pub fn nothing_waits(states: Vec<StateCount>, executed: bool) -> RefusalBody {
        let text = Code::E0130.entry().ko;
        let message = if executed { detailed(text, EXECUTED_ALREADY) } else { text.to_owned() };
        RefusalBody { states: Some(states), ..RefusalBody::with(Code::E0130, message) }
    }

    /// T0999: an internal fault, with the reference under which the log has it and nothing else.
    pub fn internal(reference: String) -> RefusalBody {
        RefusalBody { reference: Some(reference), ..RefusalBody::from(Code::T0999) }
    }

    fn with(code: Code, message: String) -> RefusalBody {
        RefusalBody { result: code.name(), message, ..RefusalBody::default() }
    }

    /// The first request under a `distinct_key` (decision H9).
    fn carrying(self, first: &First, id: impl Fn(Kind, i64) -> String) -> RefusalBody {
        let executed = !matches!(first.state, State::Requested | State::Canceled);
        RefusalBody {
            group_key: Some(id(Kind::Group, first.group.0)),
            billing_tran_id: Some(id(Kind::BillingKey, first.key.0)),
            tran_amt: Some(first.amount.to_string()),
            api_tran_dtm: Some(first.at.seoul_17()),
            state: Some(first.state.name()),
            api_tran_id: executed.then(|| id(Kind::Transfer, first.payout.0)),
            ..self
        }
    }
}

/// A code without any detail.
impl From<Code> for RefusalBody {
    fn from(code: Code) -> RefusalBody {
        RefusalBody::with(code, code.entry().ko.to_owned())
    }
}

/// T0400: the body cannot be read.
impl From<Fault> for RefusalBody {
    fn from(fault: Fault) -> RefusalBody {
        RefusalBody::with(Code::T0400, detailed(Code::T0400.entry().ko, fault.ko()))
    }
}

/// The wire's `message`: the code's text, with its detail after ` - `. A bank's refusal (A0009) is
/// the bank's reason alone, the form that clients look for, e.g. `해약 계좌(415)`.
pub fn message(code: Code, detail: &Detail) -> String {
    let text = code.entry().ko;
    match detail {
        Detail::Bank(bank) if code == Code::A0009 => bank.reason(),
        Detail::Bank(bank) => detailed(text, &bank.reason()),
        Detail::Institution(reason) => detailed(text, reason.ko()),
        Detail::Field(name) | Detail::First(_, Some(name)) => detailed(text, name),
        Detail::None | Detail::First(_, None) => text.to_owned(),
    }
}

fn detailed(text: &str, detail: &str) -> String {
    format!("{text} - {detail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ichae_domain::bank::BankCode;
    use ichae_domain::ident::{GroupNo, KeyNo, PayoutNo};
    use ichae_domain::time::Time;

    fn json(body: &RefusalBody) -> String {
        serde_json::to_string(body).unwrap()
    }

    fn id(kind: Kind, serial: i64) -> String {
        format!("{kind:?}-{serial}")
    }

    #[test]
    fn the_message_says_the_detail() {
        let table = [
            (Code::R0140, Detail::None, "지급이체 한도잔여금액이 부족합니다."),
            (Code::A0009, Detail::Bank(BankCode(415)), "해약 계좌(415)"),
            (Code::A0009, Detail::None, "API 세부업무 처리실패"),
            (
                Code::R0103,
                Detail::Bank(BankCode(415)),
                "사용할 수 없는 빌링키입니다. - 해약 계좌(415)",
            ),
            (
                Code::L0130,
                Detail::Field("limit"),
                "limit 또는 last_key가 올바르지 않습니다. - limit",
            ),
        ];
        for (code, detail, expected) in table {
            let body = RefusalBody::of(&Refusal { code, detail }, id);
            assert_eq!((body.result, body.message.as_str()), (code.name(), expected));
        }
    }

    #[test]
    fn a_plain_refusal_is_two_fields() {
        assert_eq!(
            json(&RefusalBody::from(Code::T0300)),
            r#"{"result":"T0300","message":"인증요청 거부 - 사용자 불일치"}"#
        );
    }

    #[test]
    fn a_repeat_carries_the_first_request() {
        let repeat = |code, state, differs| {
            let first = First {
                payout: PayoutNo(7),
                group: GroupNo(8),
                key: KeyNo(9),
                amount: Won(1_000),
                at: Time(1_634_882_440_289),
                state,
            };
            json(&RefusalBody::of(
                &Refusal { code, detail: Detail::First(Box::new(first), differs) },
                id,
            ))
        };
        assert_eq!(
            repeat(Code::R0132, State::Sending, None),
            r#"{"result":"R0132","message":"이미 사용된 distinct_key입니다.","group_key":"Group-8","billing_tran_id":"BillingKey-9","tran_amt":"1000","api_tran_dtm":"20211022150040289","state":"sending","api_tran_id":"Transfer-7"}"#
        );
        assert_eq!(
            repeat(Code::R0133, State::Requested, Some("tran_amt")),
            r#"{"result":"R0133","message":"이미 다른 내용으로 사용된 distinct_key입니다. - tran_amt","group_key":"Group-8","billing_tran_id":"BillingKey-9","tran_amt":"1000","api_tran_dtm":"20211022150040289","state":"requested"}"#
        );
        for state in State::ALL {
            let named = !matches!(state, State::Requested | State::Canceled);
            assert_eq!(repeat(Code::R0132, state, None).contains("api_tran_id"), named);
        }
    }

    #[test]
    fn nothing_waits_counts_what_was_named() {
        let states = vec![StateCount::new(State::Executing, 3, Won(3_000))];
        assert_eq!(
            json(&RefusalBody::nothing_waits(states, true)),
            r#"{"result":"E0130","message":"실행 또는 취소할 대기 건이 없습니다. - 이미 실행되었습니다.","states":[{"state":"executing","count":"3","sum":"3000"}]}"#
        );
        assert_eq!(
            json(&RefusalBody::nothing_waits(vec![], false)),
            r#"{"result":"E0130","message":"실행 또는 취소할 대기 건이 없습니다.","states":[]}"#
        );
    }

    #[test]
    fn faults_say_no_more_than_they_may() {
        assert_eq!(
            json(&RefusalBody::internal("01J".into())),
            r#"{"result":"T0999","message":"내부 오류가 발생했습니다. 같은 distinct_key로 다시 시도해주세요.","reference":"01J"}"#
        );
        assert_eq!(
            json(&RefusalBody::from(Fault::NotJson)),
            r#"{"result":"T0400","message":"요청을 읽을 수 없습니다. - 본문이 JSON이 아닙니다."}"#
        );
    }
}
