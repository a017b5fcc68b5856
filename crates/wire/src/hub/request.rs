//! `/transfer/request`: puts a payout into the open group and holds its amount (decisions H7-H9).

use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;

/// Where it is served, by POST.
pub const PATH: &str = "/transfer/request";

/// Asks for a payout. Nothing moves before it is executed.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = TransferRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// The partner's id of its sub-customer: up to 64 of letters, digits, `.`, `_` and `-`.
    #[schema(example = "test12385610", max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub sub_id: Option<String>,
    /// The partner's key against double payment, unique for ever: up to 64 of letters, digits,
    /// `.`, `_` and `-`. The server makes one where it is absent.
    #[schema(example = "c9z116521650283...", max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub distinct_key: Option<String>,
    /// The billing key of `/inquiry/real_name`.
    #[schema(example = "6fen3g2m-j9hb-...", max_length = 40)]
    pub billing_tran_id: String,
    /// Whole won: 1 to 12 digits without a leading zero; `1000` in TEST. A JSON integer is
    /// accepted too.
    #[schema(example = "1000", max_length = 12, pattern = "^[1-9][0-9]{0,11}$")]
    pub tran_amt: String,
    /// What stands on the recipient's statement: at most six of letters, digits and Hangul, spaces
    /// not counted. The partner's name where it is absent.
    #[schema(example = "정산테스트")]
    pub print_content: Option<String>,
}

/// What is in the body beside the credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub sub_id: Option<String>,
    pub distinct_key: Option<String>,
    /// As it came; whether it is a key is not known yet.
    pub billing_tran_id: String,
    pub amount: Won,
    /// Normalised and without spaces; `None` where nothing else was sent.
    pub print: Option<String>,
}

/// R0130, R0131, R0101, R0110, R0120.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let sub_id = field::optional(fields, "sub_id", Code::R0130, text::is_sub_id)?;
    let distinct_key = field::optional(fields, "distinct_key", Code::R0131, text::is_distinct_key)?;
    let billing_tran_id = field::required(fields, "billing_tran_id", Code::R0101)?;
    let amount = field::number(fields, "tran_amt", Code::R0110)?;
    let amount = amount.and_then(|text| Won::parse(&text)).ok_or(Code::R0110)?;
    let print = match field::text(fields, "print_content", Code::R0120)? {
        Some(print) => text::print_content(print).map_err(|_| Code::R0120)?,
        None => None,
    };
    let billing_tran_id = billing_tran_id.to_owned();
    Ok(Parsed { sub_id, distinct_key, billing_tran_id, amount, print })
}

/// A payout that waits for its execution.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = TransferRequestResponse)]
pub struct Response {
    /// `A0000`.
    #[schema(example = "A0000")]
    pub result: &'static str,
    /// `처리 성공`.
    #[schema(example = "처리 성공")]
    pub message: &'static str,
    /// The partner id.
    #[schema(example = "test")]
    pub cst_id: String,
    /// The request's `sub_id`, or `""`.
    #[schema(example = "test12385610")]
    pub sub_id: String,
    /// The request's `distinct_key`, or the one that the server made.
    #[schema(example = "c9z116521650283...")]
    pub distinct_key: String,
    /// The group that it joined; executing names it.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    /// The billing key that it pays to.
    #[schema(example = "6fen3g2m-j9hb-...")]
    pub billing_tran_id: String,
    /// The amount, whole won.
    #[schema(example = "1000")]
    pub tran_amt: String,
    /// What remains of the limit once the amount is held.
    #[schema(example = "9995000")]
    pub remain_amt: String,
    /// What will stand on the recipient's statement.
    #[schema(example = "정산테스트")]
    pub print_content: String,
    /// When it was accepted, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211022152040289")]
    pub api_tran_dtm: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, NO_NUMBERS, letters, with};
    use crate::hub::{MESSAGE, RESULT};

    const SAMPLE: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "sub_id":"test12385610", "distinct_key":"c9z116521650283...", "billing_tran_id":"6fen3g2m-j9hb-...", "tran_amt":"1000", "print_content":"정산테스트" }"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };

    #[test]
    fn the_official_sample() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        let expected = Parsed {
            sub_id: Some("test12385610".into()),
            distinct_key: Some("c9z116521650283...".into()),
            billing_tran_id: "6fen3g2m-j9hb-...".into(),
            amount: Won(1_000),
            print: Some("정산테스트".into()),
        };
        assert_eq!(read, expected);
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(documented.tran_amt, "1000");
        let answer = Response {
            result: RESULT,
            message: MESSAGE,
            cst_id: "test".into(),
            sub_id: "test12385610".into(),
            distinct_key: "c9z116521650283...".into(),
            group_key: "Q0RSSkYzWUI3...".into(),
            billing_tran_id: read.billing_tran_id,
            tran_amt: read.amount.to_string(),
            remain_amt: "9995000".into(),
            print_content: "정산테스트".into(),
            api_tran_dtm: "20211022152040289".into(),
        };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"result":"A0000","message":"처리 성공","cst_id":"test","sub_id":"test12385610","distinct_key":"c9z116521650283...","group_key":"Q0RSSkYzWUI3...","billing_tran_id":"6fen3g2m-j9hb-...","tran_amt":"1000","remain_amt":"9995000","print_content":"정산테스트","api_tran_dtm":"20211022152040289"}"#
        );
    }

    #[test]
    fn bad_input() {
        for (name, code) in [("sub_id", Code::R0130), ("distinct_key", Code::R0131)] {
            FORM.missing(name, None);
            FORM.text(name, code);
            FORM.all(name, None, &[&letters(64), "\"a.B_9-\""]);
            FORM.all(name, Some(code), &[&letters(65), "\"한글\"", "\"a b\"", "\"ａ\"", "\" \""]);
        }
        FORM.missing("billing_tran_id", Some(Code::R0101));
        FORM.text("billing_tran_id", Code::R0101);
        FORM.all("billing_tran_id", None, &[&letters(41), "\"한글\"", "\"ALL\""]);
        FORM.missing("tran_amt", Some(Code::R0110));
        FORM.all("tran_amt", Some(Code::R0110), NO_NUMBERS);
        FORM.all(
            "tran_amt",
            Some(Code::R0110),
            &["0", "\"0\"", "\"01\"", "\"1,000\"", "\"1000.0\""],
        );
        FORM.all(
            "tran_amt",
            Some(Code::R0110),
            &["1000000000000", "\"1000000000000\"", "\"１０００\""],
        );
        FORM.all("tran_amt", None, &["1", "1000", "999999999999", "\"999999999999\""]);
        FORM.missing("print_content", None);
        FORM.text("print_content", Code::R0120);
        FORM.all("print_content", None, &["\"정 산 테 스 트 1\"", "\"  \"", "\"ABC123\""]);
        FORM.all(
            "print_content",
            Some(Code::R0120),
            &[&letters(7), "\"정산!\"", "\"漢字\"", r#""a\tb""#],
        );
    }

    #[test]
    fn print_content_is_normalised_and_nothing_but_spaces_is_nothing() {
        let print = |value| parse(&with(SAMPLE, "print_content", Some(value))).unwrap().print;
        assert_eq!(print(r#""\u1100\u1161 나""#).as_deref(), Some("가나"));
        assert_eq!(print("\"  \""), None);
    }

    #[test]
    fn faults_are_found_in_the_order_of_the_fields() {
        let order = [
            (r#"{"sub_id":0,"distinct_key":0}"#, Code::R0130),
            (r#"{"distinct_key":0}"#, Code::R0131),
            (r#"{"print_content":0}"#, Code::R0101),
            (r#"{"billing_tran_id":"x","print_content":0}"#, Code::R0110),
        ];
        for (body, code) in order {
            let fields = Fields::parse(body.as_bytes()).unwrap();
            assert_eq!(parse(&fields).unwrap_err().code, code, "{body}");
        }
    }
}
