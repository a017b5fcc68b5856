//! `/oauth/token`: a token for 60 seconds (decision H6).

use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::{Code, Entry, TABLE};
use ichae_domain::refusal::Refusal;
use ichae_domain::text;

/// Where it is served, by POST.
pub const PATH: &str = "/oauth/token";

const DONE: &Entry = &TABLE[Code::T0000 as usize];
/// `result` of a success.
pub const RESULT: &str = DONE.name;
/// `message` of a success.
pub const MESSAGE: &str = DONE.ko;
/// `token_type`, always.
pub const TOKEN_TYPE: &str = "Bearer";
/// `expires_in`, seconds.
pub const EXPIRES_IN: &str = "60";

/// Asks for an access token.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = TokenRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// Exactly ten letters and digits of the caller's choice; they come back in the answer.
    #[schema(
        example = "as12345678",
        min_length = 10,
        max_length = 10,
        pattern = "^[A-Za-z0-9]{10}$"
    )]
    pub code: String,
}

/// What is in the body beside the credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub code: String,
}

/// T0210 where `code` is missing, T0211 where it is not ten letters and digits.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let code = field::text(fields, "code", Code::T0211)?.ok_or(Code::T0210)?;
    if !text::is_token_code(code) {
        return Err(Code::T0211.into());
    }
    Ok(Parsed { code: code.to_owned() })
}

/// An access token.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = TokenResponse)]
pub struct Response {
    /// `T0000`.
    #[schema(example = "T0000")]
    pub result: &'static str,
    /// `처리 성공`.
    #[schema(example = "처리 성공")]
    pub message: &'static str,
    /// The request's `code`.
    #[schema(example = "as12345678")]
    pub code: String,
    /// To be sent as `Authorization: Bearer …`; opaque, reusable until it expires.
    #[schema(example = "eyJhlNDlj...")]
    pub access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds that the token lives from now: `60`.
    #[schema(example = "60")]
    pub expires_in: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, letters};

    const SAMPLE: &str = r#"{ "cst_id":"test", "custKey":"abcd1234567890", "code":"as12345678" }"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };

    #[test]
    fn the_official_sample() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!((read.code.as_str(), documented.code.as_str()), ("as12345678", "as12345678"));
        assert_eq!(documented.credentials.cst_id, "test");
        let answer = Response {
            result: RESULT,
            message: MESSAGE,
            code: read.code,
            access_token: "eyJhlNDlj...".into(),
            token_type: TOKEN_TYPE,
            expires_in: EXPIRES_IN,
        };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"result":"T0000","message":"처리 성공","code":"as12345678","access_token":"eyJhlNDlj...","token_type":"Bearer","expires_in":"60"}"#
        );
    }

    #[test]
    fn bad_input() {
        FORM.missing("code", Some(Code::T0210));
        FORM.text("code", Code::T0211);
        FORM.all("code", Some(Code::T0211), &["1234567890", &letters(9), &letters(11)]);
        FORM.all(
            "code",
            Some(Code::T0211),
            &["\"as1234567_\"", "\"가나다abcdefg\"", "\"ａs12345678\""],
        );
        FORM.all("code", None, &["\"1234567890\"", "\"ABCDEfghij\""]);
    }
}
