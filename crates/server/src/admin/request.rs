//! The admin socket's words: one JSON line asks, JSON lines answer.

use ichae_domain::refusal::{Detail, Refusal};
use ichae_store::port::StoreError;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    PartnerAdd(PartnerAdd),
    PartnerList,
    PartnerShow { cst_id: String },
    PartnerRotateKey { cst_id: String, webhook_secret: bool },
    PartnerSuspend { cst_id: String, suspended: bool },
    PartnerFund { cst_id: String, amount: String, reference: String, take_back: bool },
    PartnerSet(PartnerSet),
    GroupList { cst_id: String },
    GroupShow { cst_id: String, group_key: String },
    GroupCancel { cst_id: String, group_key: String },
    WebhookList { cst_id: Option<String>, state: Option<String>, after: i64, limit: usize },
    WebhookShow { no: i64 },
    WebhookResend { no: i64 },
    BankStatus,
    BankPause { reason: String },
    BankResume,
    KeyRotate,
    EventList { cst_id: Option<String>, limit: usize },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PartnerAdd {
    pub cst_id: String,
    pub name: String,
    pub webhook_url: Option<String>,
    pub sources: Vec<String>,
    pub transfer_cap: Option<String>,
    /// Only the sandbox names one; else it is made and shown once.
    #[serde(skip)]
    pub cust_key: Option<SecretString>,
}

/// What is absent stays; an empty text takes a setting away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PartnerSet {
    pub cst_id: String,
    pub name: Option<String>,
    pub webhook_url: Option<String>,
    pub sources: Option<Vec<String>>,
    pub transfer_cap: Option<String>,
}

/// One line of an answer: any number of `Progress`, then one of the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Progress(String),
    Done(serde_json::Value),
    Failed(AdminError),
}

/// Why it was not done. Texts in both languages and what to do, from the code table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminError {
    pub code: Option<String>,
    pub message: String,
    pub message_ko: Option<String>,
    pub hint: Option<String>,
}

impl AdminError {
    pub fn plain(message: impl Into<String>) -> AdminError {
        AdminError { code: None, message: message.into(), message_ko: None, hint: None }
    }
}

impl From<Refusal> for AdminError {
    fn from(refusal: Refusal) -> AdminError {
        let entry = refusal.code.entry();
        let named = match refusal.detail {
            Detail::Field(name) => format!(" ({name})"),
            Detail::None | Detail::Bank(_) | Detail::First(..) => String::new(),
        };
        AdminError {
            code: Some(entry.name.to_owned()),
            message: format!("{}{named}", entry.en),
            message_ko: Some(format!("{}{named}", entry.ko)),
            hint: Some(entry.action.to_owned()),
        }
    }
}

impl From<ichae_domain::code::Code> for AdminError {
    fn from(code: ichae_domain::code::Code) -> AdminError {
        Refusal::from(code).into()
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> AdminError {
        AdminError::plain(error.to_string())
    }
}
