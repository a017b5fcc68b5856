//! The result row: the webhook's body, `/transfer/result`'s answer and a list's item in one shape
//! (decisions H14, H17).

use super::refusal::message;
use ichae_domain::bank::BankCode;
use ichae_domain::code::Code;
use ichae_domain::notice::Outcome;
use ichae_domain::payout::{Attempt, State};
use ichae_domain::refusal::Detail;
use std::fmt;

/// One executed payout. What is not known yet, or was not sent, is `""`.
#[derive(Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ResultRow {
    /// `A0000` settled, `A0009` or `R0103` failed, `A0998` returned, `A0001` under way.
    #[schema(example = "A0000")]
    pub result: &'static str,
    /// `처리 성공` where it settled; else why not, with the bank's code in brackets.
    #[schema(example = "처리 성공")]
    pub message: String,
    /// The partner id.
    #[schema(example = "test")]
    pub cst_id: String,
    /// The request's `sub_id`.
    #[schema(example = "test12385610")]
    pub sub_id: String,
    /// The group that it was executed in.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    /// The billing key that it pays to.
    #[schema(example = "6fen3g2m-j9hb-...")]
    pub billing_tran_id: String,
    /// The transfer's id: the same in every notice and look-up of this payout.
    #[schema(example = "ohr8ps3m-j5x...", max_length = 40)]
    pub api_tran_id: String,
    /// When it left for the bank, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211025142315647")]
    pub api_tran_dtm: String,
    /// The bank transaction number.
    #[schema(example = "M202112389U142315646", max_length = 20)]
    pub bank_tran_id: String,
    /// The bank's date of it, `yyyyMMdd`.
    #[schema(example = "20211025")]
    pub bank_tran_date: String,
    /// The bank's answer, three digits: `000` where it settled.
    #[schema(example = "000")]
    pub bank_rsp_code: String,
    /// The bank's standard code.
    #[schema(example = "020")]
    pub bank_code_std: String,
    /// The branch's code, seven digits.
    #[schema(example = "0000000")]
    pub bank_code_sub: String,
    /// The bank's name.
    #[schema(example = "우리은행")]
    pub bank_name: String,
    /// The account number.
    #[schema(example = "1234567890123456")]
    pub account_num: String,
    /// The account number with its last three digits starred.
    #[schema(example = "1234567890123***")]
    pub account_num_masked: String,
    /// The holder's name as the bank has it.
    #[schema(example = "홍길동")]
    pub account_holder_name: String,
    /// What stands on the recipient's statement.
    #[schema(example = "정산테스트")]
    pub print_content: String,
    /// The amount, whole won.
    #[schema(example = "1000")]
    pub tran_amt: String,
    /// The request's `distinct_key`, or the one that the server made.
    #[schema(example = "c9z116521650283...")]
    pub distinct_key: String,
    /// Only while it waits for its bank's hours: when it goes out, `yyyyMMddHHmmssSSS` in Seoul.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "20211026000500000")]
    pub opens_at: Option<String>,
}

/// Says which row it is; never an account number or a name.
impl fmt::Debug for ResultRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultRow")
            .field("result", &self.result)
            .field("api_tran_id", &self.api_tran_id)
            .field("bank_rsp_code", &self.bank_rsp_code)
            .finish_non_exhaustive()
    }
}

/// What a row says became of its payout: where `result`, `message` and `bank_rsp_code` come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Executed, without an outcome yet.
    UnderWay,
    Settled,
    /// A0009, or R0103 where its key had died; with the bank code behind it.
    Failed(Code, Option<BankCode>),
    /// With the bank's code, where it gave one.
    Returned(Option<BankCode>),
}

impl Verdict {
    /// What a look-up says. `None` for what was never executed: it has no result (decision H14).
    pub fn of(state: State, attempt: Option<&Attempt>) -> Option<Verdict> {
        match state {
            State::Requested | State::Canceled => None,
            State::Executing | State::Sending | State::Unknown => Some(Verdict::UnderWay),
            State::Settled => Verdict::told(Outcome::Settled, attempt),
            State::Failed => Verdict::told(Outcome::Failed, attempt),
            State::Returned => Verdict::told(Outcome::Returned, attempt),
        }
    }

    /// What the notice of this outcome says, whatever has become of the payout since (decision
    /// H17). `None` for outcomes that no payout has.
    pub fn told(outcome: Outcome, attempt: Option<&Attempt>) -> Option<Verdict> {
        Some(match outcome {
            Outcome::Settled => Verdict::Settled,
            Outcome::Failed => Verdict::Failed(
                attempt.and_then(|a| a.failure).unwrap_or(Code::A0009),
                attempt.and_then(|a| a.bank_code),
            ),
            Outcome::Returned => Verdict::Returned(attempt.and_then(|a| a.return_code)),
            Outcome::Paid | Outcome::ChargeFailed | Outcome::Refunded | Outcome::Deregistered => {
                return None;
            }
        })
    }

    pub fn code(self) -> Code {
        match self {
            Verdict::UnderWay => Code::A0001,
            Verdict::Settled => Code::A0000,
            Verdict::Failed(code, _) => code,
            Verdict::Returned(_) => Code::A0998,
        }
    }

    /// The row's `result`.
    pub fn result(self) -> &'static str {
        self.code().name()
    }

    /// The row's `message`: a failure's says the bank's reason, a return's only that it is one.
    pub fn message(self) -> String {
        match self {
            Verdict::Failed(code, Some(bank)) => message(code, &Detail::Bank(bank)),
            _ => message(self.code(), &Detail::None),
        }
    }

    /// The row's `bank_rsp_code`, or `""` where the bank gave none.
    pub fn bank_rsp_code(self) -> String {
        let code = match self {
            Verdict::UnderWay => None,
            Verdict::Settled => Some(BankCode::OK),
            Verdict::Failed(_, bank) | Verdict::Returned(bank) => bank,
        };
        // A code of the centre's is no bank's: the message has it.
        code.filter(|code| code.is_banks()).map(BankCode::text).unwrap_or_default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ichae_domain::ident::{PartnerNo, PayoutNo};
    use ichae_domain::text::mask_account;
    use ichae_domain::time::{Day, Time};

    /// The official webhook sample, with a `distinct_key`.
    pub fn sample() -> ResultRow {
        ResultRow {
            result: Verdict::Settled.result(),
            message: Verdict::Settled.message(),
            cst_id: "test".into(),
            sub_id: "test12385610".into(),
            group_key: "Q0RSSkYzWUI3...".into(),
            billing_tran_id: "6fen3g2m-j9hb-...".into(),
            api_tran_id: "ohr8ps3m-j5x...".into(),
            api_tran_dtm: "20211025142315647".into(),
            bank_tran_id: "M202112389U142315646".into(),
            bank_tran_date: "20211025".into(),
            bank_rsp_code: Verdict::Settled.bank_rsp_code(),
            bank_code_std: "020".into(),
            bank_code_sub: "0000000".into(),
            bank_name: "우리은행".into(),
            account_num: "1234567890123456".into(),
            account_num_masked: mask_account("1234567890123456"),
            account_holder_name: "홍길동".into(),
            print_content: "정산테스트".into(),
            tran_amt: "1000".into(),
            distinct_key: "c9z116521650283...".into(),
            opens_at: None,
        }
    }

    #[test]
    fn the_official_webhook_sample() {
        assert_eq!(
            serde_json::to_string(&sample()).unwrap(),
            r#"{"result":"A0000","message":"처리 성공","cst_id":"test","sub_id":"test12385610","group_key":"Q0RSSkYzWUI3...","billing_tran_id":"6fen3g2m-j9hb-...","api_tran_id":"ohr8ps3m-j5x...","api_tran_dtm":"20211025142315647","bank_tran_id":"M202112389U142315646","bank_tran_date":"20211025","bank_rsp_code":"000","bank_code_std":"020","bank_code_sub":"0000000","bank_name":"우리은행","account_num":"1234567890123456","account_num_masked":"1234567890123***","account_holder_name":"홍길동","print_content":"정산테스트","tran_amt":"1000","distinct_key":"c9z116521650283..."}"#
        );
    }

    #[test]
    fn a_row_prints_no_account_and_no_name() {
        let printed = format!("{:?}", sample());
        for hidden in ["1234567890123", "홍길동"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
        assert!(printed.contains("ohr8ps3m"));
    }

    fn attempt() -> Attempt {
        Attempt {
            payout: PayoutNo(1),
            partner: PartnerNo(1),
            bank_no: None,
            day: Day(20_211_025),
            sent_at: Time(0),
            sends: 1,
            bank_code: Some(BankCode(415)),
            bank_code_sub: 0,
            failure: None,
            why: None,
            answered_at: None,
            inquiries: 0,
            inquire_at: None,
            returned_at: None,
            return_code: None,
        }
    }

    #[test]
    fn each_outcome_has_its_result_message_and_bank_code() {
        let refused = Attempt { failure: Some(Code::A0009), ..attempt() };
        let dead = Attempt { failure: Some(Code::R0103), ..attempt() };
        let returned = Attempt { return_code: Some(BankCode(412)), ..attempt() };
        let silent = Attempt { bank_code: None, ..attempt() };
        let under_way = Some(("A0001", "처리 중", ""));
        let table = [
            (State::Requested, None, None),
            (State::Canceled, None, None),
            (State::Executing, None, under_way),
            (State::Sending, Some(&silent), under_way),
            (State::Unknown, Some(&refused), under_way),
            (State::Settled, Some(&silent), Some(("A0000", "처리 성공", "000"))),
            (State::Failed, Some(&refused), Some(("A0009", "해약 계좌(415)", "415"))),
            (
                State::Failed,
                Some(&dead),
                Some(("R0103", "사용할 수 없는 빌링키입니다. - 해약 계좌(415)", "415")),
            ),
            (State::Failed, None, Some(("A0009", "API 세부업무 처리실패", ""))),
            (State::Returned, Some(&returned), Some(("A0998", "입금 반환", "412"))),
            (State::Returned, Some(&silent), Some(("A0998", "입금 반환", ""))),
        ];
        for (state, attempt, expected) in table {
            let got = Verdict::of(state, attempt);
            let texts = got.map(|v| (v.result(), v.message(), v.bank_rsp_code()));
            let texts = texts.as_ref().map(|(r, m, b)| (*r, m.as_str(), b.as_str()));
            assert_eq!(texts, expected, "{state:?}");
        }
    }

    #[test]
    fn a_notice_tells_its_own_outcome_even_after_a_return() {
        let returned = Attempt { return_code: Some(BankCode(412)), ..attempt() };
        assert_eq!(Verdict::told(Outcome::Settled, Some(&returned)), Some(Verdict::Settled));
        assert_eq!(Verdict::told(Outcome::Paid, Some(&returned)), None);
    }
}
