//! `cst_id` and `custKey`, which stand in the body of every call (decision H6).

use super::field;
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use secrecy::SecretString;

/// The two fields that every call has, beside its bearer token.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = Credentials)]
pub struct RequestBody {
    /// Partner id: 1 to 12 of letters, digits, `_` and `-`.
    #[schema(example = "test", min_length = 1, max_length = 12, pattern = "^[A-Za-z0-9_-]+$")]
    pub cst_id: String,
    /// Partner key: up to 255 characters.
    #[serde(rename = "custKey")]
    #[schema(example = "abcd1234567890", min_length = 1, max_length = 255)]
    pub cust_key: String,
}

/// Who says to be calling; whether it is true is not known yet.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub cst_id: String,
    /// Normalised to NFC, so that a verifier sees one form (decision H3).
    pub cust_key: SecretString,
}

/// T0200 where `cst_id` is missing or not of its form, then T0201 for `custKey`.
pub fn parse(fields: &Fields) -> Result<Credentials, Refusal> {
    let cst_id = field::required(fields, "cst_id", Code::T0200)?;
    let cust_key = field::required(fields, "custKey", Code::T0201);
    of(Some(cst_id), cust_key.ok())
}

/// As [`parse`], where they stand in a call's head.
pub fn of(cst_id: Option<&str>, cust_key: Option<&str>) -> Result<Credentials, Refusal> {
    let cst_id = cst_id.ok_or(Code::T0200)?;
    if !text::is_cst_id(cst_id) {
        return Err(Code::T0200.into());
    }
    let cust_key = cust_key.ok_or(Code::T0201)?;
    if !text::is_cust_key(cust_key) {
        return Err(Code::T0201.into());
    }
    let cust_key = text::clean(cust_key).ok_or(Code::T0201)?;
    Ok(Credentials { cst_id: cst_id.to_owned(), cust_key: cust_key.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, letters};
    use secrecy::ExposeSecret;

    const FORM: Form<Credentials> =
        Form { sample: r#"{"cst_id":"test","custKey":"abcd1234567890"}"#, parse };

    #[test]
    fn bad_input() {
        FORM.missing("cst_id", Some(Code::T0200));
        FORM.text("cst_id", Code::T0200);
        FORM.all("cst_id", None, &[&letters(12), "\"a_B-9\""]);
        FORM.all("cst_id", Some(Code::T0200), &[&letters(13), "\"한글\"", "\"a b\"", "\"ｔest\""]);
        FORM.missing("custKey", Some(Code::T0201));
        FORM.text("custKey", Code::T0201);
        FORM.all("custKey", None, &[&letters(255), "\"비밀 키!\""]);
        FORM.all("custKey", Some(Code::T0201), &[&letters(256), r#""a\u200bb""#, r#""a\nb""#]);
    }

    #[test]
    fn cst_id_is_looked_at_first() {
        let fields = Fields::parse(b"{}").unwrap();
        assert_eq!(parse(&fields).unwrap_err().code, Code::T0200);
    }

    #[test]
    fn the_key_is_normalised_and_not_printed() {
        let decomposed = r#"{"cst_id":"test","custKey":"\u1100\u1161"}"#;
        let read = parse(&Fields::parse(decomposed.as_bytes()).unwrap()).unwrap();
        assert_eq!(read.cust_key.expose_secret(), "가");
        assert!(!format!("{read:?}").contains('가'));
    }
}
