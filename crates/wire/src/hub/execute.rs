//! `/transfer/execute`: sends what waits, or cancels it (decision H10).

use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::command::Action;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;

/// Where it is served, by POST.
pub const PATH: &str = "/transfer/execute";
/// `billing_tran_id` that names the whole group.
pub const ALL: &str = "ALL";

/// Executes or cancels what waits in a group.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = ExecuteRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// The group, from `/transfer/request`.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    /// A billing key, for all that waits on it in the group; or `ALL`.
    #[schema(example = "ALL", max_length = 40)]
    pub billing_tran_id: String,
    /// `NOW` or `CANCEL`.
    #[schema(example = "NOW", pattern = "^(NOW|CANCEL)$")]
    pub execute_type: String,
    /// Where the results go: in TEST, for `NOW`, and needed there unless the partner has an
    /// address registered. LIVE ignores it.
    #[schema(example = "https://partner.example/webhook", max_length = 2048)]
    pub webhook_url: Option<String>,
}

/// What of the group is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    All,
    /// As it came; whether it is a key is not known yet.
    Key(String),
}

/// What is in the body beside the credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// As it came; whether it is a group is not known yet.
    pub group_key: String,
    pub billing_tran_id: Target,
    pub action: Action,
    /// Normalised; `None` wherever the field is not looked at.
    pub webhook_url: Option<String>,
}

/// E0101, E0102, E0110, E0120. `url_allowed` is whether this environment lets a call name its own
/// address (TEST); else, and for `CANCEL`, `webhook_url` is not looked at.
pub fn parse(fields: &Fields, url_allowed: bool) -> Result<Parsed, Refusal> {
    let group_key = field::required(fields, "group_key", Code::E0101)?.to_owned();
    let billing_tran_id = match field::required(fields, "billing_tran_id", Code::E0102)? {
        ALL => Target::All,
        key => Target::Key(key.to_owned()),
    };
    let named = field::required(fields, "execute_type", Code::E0110)?;
    let action = [Action::Now, Action::Cancel]
        .into_iter()
        .find(|action| action.name() == named)
        .ok_or(Code::E0110)?;
    let webhook_url =
        if url_allowed && action == Action::Now { webhook_url(fields)? } else { None };
    Ok(Parsed { group_key, billing_tran_id, action, webhook_url })
}

fn webhook_url(fields: &Fields) -> Result<Option<String>, Refusal> {
    let Some(sent) = field::text(fields, "webhook_url", Code::E0120)? else {
        return Ok(None);
    };
    let url = text::clean(sent).ok_or(Code::E0120)?;
    let scheme = url.starts_with("http://") || url.starts_with("https://");
    if !scheme || url.chars().count() > text::WEBHOOK_URL_MAX {
        return Err(Code::E0120.into());
    }
    Ok(Some(url))
}

/// What this call took. The outcome of each payout comes by webhook or look-up.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ExecuteResponse)]
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
    /// The request's group.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    /// The request's billing key, or `ALL`.
    #[schema(example = "ALL")]
    pub billing_tran_id: String,
    /// Sum of what this call took, whole won.
    #[schema(example = "1000")]
    pub tot_tran_amt: String,
    /// What remains of the limit.
    #[schema(example = "9995000")]
    pub remain_amt: String,
    /// The request's `NOW` or `CANCEL`.
    #[schema(example = "NOW")]
    pub execute_type: String,
    /// When it was accepted, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211025142315647")]
    pub api_tran_dtm: String,
    /// Only outside the service hours: when it goes out, `yyyyMMddHHmmssSSS` in Seoul.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "20211026000500000")]
    pub opens_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, NO_NUMBERS, letters, with};
    use crate::hub::{MESSAGE, RESULT};

    const SAMPLE: &str = r#"{"cst_id":"test","custKey":"abcd1234567890","group_key":"Q0RSSkYzWUI3...","billing_tran_id":"ALL","execute_type":"NOW","webhook_url":"https://partner.example/webhook"}"#;
    const TEST: Form<Parsed> = Form { sample: SAMPLE, parse: |fields| parse(fields, true) };
    const LIVE: Form<Parsed> = Form { sample: SAMPLE, parse: |fields| parse(fields, false) };
    const CANCEL: Form<Parsed> = Form {
        sample: r#"{"group_key":"g","billing_tran_id":"k","execute_type":"CANCEL"}"#,
        parse: |fields| parse(fields, true),
    };

    #[test]
    fn a_known_call() {
        let fields = Fields::parse(SAMPLE.as_bytes()).unwrap();
        let mut expected = Parsed {
            group_key: "Q0RSSkYzWUI3...".into(),
            billing_tran_id: Target::All,
            action: Action::Now,
            webhook_url: Some("https://partner.example/webhook".into()),
        };
        assert_eq!(parse(&fields, true), Ok(expected.clone()));
        expected.webhook_url = None;
        assert_eq!(parse(&fields, false), Ok(expected));
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(documented.execute_type, "NOW");
        let cancel = parse(&with(CANCEL.sample, "webhook_url", Some("\"x\"")), true).unwrap();
        assert_eq!(cancel.billing_tran_id, Target::Key("k".into()));
        assert_eq!((cancel.action, cancel.webhook_url), (Action::Cancel, None));
    }

    #[test]
    fn the_answer_has_the_documented_fields_in_order() {
        let answer = Response {
            result: RESULT,
            message: MESSAGE,
            cst_id: "test".into(),
            group_key: "Q0RSSkYzWUI3...".into(),
            billing_tran_id: ALL.into(),
            tot_tran_amt: "1000".into(),
            remain_amt: "9995000".into(),
            execute_type: Action::Now.name().into(),
            api_tran_dtm: "20211025142315647".into(),
            opens_at: None,
        };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"result":"A0000","message":"처리 성공","cst_id":"test","group_key":"Q0RSSkYzWUI3...","billing_tran_id":"ALL","tot_tran_amt":"1000","remain_amt":"9995000","execute_type":"NOW","api_tran_dtm":"20211025142315647"}"#
        );
    }

    #[test]
    fn bad_input() {
        for (name, code) in [("group_key", Code::E0101), ("billing_tran_id", Code::E0102)] {
            TEST.missing(name, Some(code));
            TEST.text(name, code);
            TEST.all(name, None, &[&letters(200), "\"한글\"", "\"all\""]);
        }
        TEST.missing("execute_type", Some(Code::E0110));
        TEST.text("execute_type", Code::E0110);
        TEST.all(
            "execute_type",
            Some(Code::E0110),
            &["\"now\"", "\"NOW \"", "\"LATER\"", "\"ＮＯＷ\""],
        );
        TEST.all("execute_type", None, &["\"NOW\"", "\"CANCEL\""]);
    }

    #[test]
    fn the_address_is_looked_at_only_where_it_counts() {
        let long = |letters| format!("\"http://{}\"", "x".repeat(letters));
        let (fits, too_long) = (long(2_041), long(2_042));
        let bad = [&too_long, "\"ftp://a\"", "\"a.example\"", "\"HTTP\"", r#""http://a\u202e""#];
        TEST.missing("webhook_url", None);
        TEST.text("webhook_url", Code::E0120);
        TEST.all("webhook_url", Some(Code::E0120), &bad);
        TEST.all("webhook_url", None, &[&fits, "\"http://127.0.0.1:9000/hook?a=b\""]);
        for ignoring in [LIVE, CANCEL] {
            ignoring.all("webhook_url", None, &bad);
            ignoring.all("webhook_url", None, NO_NUMBERS);
        }
    }

    #[test]
    fn faults_are_found_in_the_order_of_the_fields() {
        let order = [
            (r#"{"webhook_url":0}"#, Code::E0101),
            (r#"{"group_key":"g","webhook_url":0}"#, Code::E0102),
            (r#"{"group_key":"g","billing_tran_id":"k","webhook_url":0}"#, Code::E0110),
        ];
        for (body, code) in order {
            let fields = Fields::parse(body.as_bytes()).unwrap();
            assert_eq!(parse(&fields, true).unwrap_err().code, code, "{body}");
        }
    }
}
