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

#[cfg(test)]
mod tests {
    use super::super::golden::{But, same};
    use super::*;
    use crate::hub::bad_input::{Form, HIDDEN, NO_NUMBERS, letters, with};

    const SAMPLE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAY_WORK":"AUTHREG","PCD_PAY_TYPE":"card","PCD_PAYER_NO":"1234","PCD_PAYER_NAME":"홍길동","PCD_PAYER_BIRTH":"800101","PCD_PAYER_HP":"01023456789","PCD_PAYER_EMAIL":"help@payple.kr","PCD_PAY_CARDNUM":"1234567890123456","PCD_PAY_CARDEXYEAR":"23","PCD_PAY_CARDEXMONTH":"03","PCD_PAY_CARDPW":"33"}"#;
    /// The last moment of March 2023 in Seoul.
    const NOW: Time = Time(1_680_274_799_999);
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse: |fields| parse(fields, NOW) };

    fn read(name: &str, value: Option<&str>) -> Parsed {
        parse(&with(SAMPLE, name, value), NOW).unwrap()
    }

    #[test]
    fn the_official_sample() {
        let parsed = read("x", None);
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        let pairs = [
            (&parsed.number, documented.pcd_pay_cardnum),
            (&parsed.expiry_year, documented.pcd_pay_cardexyear),
            (&parsed.expiry_month, documented.pcd_pay_cardexmonth),
            (&parsed.password, documented.pcd_pay_cardpw),
            (&parsed.birth, documented.pcd_payer_birth),
            (&parsed.payer_no, documented.pcd_payer_no.unwrap()),
            (&parsed.payer_name, documented.pcd_payer_name.unwrap()),
            (&parsed.payer_phone, documented.pcd_payer_hp.unwrap()),
            (&parsed.payer_email, documented.pcd_payer_email.unwrap()),
        ];
        for (read, sent) in pairs {
            assert_eq!(read.expose_secret(), sent);
        }
        assert_eq!(parsed.owner, Owner::Person);
        let id = "d0toSS9sT084bVJSNThScnFXQm9Gdz09";
        same(
            &Response::of("test", id, &parsed, "BC 카드", "1111-****-****-4444"),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"CDAU0000","PCD_PAY_MSG":"인증(등록)완료","PCD_CST_ID":"test","PCD_PAY_TYPE":"card","PCD_PAY_WORK":"AUTHREG","PCD_PAYER_ID":"d0toSS9sT084bVJSNThScnFXQm9Gdz09","PCD_PAYER_NO":1234,"PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"01023456789","PCD_PAYER_EMAIL":"help@payple.kr","PCD_PAY_CARDNAME":"BC 카드","PCD_PAY_CARDNUM":"1111********4444"}"#,
            But::default(),
        );
    }

    #[test]
    fn nothing_of_a_card_or_its_holder_is_printed() {
        let printed = format!("{:?}", read("x", None));
        for secret in ["1234", "800101", "33", "\"23\"", "\"03\"", "홍길동", "010", "help"] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }

    #[test]
    fn bad_input_of_the_card() {
        let table: &[(&str, Code, &[&str], &[&str])] = &[
            (
                "PCD_PAY_TYPE",
                Code::CDAUCK01,
                &["\"card\""],
                &["\"transfer\"", "\"CARD\"", "\"ｃard\""],
            ),
            ("PCD_PAY_WORK", Code::CDAUCK02, &["\"AUTHREG\""], &["\"AUTH\"", "\"authreg\""]),
            (
                "PCD_PAYER_BIRTH",
                Code::CDAUCK03,
                &["\"800101\"", "800101", "\"000229\"", "\"1234567890\"", "1234567890"],
                &[
                    "\"801301\"",
                    "\"800230\"",
                    "\"19800101\"",
                    "\"８00101\"",
                    "\"80-101\"",
                    "101",
                    "\"123456789\"",
                    "\"12345678901\"",
                    "\"123-45-6789\"",
                ],
            ),
            (
                "PCD_PAY_CARDNUM",
                Code::CDAUCK04,
                &["\"1234567890123\"", "1234567890123456", "\"0000000000000000\""],
                &[
                    "\"123456789012\"",
                    "\"12345678901234567\"",
                    "12345678901234567",
                    "\"1234-5678-9012-3456\"",
                    "\"1234567890123 \"",
                    "\"１２３４５６７８９０１２３\"",
                    "\"1234567890123e3\"",
                ],
            ),
            (
                "PCD_PAY_CARDEXYEAR",
                Code::CDAUCK05,
                &["\"23\"", "\"99\"", "24"],
                &["\"22\"", "\"2023\"", "2023", "\"3\"", "\"２３\"", "\"-1\"", "\"1e\""],
            ),
            (
                "PCD_PAY_CARDEXMONTH",
                Code::CDAUCK05,
                &["\"03\"", "\"12\"", "12"],
                &["\"02\"", "\"00\"", "\"13\"", "\"3\"", "3", "\"+3\"", "\"０３\"", "\"003\""],
            ),
            (
                "PCD_PAY_CARDPW",
                Code::CDAUCK06,
                &["\"33\"", "\"00\"", "33"],
                &["\"3\"", "\"333\"", "3", "\"３３\"", "\"3a\"", "\" 3\""],
            ),
        ];
        for (name, code, good, bad) in table {
            FORM.missing(name, Some(*code));
            FORM.all(name, None, good);
            FORM.all(name, Some(*code), bad);
            FORM.all(name, Some(*code), NO_NUMBERS);
            FORM.all(name, Some(*code), HIDDEN);
        }
    }

    #[test]
    fn bad_input_of_the_holder() {
        let code = Code::CDAU9998;
        for name in ["PCD_PAYER_NO", "PCD_PAYER_NAME", "PCD_PAYER_HP", "PCD_PAYER_EMAIL"] {
            FORM.missing(name, None);
            FORM.named(name, code, NO_NUMBERS);
            FORM.named(name, code, HIDDEN);
        }
        let digits = |count| format!("\"{}\"", "1".repeat(count));
        for name in ["PCD_PAYER_NO", "PCD_PAYER_HP"] {
            FORM.all(name, None, &[&digits(20), "1234"]);
            FORM.named(name, code, &[&digits(21), "\"１\"", "\"가\"", "\"1 2\"", "\"+82\""]);
        }
        FORM.all("PCD_PAYER_HP", None, &["\"010-2345-6789\""]);
        for name in ["PCD_PAYER_NAME", "PCD_PAYER_EMAIL"] {
            FORM.all(name, None, &[&letters(100), "\"홍 길동 (주)\"", "\"ＡＢ\""]);
            FORM.named(name, code, &[&letters(101), "1"]);
        }
        let decomposed = read("PCD_PAYER_NAME", Some(r#""\u1112\u1169\u11bc""#));
        assert_eq!(decomposed.payer_name.expose_secret(), "홍");
    }

    #[test]
    fn a_business_number_says_whose_card_it_is() {
        assert_eq!(read("PCD_PAYER_BIRTH", Some("\"1234567890\"")).owner, Owner::Business);
    }

    #[test]
    fn a_card_is_good_through_its_month_in_seoul() {
        let fields = with(SAMPLE, "x", None);
        assert!(parse(&fields, NOW).is_ok());
        assert_eq!(parse(&fields, NOW.plus_ms(1)).unwrap_err(), Code::CDAUCK05.into());
    }

    #[test]
    fn faults_are_found_in_the_order_of_the_codes() {
        let names = [
            "PCD_PAY_TYPE",
            "PCD_PAY_WORK",
            "PCD_PAYER_BIRTH",
            "PCD_PAY_CARDNUM",
            "PCD_PAY_CARDEXYEAR",
            "PCD_PAY_CARDPW",
        ];
        let codes = [
            Code::CDAUCK01,
            Code::CDAUCK02,
            Code::CDAUCK03,
            Code::CDAUCK04,
            Code::CDAUCK05,
            Code::CDAUCK06,
        ];
        let mut body: serde_json::Value = serde_json::from_str(SAMPLE).unwrap();
        body["PCD_PAYER_HP"] = "x".into();
        let refusal = |body: &serde_json::Value| {
            parse(&Fields::parse(body.to_string().as_bytes()).unwrap(), NOW).unwrap_err()
        };
        assert_eq!(refusal(&body), Refusal::field(Code::CDAU9998, "PCD_PAYER_HP"));
        for (name, code) in names.into_iter().zip(codes).rev() {
            body[name] = "x".into();
            assert_eq!(refusal(&body), code.into(), "{name}");
        }
    }

    #[test]
    fn a_phone_shows_its_ends() {
        for (phone, masked) in [
            ("01023456789", "010-****-6789"),
            ("010-2345-6789", "010-****-6789"),
            ("0212345678", "021-****-5678"),
            ("15881234", "158-****-1234"),
            ("1588123", "*******"),
            ("112", "***"),
            ("---", ""),
            ("", ""),
        ] {
            assert_eq!(mask_phone(phone), masked, "{phone}");
        }
    }

    #[test]
    fn a_starred_number_has_no_dashes() {
        assert_eq!(starred("1111-****-****-4444"), "1111********4444");
        assert_eq!(starred(""), "");
    }
}
