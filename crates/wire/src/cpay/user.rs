//! Looks a billing key up, or deregisters it (wire facts 2.3 and 2.4).

use super::head::Head;
use super::register;
use super::schema::either;
use super::{field, pay_type, session};
use crate::json::Fields;
use ichae_domain::billing::{Instrument, Method, Owner, Payer};
use ichae_domain::code::Code;
use secrecy::ExposeSecret;

/// Success of a look-up: bare, unlike every other code.
pub const FOUND: &str = "0000";
/// Success of a deregistration (decision C6).
pub const DELETED: &str = "PUSER0000";
/// `PCD_PAY_WORK` of a deregistration.
pub const WORK: &str = "PUSERDEL";

/// A billing key of the partner's.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayUserRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub session: session::RequestBody,
    /// The billing key.
    #[schema(example = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09", max_length = 255)]
    pub pcd_payer_id: String,
    /// The partner's own number of the payer. A deregistration's answer repeats it.
    #[schema(example = "1234", max_length = 20, pattern = "^[A-Za-z0-9]*$")]
    pub pcd_payer_no: Option<String>,
}

either!(Request as "CpayKeyRequest": "A key to look up or deregister, or a card to register.", RequestBody, register::RequestBody);
either!(Answer as "CpayKey": "What a key is, that it is gone, or a new one.", Info, Deleted, register::Response);

/// What is in the body beside the session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// As it came, or nothing; whether it is a key is not known yet.
    pub payer_id: String,
    /// Nothing where it was not sent, or is not of its form.
    pub payer_no: String,
}

/// Refuses nothing: what is no key is answered as an unknown one (decision C4).
pub fn parse(fields: &Fields) -> Parsed {
    let payer_id = fields.text("PCD_PAYER_ID").ok().flatten().unwrap_or_default().to_owned();
    let payer_no = field::payer_no(fields, Code::PUIF0001);
    let payer_no = payer_no.map(|no| no.expose_secret().to_owned()).unwrap_or_default();
    Parsed { payer_id, payer_no }
}

/// `PCD_PAY_BANKACCTYPE`.
fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Person => "개인",
        Owner::Business => "법인",
    }
}

/// What stands behind a key. The last fields are a card's, or an account's.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayUserResponse)]
pub struct Info {
    /// `success`, `0000` and `회원조회 성공`.
    #[serde(flatten)]
    pub head: Head,
    /// `card`, or `transfer` for an account.
    #[schema(example = "card")]
    pub pcd_pay_type: &'static str,
    /// `개인` for a person, `법인` for a business.
    #[schema(example = "개인")]
    pub pcd_pay_bankacctype: &'static str,
    /// The key that was asked for.
    #[schema(example = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09")]
    pub pcd_payer_id: String,
    /// The holder's name.
    #[schema(example = "홍길동")]
    pub pcd_payer_name: String,
    /// The phone number with its middle starred; `""` where none was given.
    #[schema(example = "010-****-5678")]
    pub pcd_payer_hp: String,
    /// Of a card: its company's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0200")]
    pub pcd_pay_card: Option<String>,
    /// Of a card: its company's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "BC카드")]
    pub pcd_pay_cardname: Option<String>,
    /// Of a card: its number with its middle starred.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1111-****-****-2222")]
    pub pcd_pay_cardnum: Option<String>,
    /// Of a card: `Y`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Y")]
    pub pcd_pay_istax: Option<&'static str>,
    /// Of an account: its bank's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "081")]
    pub pcd_pay_bank: Option<String>,
    /// Of an account: its bank's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "KEB하나은행")]
    pub pcd_pay_bankname: Option<String>,
    /// Of an account: its number with its middle starred.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "123-********-021")]
    pub pcd_pay_banknum: Option<String>,
}

impl Info {
    /// `payer_id`: the key as it was asked for (decision C5).
    pub fn of(payer: &Payer, instrument: &Instrument, payer_id: &str) -> Info {
        let card = payer.method == Method::Card;
        let of_card = |text: &str| card.then(|| text.to_owned());
        let of_account = |text: &str| (!card).then(|| text.to_owned());
        let number = instrument.number_masked.expose_secret();
        Info {
            head: Head::done(FOUND, "회원조회 성공"),
            pcd_pay_type: pay_type(payer.method),
            pcd_pay_bankacctype: owner(payer.owner),
            pcd_payer_id: payer_id.to_owned(),
            pcd_payer_name: instrument.holder.expose_secret().to_owned(),
            pcd_payer_hp: instrument.phone_masked.expose_secret().to_owned(),
            pcd_pay_card: of_card(&payer.org),
            pcd_pay_cardname: of_card(&payer.org_name),
            pcd_pay_cardnum: of_card(number),
            pcd_pay_istax: card.then_some("Y"),
            pcd_pay_bank: of_account(&payer.org),
            pcd_pay_bankname: of_account(&payer.org_name),
            pcd_pay_banknum: of_account(number),
        }
    }
}

/// A key that was deregistered just now.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayUserDeleted)]
pub struct Deleted {
    /// `success`, `PUSER0000`, and `카드해지완료` or `계좌해지완료`.
    #[serde(flatten)]
    pub head: Head,
    /// `card`, or `transfer` for an account.
    #[schema(example = "card")]
    pub pcd_pay_type: &'static str,
    /// `PUSERDEL`.
    #[schema(example = "PUSERDEL")]
    pub pcd_pay_work: &'static str,
    /// The key that is gone.
    #[schema(example = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09")]
    pub pcd_payer_id: String,
    /// The request's, or `""`.
    #[schema(example = "1234")]
    pub pcd_payer_no: String,
}

impl Deleted {
    pub fn of(method: Method, payer_id: &str, payer_no: &str) -> Deleted {
        let message = match method {
            Method::Card => "카드해지완료",
            Method::Account => "계좌해지완료",
        };
        Deleted {
            head: Head::done(DELETED, message),
            pcd_pay_type: pay_type(method),
            pcd_pay_work: WORK,
            pcd_payer_id: payer_id.to_owned(),
            pcd_payer_no: payer_no.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{But, same};
    use super::super::sample::{PAYER_ID, Sample};
    use super::*;
    use crate::hub::bad_input::{HIDDEN, MISSING, NO_NUMBERS, with};

    const SAMPLE: &str = r#"{"PCD_CST_ID":"test","PCD_CUST_KEY":"abcd1234567890","PCD_AUTH_KEY":"a688ccb3555c25cd722483f03e23065c3d0251701ad6da895eb2d830bc06e34d","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NO":"2324"}"#;

    fn read(name: &str, value: Option<&str>) -> Parsed {
        parse(&with(SAMPLE, name, value))
    }

    #[test]
    fn the_official_request() {
        let parsed = read("x", None);
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(parsed.payer_id, documented.pcd_payer_id);
        assert_eq!(Some(parsed.payer_no), documented.pcd_payer_no);
        assert_eq!(read("PCD_PAYER_NO", Some("2324")).payer_no, "2324");
    }

    #[test]
    fn what_is_of_no_form_is_nothing() {
        for value in MISSING {
            assert_eq!(read("PCD_PAYER_ID", *value).payer_id, "");
            assert_eq!(read("PCD_PAYER_NO", *value).payer_no, "");
        }
        for value in NO_NUMBERS.iter().chain(&["0", "1000"]) {
            assert_eq!(read("PCD_PAYER_ID", Some(value)).payer_id, "", "{value}");
        }
        for value in NO_NUMBERS.iter().chain(HIDDEN).chain(&["\"12 34\"", "\"１２\"", "\"가\""])
        {
            assert_eq!(read("PCD_PAYER_NO", Some(value)).payer_no, "", "{value}");
        }
        let long = format!("\"{}\"", "1".repeat(21));
        assert_eq!(read("PCD_PAYER_NO", Some(&long)).payer_no, "");
    }

    #[test]
    fn a_card_as_the_official_sample_has_it() {
        let mut sample = Sample::card();
        sample.payer.org_name = "BC카드".into();
        sample.instrument.number_masked = "1111-****-****-2222".into();
        same(
            &Info::of(&sample.payer, &sample.instrument, PAYER_ID),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"0000","PCD_PAY_MSG":"회원조회 성공","PCD_PAY_TYPE":"card","PCD_PAY_BANKACCTYPE":"개인","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"010-****-5678","PCD_PAY_CARD":"0200","PCD_PAY_CARDNAME":"BC카드","PCD_PAY_CARDNUM":"1111-****-****-2222","PCD_PAY_ISTAX":"Y"}"#,
            But::default(),
        );
    }

    #[test]
    fn an_account_as_the_official_sample_has_it() {
        let mut sample = Sample::account();
        sample.payer.org = "081".into();
        sample.payer.org_name = "KEB하나은행".into();
        sample.instrument.number_masked = "123-********-021".into();
        same(
            &Info::of(&sample.payer, &sample.instrument, PAYER_ID),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"0000","PCD_PAY_MSG":"회원조회 성공","PCD_PAY_TYPE":"transfer","PCD_PAY_BANKACCTYPE":"개인","PCD_PAYER_ID" : "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"010-****-5678","PCD_PAY_BANK":"081","PCD_PAY_BANKNAME":"KEB하나은행","PCD_PAY_BANKNUM":"123-********-021"}"#,
            But::default(),
        );
        sample.payer.owner = Owner::Business;
        let info = Info::of(&sample.payer, &sample.instrument, PAYER_ID);
        assert_eq!(info.pcd_pay_bankacctype, "법인");
    }

    #[test]
    fn the_older_samples_of_a_look_up_differ_in_what_is_known() {
        let mut sample = Sample::card();
        sample.payer.org_name = "BC카드".into();
        sample.instrument.number_masked = "1111-****-****-1111".into();
        sample.instrument.phone_masked = "010-****-3333".into();
        same(
            &Info::of(&sample.payer, &sample.instrument, PAYER_ID),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"0000","PCD_PAY_MSG":"회원조회 성공","PCD_PAY_TYPE":"card","PCD_PAY_BANKACCTYPE":"개인 | 법인","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"010-****-3333","PCD_PAY_CARD":"0200","PCD_PAY_CARDNAME":"BC카드","PCD_PAY_CARDNUM":"1111-****-****-1111"}"#,
            But { ours: &["PCD_PAY_ISTAX"], values: &["PCD_PAY_BANKACCTYPE"] },
        );
        let mut sample = Sample::account();
        sample.payer.org = "081".into();
        sample.payer.org_name = "KEB하나은행".into();
        sample.instrument.number_masked = "123-********-021".into();
        sample.instrument.phone_masked = "010-****-3333".into();
        same(
            &Info::of(&sample.payer, &sample.instrument, PAYER_ID),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"0000","PCD_PAY_MSG":"계좌조회 성공","PCD_PAY_TYPE":"transfer","PCD_PAY_BANKACCTYPE":"개인","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NAME":"홍길동","PCD_PAYER_HP":"010-****-3333","PCD_PAY_BANK":"081","PCD_PAY_BANKNAME":"KEB하나은행","PCD_PAY_BANKNUM":"123-********-021"}"#,
            But { values: &["PCD_PAY_MSG"], ..But::default() },
        );
    }

    #[test]
    fn a_deregistration_as_the_official_samples_have_it() {
        same(
            &Deleted::of(Method::Card, "d0to...", "1234"),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_CODE":"PUSER0000","PCD_PAY_MSG":"카드해지완료","PCD_PAY_TYPE":"card","PCD_PAY_WORK":"PUSERDEL","PCD_PAYER_ID":"d0to...","PCD_PAYER_NO":"1234"}"#,
            But::default(),
        );
        same(
            &Deleted::of(Method::Card, PAYER_ID, "2324"),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"해지완료","PCD_PAY_TYPE":"card","PCD_PAY_WORK":"PUSERDEL","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NO":2324}"#,
            But { ours: &["PCD_PAY_CODE"], values: &["PCD_PAY_MSG"] },
        );
        same(
            &Deleted::of(Method::Account, PAYER_ID, "2324"),
            r#"{"PCD_PAY_RST":"success","PCD_PAY_MSG":"계좌해지완료","PCD_PAY_TYPE":"transfer","PCD_PAY_WORK":"PUSERDEL","PCD_PAYER_ID":"NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09","PCD_PAYER_NO":"2324"}"#,
            But { ours: &["PCD_PAY_CODE"], ..But::default() },
        );
    }
}
