//! Registers a card without a window (wire facts 2.5).

use super::head::Head;
use super::{field, pay_type, session};
use crate::json::Fields;
use ichae_domain::billing::{Method, Owner};
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use ichae_domain::time::Time;
use secrecy::{ExposeSecret, SecretString};

/// Success.
pub const DONE: &str = "CDAU0000";
pub const MESSAGE: &str = "인증(등록)완료";
/// `PCD_PAY_WORK`.
pub const WORK: &str = "AUTHREG";
/// Fewest and most digits of a card's number.
pub const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 13..=16;

/// Registers a card. Its number goes on to the acquirer and is kept nowhere here.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayRegisterRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub session: session::RequestBody,
    /// `card`.
    #[schema(example = "card")]
    pub pcd_pay_type: String,
    /// `AUTHREG`.
    #[schema(example = "AUTHREG")]
    pub pcd_pay_work: String,
    /// Six digits `YYMMDD` of a birth date, or ten of a business number.
    #[schema(example = "800101", pattern = "^([0-9]{6}|[0-9]{10})$")]
    pub pcd_payer_birth: String,
    /// The card's number, without dashes.
    #[schema(example = "1234567890123456", pattern = "^[0-9]{13,16}$")]
    pub pcd_pay_cardnum: String,
    /// The last two digits of the year in which it expires.
    #[schema(example = "23", pattern = "^[0-9]{2}$")]
    pub pcd_pay_cardexyear: String,
    /// Two digits of the month in which it expires.
    #[schema(example = "03", pattern = "^[0-9]{2}$")]
    pub pcd_pay_cardexmonth: String,
    /// The first two digits of its password.
    #[schema(example = "33", pattern = "^[0-9]{2}$")]
    pub pcd_pay_cardpw: String,
    /// The partner's own number of the payer: up to 20 letters and digits.
    #[schema(example = "1234", max_length = 20, pattern = "^[A-Za-z0-9]*$")]
    pub pcd_payer_no: Option<String>,
    /// The holder's name.
    #[schema(example = "홍길동", max_length = 100)]
    pub pcd_payer_name: Option<String>,
    /// The holder's phone number: up to 20 digits and dashes.
    #[schema(example = "01023456789", max_length = 20, pattern = "^[0-9-]*$")]
    pub pcd_payer_hp: Option<String>,
    /// The holder's e-mail address.
    #[schema(example = "help@payple.kr", max_length = 100)]
    pub pcd_payer_email: Option<String>,
}

/// What is in the body beside the session. Nothing of it is printed.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub number: SecretString,
    pub expiry_year: SecretString,
    pub expiry_month: SecretString,
    pub password: SecretString,
    pub birth: SecretString,
    pub payer_no: SecretString,
    pub payer_name: SecretString,
    pub payer_phone: SecretString,
    pub payer_email: SecretString,
    /// Whose card it is: a business number says a business's.
    pub owner: Owner,
}

/// CDAUCK01 to CDAUCK06, then CDAU9998 with the field's name. Of two digits, a whole number has lost a
/// zero that led: that is refused, not mended.
pub fn parse(fields: &Fields, now: Time) -> Result<Parsed, Refusal> {
    let said = |name| fields.text(name).ok().flatten();
    if said("PCD_PAY_TYPE") != Some(pay_type(Method::Card)) {
        return Err(Code::CDAUCK01.into());
    }
    if said("PCD_PAY_WORK") != Some(WORK) {
        return Err(Code::CDAUCK02.into());
    }
    let business = formed(fields, "PCD_PAYER_BIRTH", text::is_business_number);
    let (birth, owner) = match business {
        Some(number) => (number, Owner::Business),
        None => {
            let birth = formed(fields, "PCD_PAYER_BIRTH", text::is_birth_date);
            (birth.ok_or(Code::CDAUCK03)?, Owner::Person)
        }
    };
    let number = formed(fields, "PCD_PAY_CARDNUM", |text| {
        NUMBER_DIGITS.contains(&text.len()) && is_digits(text)
    });
    let number = number.ok_or(Code::CDAUCK04)?;
    let expiry_year = formed(fields, "PCD_PAY_CARDEXYEAR", is_two_digits).ok_or(Code::CDAUCK05)?;
    let expiry_month = formed(fields, "PCD_PAY_CARDEXMONTH", is_two_digits);
    let expiry_month = expiry_month.ok_or(Code::CDAUCK05)?;
    if !is_good(expiry_year.expose_secret(), expiry_month.expose_secret(), now) {
        return Err(Code::CDAUCK05.into());
    }
    let password = formed(fields, "PCD_PAY_CARDPW", is_two_digits).ok_or(Code::CDAUCK06)?;
    let wrong = Code::CDAU9998;
    Ok(Parsed {
        number,
        expiry_year,
        expiry_month,
        password,
        birth,
        payer_no: field::payer_no(fields, wrong)?,
        payer_name: field::sealed(fields, "PCD_PAYER_NAME", field::NAME_MAX, wrong)?,
        payer_phone: field::phone(fields, wrong)?,
        payer_email: field::sealed(fields, "PCD_PAYER_EMAIL", field::EMAIL_MAX, wrong)?,
        owner,
    })
}

fn formed(fields: &Fields, name: &str, form: impl Fn(&str) -> bool) -> Option<SecretString> {
    let text = fields.number(name).ok().flatten().filter(|text| form(text))?;
    Some(text.into_owned().into())
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_two_digits(text: &str) -> bool {
    text.len() == 2 && is_digits(text)
}

/// A card is good through the month that stands on it.
fn is_good(year: &str, month: &str, now: Time) -> bool {
    let number = |text: &str| text.parse::<i32>().ok();
    let (Some(year), Some(month)) = (number(year), number(month)) else { return false };
    (1..=12).contains(&month) && (2000 + year) * 100 + month >= now.day().0 / 100
}

/// `010-****-6789`: three digits and the last four stay open. A number too short for that shows none.
pub fn mask_phone(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 8 {
        return "*".repeat(digits.len());
    }
    let text = |digits: &[char]| digits.iter().collect::<String>();
    format!("{}-****-{}", text(&digits[..3]), text(&digits[digits.len() - 4..]))
}

/// `1111********4444` of `1111-****-****-4444`: how payments and registrations show a card's number.
pub fn starred(number_masked: &str) -> String {
    number_masked.replace('-', "")
}

/// A card that was registered.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayRegisterResponse)]
pub struct Response {
    /// `success`, `CDAU0000` and `인증(등록)완료`.
    #[serde(flatten)]
    pub head: Head,
    /// The partner id.
    #[schema(example = "test")]
    pub pcd_cst_id: String,
    /// `card`.
    #[schema(example = "card")]
    pub pcd_pay_type: &'static str,
    /// `AUTHREG`.
    #[schema(example = "AUTHREG")]
    pub pcd_pay_work: &'static str,
    /// The new key: payments name it.
    #[schema(example = "d0toSS9sT084bVJSNThScnFXQm9Gdz09")]
    pub pcd_payer_id: String,
    /// The request's, or `""`.
    #[schema(example = "1234")]
    pub pcd_payer_no: String,
    /// The request's, or `""`.
    #[schema(example = "홍길동")]
    pub pcd_payer_name: String,
    /// The request's, or `""`.
    #[schema(example = "01023456789")]
    pub pcd_payer_hp: String,
    /// The request's, or `""`.
    #[schema(example = "help@payple.kr")]
    pub pcd_payer_email: String,
    /// The card company's name.
    #[schema(example = "BC 카드")]
    pub pcd_pay_cardname: String,
    /// The card's number with its middle starred.
    #[schema(example = "1111********4444")]
    pub pcd_pay_cardnum: String,
}

impl Response {
    /// `number_masked`: as the acquirer gave it, `1111-****-****-4444`.
    pub fn of(
        cst_id: &str,
        payer_id: &str,
        parsed: &Parsed,
        org_name: &str,
        number_masked: &str,
    ) -> Response {
        let said = |text: &SecretString| text.expose_secret().to_owned();
        Response {
            head: Head::done(DONE, MESSAGE),
            pcd_cst_id: cst_id.to_owned(),
            pcd_pay_type: pay_type(Method::Card),
            pcd_pay_work: WORK,
            pcd_payer_id: payer_id.to_owned(),
            pcd_payer_no: said(&parsed.payer_no),
            pcd_payer_name: said(&parsed.payer_name),
            pcd_payer_hp: said(&parsed.payer_phone),
            pcd_payer_email: said(&parsed.payer_email),
            pcd_pay_cardname: org_name.to_owned(),
            pcd_pay_cardnum: starred(number_masked),
        }
    }
}
