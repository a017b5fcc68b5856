//! Looks a billing key up, or deregisters it (wire facts 2.3 and 2.4).

use super::head::Head;
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
