//! `/inquiry/real_name`: verifies an account once and gives a billing key (decision H12).

use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::key::InfoKind;
use ichae_domain::refusal::Refusal;
use ichae_domain::{banks, text};
use secrecy::SecretString;

/// Where it is served, by POST.
pub const PATH: &str = "/inquiry/real_name";

/// Asks for an account to be verified.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = RealNameRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// The partner's id of its sub-customer: up to 64 of letters, digits, `.`, `_` and `-`.
    #[schema(example = "test12385610", max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub sub_id: Option<String>,
    /// The bank's standard code, three digits.
    #[schema(example = "020", min_length = 3, max_length = 3)]
    pub bank_code_std: String,
    /// The account number: 1 to 16 digits, no dashes. A string only: it may begin with a zero.
    #[schema(example = "1234567890123456", min_length = 1, max_length = 16, pattern = "^[0-9]+$")]
    pub account_num: String,
    /// `0`: a birth date follows; `6`: a business number. A JSON integer is accepted too.
    #[schema(example = "0", min_length = 1, max_length = 1, pattern = "^[06]$")]
    pub account_holder_info_type: String,
    /// Birth date `YYMMDD`, or a business number of ten digits. A string only.
    #[schema(example = "880212", min_length = 6, max_length = 10, pattern = "^[0-9]+$")]
    pub account_holder_info: String,
}

/// What is in the body beside the credentials.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub sub_id: Option<String>,
    /// Three digits, one of [`banks::BANKS`].
    pub bank: String,
    pub account_num: SecretString,
    pub info_kind: InfoKind,
    pub info: SecretString,
}

/// R0130, N0101, N0102, N0110, N0112, then N0120 for a birth date or N0130 for a business number.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let sub_id = field::optional(fields, "sub_id", Code::R0130, text::is_sub_id)?;
    let bank = field::required(fields, "bank_code_std", Code::N0101)?;
    banks::name(bank).ok_or(Code::N0101)?;
    let account_num = field::required(fields, "account_num", Code::N0102)?;
    if !text::is_account_num(account_num) {
        return Err(Code::N0102.into());
    }
    let (info_kind, info) = holder(fields)?;
    Ok(Parsed {
        sub_id,
        bank: bank.to_owned(),
        account_num: account_num.into(),
        info_kind,
        info: info.into(),
    })
}

fn holder(fields: &Fields) -> Result<(InfoKind, &str), Refusal> {
    let kind = field::number(fields, "account_holder_info_type", Code::N0110)?;
    let (kind, wrong, form): (_, _, fn(&str) -> bool) = match kind.as_deref() {
        Some("0") => (InfoKind::BirthDate, Code::N0120, text::is_birth_date),
        Some("6") => (InfoKind::BusinessNumber, Code::N0130, text::is_business_number),
        _ => return Err(Code::N0110.into()),
    };
    let info = field::text(fields, "account_holder_info", wrong)?.ok_or(Code::N0112)?;
    if !form(info) {
        return Err(wrong.into());
    }
    Ok((kind, info))
}

/// A verified account and its billing key. What the call did not send comes back as `""`.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = RealNameResponse)]
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
    /// The request's `sub_id`.
    #[schema(example = "test12385610")]
    pub sub_id: String,
    /// The billing key: to be kept, and sent with every payout to this account.
    #[schema(example = "6fen3g2m-j9hb-...", max_length = 40)]
    pub billing_tran_id: String,
    /// When it was answered, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211022152040289")]
    pub api_tran_dtm: String,
    /// The bank transaction number of the account check.
    #[schema(example = "M202112389U142315646", max_length = 20)]
    pub bank_tran_id: String,
    /// The bank's date of it, `yyyyMMdd`.
    #[schema(example = "20211022")]
    pub bank_tran_date: String,
    /// The bank's answer, `000`.
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
    /// The holder's name as the bank has it. It is answered, not compared: compare it yourself.
    #[schema(example = "홍길동")]
    pub account_holder_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, NO_NUMBERS, letters, with};
    use crate::hub::{MESSAGE, RESULT};
    use secrecy::ExposeSecret;

    const SAMPLE: &str = r#"{"cst_id":"test","custKey":"abcd1234567890","sub_id":"test12385610","bank_code_std":"020","account_num":"1234567890123456","account_holder_info_type":"0","account_holder_info":"880212"}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };
    const BUSINESS: Form<Parsed> = Form {
        sample: r#"{"bank_code_std":"020","account_num":"1","account_holder_info_type":6,"account_holder_info":"1234567890"}"#,
        parse,
    };

    #[test]
    fn the_official_values() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        assert_eq!(read.sub_id.as_deref(), Some("test12385610"));
        assert_eq!((read.bank.as_str(), read.info_kind), ("020", InfoKind::BirthDate));
        assert_eq!(read.account_num.expose_secret(), "1234567890123456");
        assert_eq!(read.info.expose_secret(), "880212");
        let printed = format!("{read:?}");
        assert!(!printed.contains("1234567890123456") && !printed.contains("880212"));
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(documented.account_holder_info, "880212");
        assert!(parse(&with(BUSINESS.sample, "sub_id", None)).is_ok_and(|p| p.sub_id.is_none()));
    }

    #[test]
    fn the_answer_has_the_documented_fields_in_order() {
        let text = String::new;
        let answer = Response {
            result: RESULT,
            message: MESSAGE,
            cst_id: text(),
            sub_id: text(),
            billing_tran_id: text(),
            api_tran_dtm: text(),
            bank_tran_id: text(),
            bank_tran_date: text(),
            bank_rsp_code: text(),
            bank_code_std: text(),
            bank_code_sub: text(),
            bank_name: text(),
            account_num: text(),
            account_holder_name: text(),
        };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"result":"A0000","message":"처리 성공","cst_id":"","sub_id":"","billing_tran_id":"","api_tran_dtm":"","bank_tran_id":"","bank_tran_date":"","bank_rsp_code":"","bank_code_std":"","bank_code_sub":"","bank_name":"","account_num":"","account_holder_name":""}"#
        );
    }

    #[test]
    fn bad_input() {
        FORM.missing("sub_id", None);
        FORM.text("sub_id", Code::R0130);
        FORM.all("sub_id", None, &[&letters(64), "\"groble_sub-1.2\""]);
        FORM.all("sub_id", Some(Code::R0130), &[&letters(65), "\"한글\"", "\"a b\""]);
        FORM.missing("bank_code_std", Some(Code::N0101));
        FORM.text("bank_code_std", Code::N0101);
        FORM.all(
            "bank_code_std",
            Some(Code::N0101),
            &["20", "\"20\"", "\"0200\"", "\"999\"", "\"０２０\""],
        );
        FORM.missing("account_num", Some(Code::N0102));
        FORM.text("account_num", Code::N0102);
        FORM.all("account_num", None, &["\"1\"", "\"0000000000000000\""]);
        FORM.all(
            "account_num",
            Some(Code::N0102),
            &["\"12345678901234567\"", "\"123-456\"", "\"１２３\""],
        );
        FORM.missing("account_holder_info_type", Some(Code::N0110));
        FORM.all("account_holder_info_type", Some(Code::N0110), NO_NUMBERS);
        FORM.all(
            "account_holder_info_type",
            Some(Code::N0110),
            &["1", "\"1\"", "\"00\"", "\"０\""],
        );
        FORM.all("account_holder_info_type", None, &["0", "\"0\""]);
        FORM.missing("account_holder_info", Some(Code::N0112));
        FORM.text("account_holder_info", Code::N0120);
        FORM.all(
            "account_holder_info",
            Some(Code::N0120),
            &["880212", "\"880230\"", "\"19880212\""],
        );
        FORM.all("account_holder_info", Some(Code::N0120), &["\"1234567890\"", "\"８８0212\""]);
        BUSINESS.missing("account_holder_info", Some(Code::N0112));
        BUSINESS.text("account_holder_info", Code::N0130);
        BUSINESS.all("account_holder_info", Some(Code::N0130), &["\"880212\"", "\"12345678901\""]);
        BUSINESS.all("account_holder_info", Some(Code::N0130), &["\"123-45-678\"", "1234567890"]);
    }

    #[test]
    fn faults_are_found_in_the_order_of_the_fields() {
        let order = [
            (r#"{"sub_id":"!"}"#, Code::R0130),
            (r#"{}"#, Code::N0101),
            (r#"{"bank_code_std":"020"}"#, Code::N0102),
            (r#"{"bank_code_std":"020","account_num":"1"}"#, Code::N0110),
        ];
        for (body, code) in order {
            let fields = Fields::parse(body.as_bytes()).unwrap();
            assert_eq!(parse(&fields).unwrap_err().code, code, "{body}");
        }
    }
}
