//! Bulk intake, ours and not in Payple's documents: many requests in one call, one JSON object a
//! line, each answered with a line of its own.

use crate::hub::refusal::RefusalBody;
use crate::hub::request::{self, Parsed};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;

/// Where it is served, by POST.
pub const PATH: &str = "/v1/payouts";
/// The partner id's header.
pub const CST_ID: &str = "ichae-cst-id";
/// The partner key's header.
pub const CUST_KEY: &str = "ichae-cust-key";
/// The content type of both sides.
pub const LINES: &str = "application/x-ndjson";

/// Rows that one call takes.
pub const ROWS_MAX: usize = 100_000;
/// Bytes that one call takes.
pub const BYTES_MAX: usize = 32 << 20;
/// Bytes of one row.
pub const ROW_BYTES_MAX: usize = 64 << 10;

/// One row of a bulk call: a `/transfer/request` without the credentials, which stand in the head.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = BulkRow)]
pub struct RowBody {
    /// The partner's key against double payment, unique for ever; needed here, because a call that
    /// was cut is sent again whole: up to 64 of letters, digits, `.`, `_` and `-`.
    #[schema(
        example = "settlement-20261124-000001",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    pub distinct_key: String,
    /// The billing key of `/inquiry/real_name`.
    #[schema(example = "6fen3g2m-j9hb-...", max_length = 40)]
    pub billing_tran_id: String,
    /// Whole won: 1 to 12 digits without a leading zero; `1000` in TEST. A JSON integer is
    /// accepted too.
    #[schema(example = "1000", max_length = 12, pattern = "^[1-9][0-9]{0,11}$")]
    pub tran_amt: String,
    /// The partner's id of its sub-customer.
    #[schema(example = "test12385610", max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub sub_id: Option<String>,
    /// What stands on the recipient's statement; the partner's name where it is absent.
    #[schema(example = "정산테스트")]
    pub print_content: Option<String>,
}

/// The answer to a row that was taken: a `/transfer/request`'s, and which row it is.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = BulkAnswer)]
pub struct TakenLine<'a> {
    /// The row's place in the call, from 1; blank lines are not counted.
    #[schema(example = 1)]
    pub row: usize,
    /// `A0000`.
    #[schema(example = "A0000")]
    pub result: &'static str,
    /// `처리 성공`.
    #[schema(example = "처리 성공")]
    pub message: &'static str,
    /// The row's `sub_id`, or `""`.
    #[schema(example = "test12385610")]
    pub sub_id: &'a str,
    /// The row's `distinct_key`.
    #[schema(example = "settlement-20261124-000001")]
    pub distinct_key: &'a str,
    /// The call's own group; executing names it.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: &'a str,
    /// The billing key that it pays to.
    #[schema(example = "6fen3g2m-j9hb-...")]
    pub billing_tran_id: &'a str,
    /// The amount, whole won.
    #[schema(example = "1000")]
    pub tran_amt: String,
    /// What remains of the limit once the amount is held.
    #[schema(example = "9995000")]
    pub remain_amt: String,
    /// What will stand on the recipient's statement.
    #[schema(example = "정산테스트")]
    pub print_content: &'a str,
    /// When it was accepted, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211022152040289")]
    pub api_tran_dtm: &'a str,
}

/// The answer to a row that was refused: the single call's, and which row it is.
#[derive(Debug, serde::Serialize)]
pub struct RefusedLine<'a> {
    pub row: usize,
    /// Absent where the row could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_key: Option<&'a str>,
    #[serde(flatten)]
    pub body: RefusalBody,
}

/// A row, read: as [`request::parse`], with a `distinct_key` (R0131 where there is none).
pub fn parse(fields: &Fields) -> Result<(Parsed, String), Refusal> {
    let mut parsed = request::parse(fields)?;
    let distinct_key = parsed.distinct_key.take().ok_or(Code::R0131)?;
    Ok((parsed, distinct_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_request_with_its_key() {
        let read = |text: &str| parse(&Fields::parse(text.as_bytes()).unwrap());
        let whole = r#"{"distinct_key":"d-1","billing_tran_id":"k","tran_amt":1000}"#;
        let (parsed, key) = read(whole).unwrap();
        assert_eq!((key.as_str(), parsed.billing_tran_id.as_str()), ("d-1", "k"));
        let table = [
            (r#"{"billing_tran_id":"k","tran_amt":"1000"}"#, Code::R0131),
            (r#"{"distinct_key":"","billing_tran_id":"k","tran_amt":"1000"}"#, Code::R0131),
            (r#"{"distinct_key":"a b","billing_tran_id":"k","tran_amt":"1000"}"#, Code::R0131),
            (r#"{"distinct_key":"d","tran_amt":"1000"}"#, Code::R0101),
            (r#"{"distinct_key":"d","billing_tran_id":"k","tran_amt":"01"}"#, Code::R0110),
        ];
        for (text, code) in table {
            assert_eq!(read(text).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn a_refused_line_carries_its_row_and_key() {
        let body = RefusalBody::from(Code::R0140);
        let line = RefusedLine { row: 7, distinct_key: Some("d"), body };
        let text = serde_json::to_string(&line).unwrap();
        assert!(text.starts_with(r#"{"row":7,"distinct_key":"d","result":"R0140","#), "{text}");
    }
}
