//! `/transfer/result`: what became of one payout, as one flat row (decision H14).

use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;

/// Where it is served, by POST.
pub const PATH: &str = "/transfer/result";

/// The answer is the row itself: its `result` is the payout's outcome, not the look-up's.
pub use super::row::ResultRow as Response;

/// Asks for one payout's outcome.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = ResultRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// The transfer's id, from a webhook or a list.
    #[schema(example = "ohr8ps3m-j5x...", max_length = 40)]
    pub api_tran_id: String,
}

/// What is in the body beside the credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// As it came; whether it is a transfer is not known yet.
    pub api_tran_id: String,
}

/// L0101.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let api_tran_id = field::required(fields, "api_tran_id", Code::L0101)?.to_owned();
    Ok(Parsed { api_tran_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, letters};

    const SAMPLE: &str =
        r#"{"cst_id":"test","custKey":"abcd1234567890","api_tran_id":"ohr8ps3m-j5x..."}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };

    #[test]
    fn a_known_call() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(read.api_tran_id, "ohr8ps3m-j5x...");
        assert_eq!(documented.api_tran_id, read.api_tran_id);
    }

    #[test]
    fn bad_input() {
        FORM.missing("api_tran_id", Some(Code::L0101));
        FORM.text("api_tran_id", Code::L0101);
        FORM.all("api_tran_id", None, &[&letters(41), "\"한글\""]);
    }
}
