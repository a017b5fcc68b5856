//! The three values that a follow-up call brings from auth.php.

use super::Job;
use crate::json::Fields;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use secrecy::SecretString;

/// The three fields that every follow-up call has.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpaySession)]
pub struct RequestBody {
    /// `cst_id` of auth.php's answer.
    #[schema(example = "test", min_length = 1, max_length = 12, pattern = "^[A-Za-z0-9_-]+$")]
    pub pcd_cst_id: String,
    /// `custKey` of auth.php's answer.
    #[schema(example = "abcd1234567890", min_length = 1, max_length = 255)]
    pub pcd_cust_key: String,
    /// `AuthKey` of auth.php's answer: good for 30 minutes, for any number of calls.
    #[schema(example = "a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d")]
    pub pcd_auth_key: String,
}

/// Who says to be calling; whether it is true is not known yet.
#[derive(Clone, Debug)]
pub struct Session {
    pub cst_id: String,
    /// Normalised to NFC, so that a verifier sees one form (decision H3).
    pub cust_key: SecretString,
    pub auth_key: SecretString,
}

/// The job's code for the credentials, then its code for the key of the session.
pub fn parse(fields: &Fields, job: Job) -> Result<Session, Refusal> {
    let said = |name| fields.text(name).ok().flatten();
    let cst_id = said("PCD_CST_ID").filter(|id| text::is_cst_id(id)).ok_or(job.partner())?;
    let cust_key = said("PCD_CUST_KEY").filter(|key| text::is_cust_key(key));
    let cust_key = cust_key.and_then(text::clean).ok_or(job.partner())?;
    let auth_key = said("PCD_AUTH_KEY").ok_or(job.session())?;
    Ok(Session { cst_id: cst_id.to_owned(), cust_key: cust_key.into(), auth_key: auth_key.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, letters};
    use ichae_domain::code::Code;
    use secrecy::ExposeSecret;

    const SAMPLE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d"}"#;
    const FORM: Form<Session> =
        Form { sample: SAMPLE, parse: |fields| parse(fields, Job::SimpleCard) };

    #[test]
    fn the_official_sample() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap(), Job::Refund).unwrap();
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(read.cst_id, documented.pcd_cst_id);
        assert_eq!(read.cust_key.expose_secret(), documented.pcd_cust_key);
        assert_eq!(read.auth_key.expose_secret(), documented.pcd_auth_key);
        let printed = format!("{read:?}");
        assert!(!printed.contains("abcd") && !printed.contains("a688"), "{printed}");
    }

    #[test]
    fn bad_input() {
        FORM.missing("PCD_CST_ID", Some(Code::SPCD9991));
        FORM.text("PCD_CST_ID", Code::SPCD9991);
        FORM.all("PCD_CST_ID", None, &[&letters(12), "\"a_B-9\""]);
        FORM.all(
            "PCD_CST_ID",
            Some(Code::SPCD9991),
            &[&letters(13), "\"한글\"", "\"a b\"", "\"ｔest\""],
        );
        FORM.missing("PCD_CUST_KEY", Some(Code::SPCD9991));
        FORM.text("PCD_CUST_KEY", Code::SPCD9991);
        FORM.all("PCD_CUST_KEY", None, &[&letters(255), "\"비밀 키!\""]);
        FORM.all(
            "PCD_CUST_KEY",
            Some(Code::SPCD9991),
            &[&letters(256), r#""a\u200bb""#, r#""a\nb""#, r#""\u1100""#],
        );
        FORM.missing("PCD_AUTH_KEY", Some(Code::SPCD0004));
        FORM.text("PCD_AUTH_KEY", Code::SPCD0004);
        FORM.all("PCD_AUTH_KEY", None, &[&letters(376), &letters(1_000)]);
    }

    #[test]
    fn every_job_has_its_codes() {
        let fields = Fields::parse(b"{}").unwrap();
        let keyless = Fields::parse(br#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"x"}"#).unwrap();
        for job in Job::ALL {
            assert_eq!(parse(&fields, job).unwrap_err(), job.partner().into());
            assert_eq!(parse(&keyless, job).unwrap_err(), job.session().into());
        }
    }
}
