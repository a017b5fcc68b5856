//! `/account/remain`: what is left of the limit (decision H8).

use super::credentials;

/// Where it is served, by POST.
pub const PATH: &str = "/account/remain";

/// Asks for the limit. There is nothing to send but who asks, so there is nothing to parse.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = RemainRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
}

/// The limit. `remain_amt` is `total_account_amt` less `total_transfer_amt`, never below zero.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = RemainResponse)]
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
    /// What was funded, whole won.
    #[schema(example = "10000000")]
    pub total_account_amt: String,
    /// What is held, under way or sent, whole won.
    #[schema(example = "56000")]
    pub total_transfer_amt: String,
    /// What can still be requested, whole won.
    #[schema(example = "9944000")]
    pub remain_amt: String,
    /// When it was answered, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211103090426239")]
    pub api_tran_dtm: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{MESSAGE, RESULT};
    use crate::json::Fields;

    #[test]
    fn the_official_sample() {
        let sample = r#"{ "cst_id":"test", "custKey":"abcd1234567890" }"#;
        let read = credentials::parse(&Fields::parse(sample.as_bytes()).unwrap()).unwrap();
        let documented: RequestBody = serde_json::from_str(sample).unwrap();
        assert_eq!(documented.credentials.cst_id, read.cst_id);
        let answer = Response {
            result: RESULT,
            message: MESSAGE,
            cst_id: read.cst_id,
            total_account_amt: "10000000".into(),
            total_transfer_amt: "56000".into(),
            remain_amt: "9944000".into(),
            api_tran_dtm: "20211103090426239".into(),
        };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"result":"A0000","message":"처리 성공","cst_id":"test","total_account_amt":"10000000","total_transfer_amt":"56000","remain_amt":"9944000","api_tran_dtm":"20211103090426239"}"#
        );
    }
}
