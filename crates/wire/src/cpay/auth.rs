//! `/php/auth.php`: partner authentication, which prepares a job (decision C1).

use super::head::{ERROR, SUCCESS};
use super::{Job, failure};
use crate::hub::credentials::Credentials;
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use secrecy::{ExposeSecret, SecretString};

pub use super::job::AUTH_PATH as PATH;

/// `result_msg` of a success.
pub const MESSAGE: &str = "사용자 인증 완료!!";

/// Authenticates a partner and names the job that is to follow, by exactly the fields of that job.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayAuthRequest)]
pub struct RequestBody {
    /// Partner id: 1 to 12 of letters, digits, `_` and `-`.
    #[serde(rename = "cst_id")]
    #[schema(example = "test", min_length = 1, max_length = 12, pattern = "^[A-Za-z0-9_-]+$")]
    pub cst_id: String,
    /// Partner key: up to 255 characters.
    #[serde(rename = "custKey")]
    #[schema(example = "abcd1234567890", min_length = 1, max_length = 255)]
    pub cust_key: String,
    /// `AUTHREG` registers a card, `PUSERINFO` looks a key up, `PUSERDEL` deregisters it, `TSREG`
    /// issues a cash receipt and `TSCANCEL` cancels it.
    #[schema(example = "PUSERINFO")]
    pub pcd_pay_work: Option<String>,
    /// With a payment: `card`, or `transfer` for an account, which is the default.
    #[schema(example = "card")]
    pub pcd_pay_type: Option<String>,
    /// `Y`: a payment.
    #[schema(example = "Y")]
    pub pcd_simple_flag: Option<String>,
    /// `Y`: a payment for a month, of which there is one.
    #[schema(example = "Y")]
    pub pcd_reguler_flag: Option<String>,
    /// `Y`: a refund.
    #[schema(example = "Y")]
    pub pcd_paycancel_flag: Option<String>,
    /// `Y`: the look-up of a payment.
    #[schema(example = "Y")]
    pub pcd_paychk_flag: Option<String>,
}

/// AUTH0001 where `cst_id` is missing or not of its form, then AUTH0002 for `custKey`.
pub fn parse(fields: &Fields) -> Result<Credentials, Refusal> {
    let said = |name| fields.text(name).ok().flatten();
    let cst_id = said("cst_id").filter(|id| text::is_cst_id(id)).ok_or(Code::AUTH0001)?;
    let cust_key = said("custKey").filter(|key| text::is_cust_key(key));
    let cust_key = cust_key.and_then(text::clean).ok_or(Code::AUTH0002)?;
    Ok(Credentials { cst_id: cst_id.to_owned(), cust_key: cust_key.into() })
}

/// What to send the job with, or why not. All nine fields of the documents stand in either: clients
/// read them without looking at `result`.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayAuthResponse)]
pub struct Response {
    /// The host that was called.
    #[serde(rename = "server_name")]
    #[schema(example = "democpay.payple.kr")]
    pub server_name: String,
    /// `success`, `error`, or the code of a fault below the API.
    #[serde(rename = "result")]
    #[schema(example = "success")]
    pub result: &'static str,
    /// `사용자 인증 완료!!`, or the code in brackets and its text.
    #[serde(rename = "result_msg")]
    #[schema(example = "사용자 인증 완료!!")]
    pub result_msg: String,
    /// For the job's `PCD_CST_ID`.
    #[serde(rename = "cst_id")]
    #[schema(example = "test")]
    pub cst_id: String,
    /// For the job's `PCD_CUST_KEY`.
    #[serde(rename = "custKey")]
    #[schema(example = "abcd1234567890")]
    pub cust_key: String,
    /// For the job's `PCD_AUTH_KEY`: opaque, good for 30 minutes and any number of calls.
    #[serde(rename = "AuthKey")]
    #[schema(example = "a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d")]
    pub auth_key: String,
    /// Scheme and host of the job's address.
    #[schema(example = "https://democpay.payple.kr")]
    pub pcd_pay_host: String,
    /// The rest of the job's address.
    #[schema(example = "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO")]
    pub pcd_pay_url: String,
    /// The job's address: `PCD_PAY_HOST` and `PCD_PAY_URL`.
    #[serde(rename = "return_url")]
    #[schema(
        example = "https://democpay.payple.kr/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO"
    )]
    pub return_url: String,
    /// Of a fault below the API: its text, as the Hub API has it.
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Response {
    /// `origin` is scheme and host as the caller reaches them, without a slash at the end.
    pub fn done(
        origin: &str,
        job: Job,
        credentials: &Credentials,
        auth_key: &SecretString,
    ) -> Response {
        Response {
            result: SUCCESS,
            result_msg: MESSAGE.to_owned(),
            cst_id: credentials.cst_id.clone(),
            cust_key: credentials.cust_key.expose_secret().to_owned(),
            auth_key: auth_key.expose_secret().to_owned(),
            pcd_pay_host: origin.to_owned(),
            pcd_pay_url: job.url().to_owned(),
            return_url: format!("{origin}{}", job.url()),
            ..Response::empty(origin)
        }
    }

    /// A refusal: its code stands in the message, and in no field of its own.
    pub fn error(origin: &str, refusal: &Refusal) -> Response {
        Response {
            result: ERROR,
            result_msg: failure::message(refusal, false),
            ..Response::empty(origin)
        }
    }

    /// A fault below the API (decision H1): `result` and `message` are the Hub API's.
    pub fn fault(origin: &str, code: Code, message: String) -> Response {
        Response {
            result: code.name(),
            result_msg: format!("[{}] {message}", code.name()),
            message: Some(message),
            ..Response::empty(origin)
        }
    }

    fn empty(origin: &str) -> Response {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        Response {
            server_name: host.to_owned(),
            result: ERROR,
            result_msg: String::new(),
            cst_id: String::new(),
            cust_key: String::new(),
            auth_key: String::new(),
            pcd_pay_host: String::new(),
            pcd_pay_url: String::new(),
            return_url: String::new(),
            message: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{But, same};
    use super::*;
    use crate::hub::bad_input::{Form, letters};

    const SAMPLE: &str =
        r#"{"cst_id":"test","custKey":"abcd1234567890","PCD_PAY_WORK":"PUSERINFO"}"#;
    const FORM: Form<Credentials> = Form { sample: SAMPLE, parse };
    const ORIGIN: &str = "https://democpay.payple.kr";
    const KEY: &str = "fc63fe1ed0016321a666b1a9c0b6f68d9d5e4ff5c57e448314ba3352da59f1a7";

    fn done(origin: &str, body: &str) -> Response {
        let fields = Fields::parse(body.as_bytes()).unwrap();
        let job = Job::of(&fields).unwrap();
        Response::done(origin, job, &parse(&fields).unwrap(), &KEY.into())
    }

    #[test]
    fn the_official_sample() {
        // The values of the newest sample are descriptions.
        let sample = r#"{"server_name":"요청 URL","result":"결과확인","result_msg":"결과 메시지","cst_id":"파트너사 아이디","custKey":"파트너사 키","AuthKey":"파트너사 인증토큰","PCD_PAY_HOST":"https://democpay.payple.kr","PCD_PAY_URL":"/auth.php","return_url":"요청 URL (PCD_PAY_HOST + PCD_PAY_URL)"}"#;
        let values = [
            "server_name",
            "result",
            "result_msg",
            "cst_id",
            "custKey",
            "AuthKey",
            "PCD_PAY_URL",
            "return_url",
        ];
        let answer = done(ORIGIN, SAMPLE);
        same(&answer, sample, But { values: &values, ..But::default() });
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"server_name":"democpay.payple.kr","result":"success","result_msg":"사용자 인증 완료!!","cst_id":"test","custKey":"abcd1234567890","AuthKey":"fc63fe1ed0016321a666b1a9c0b6f68d9d5e4ff5c57e448314ba3352da59f1a7","PCD_PAY_HOST":"https://democpay.payple.kr","PCD_PAY_URL":"/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO","return_url":"https://democpay.payple.kr/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO"}"#
        );
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!((documented.cst_id.as_str(), documented.pcd_simple_flag), ("test", None));
    }

    #[test]
    fn the_older_samples() {
        let flags = [
            (r#""PCD_SIMPLE_FLAG":"Y""#, "/php/SimplePayAct.php?ACT_=PAYM"),
            (r#""PCD_REGULER_FLAG":"Y""#, "/php/RePayAct.php?ACT_=PAYM"),
            (
                r#""PCD_PAY_TYPE":"card","PCD_SIMPLE_FLAG":"Y""#,
                "/php/SimplePayCardAct.php?ACT_=PAYM",
            ),
            (r#""PCD_PAY_TYPE":"card","PCD_REGULER_FLAG":"Y""#, "/php/RePayCardAct.php?ACT_=PAYM"),
            (r#""PCD_PAYCHK_FLAG":"Y""#, "/php/PayChkAct.php"),
            (r#""PCD_PAY_WORK":"TSREG""#, "/php/taxsave/api/tsAct.php?ACT_=TSREG"),
            (r#""PCD_PAY_WORK":"TSCANCEL""#, "/php/taxsave/api/tsAct.php?ACT_=TSCANCEL"),
            (r#""PCD_PAY_WORK":"PUSERDEL""#, "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERDEL"),
            (r#""PCD_PAYCANCEL_FLAG":"Y""#, "/php/account/api/cPayCAct.php"),
        ];
        for (flags, url) in flags {
            let body = format!(r#"{{"cst_id":"test","custKey":"abcd1234567890",{flags}}}"#);
            let sample = format!(
                r#"{{"result":"success","result_msg":"사용자 인증 완료!!","cst_id":"test","custKey":"abcd1234567890","AuthKey":"{KEY}","PCD_PAY_HOST":"https://testcpay.payple.kr","PCD_PAY_URL":"{url}","return_url":"https://testcpay.payple.kr{url}"}}"#
            );
            let answer = done("https://testcpay.payple.kr", &body);
            same(&answer, &sample, But { ours: &["server_name"], ..But::default() });
        }
    }

    #[test]
    fn a_refusal_has_every_field_that_clients_read() {
        let json = |answer| serde_json::to_string(&answer).unwrap();
        assert_eq!(
            json(Response::error(ORIGIN, &Code::AUTH0004.into())),
            r#"{"server_name":"democpay.payple.kr","result":"error","result_msg":"[AUTH0004] 접속하시는 서버의 도메인 확인이 필요합니다.","cst_id":"","custKey":"","AuthKey":"","PCD_PAY_HOST":"","PCD_PAY_URL":"","return_url":""}"#
        );
        assert_eq!(
            json(Response::fault(
                "http://127.0.0.1:8080",
                Code::T0429,
                Code::T0429.entry().ko.to_owned()
            )),
            r#"{"server_name":"127.0.0.1:8080","result":"T0429","result_msg":"[T0429] 요청이 너무 많습니다. 잠시 후 다시 시도해주세요.","cst_id":"","custKey":"","AuthKey":"","PCD_PAY_HOST":"","PCD_PAY_URL":"","return_url":"","message":"요청이 너무 많습니다. 잠시 후 다시 시도해주세요."}"#
        );
    }

    #[test]
    fn bad_input() {
        FORM.missing("cst_id", Some(Code::AUTH0001));
        FORM.text("cst_id", Code::AUTH0001);
        FORM.all("cst_id", None, &[&letters(12), "\"a_B-9\""]);
        FORM.all(
            "cst_id",
            Some(Code::AUTH0001),
            &[&letters(13), "\"한글\"", "\"a b\"", "\"ｔest\"", "\" \""],
        );
        FORM.missing("custKey", Some(Code::AUTH0002));
        FORM.text("custKey", Code::AUTH0002);
        FORM.all("custKey", None, &[&letters(255), "\"비밀 키!\""]);
        FORM.all(
            "custKey",
            Some(Code::AUTH0002),
            &[&letters(256), r#""a\u200bb""#, r#""a\nb""#, r#""a\u202eb""#, r#""\u1100""#],
        );
        let nothing = Fields::parse(b"{}").unwrap();
        assert_eq!(parse(&nothing).unwrap_err().code, Code::AUTH0001);
    }
}
