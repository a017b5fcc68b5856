//! The admin socket's words: one JSON line asks, JSON lines answer.

use super::billing::BillingRequest;
use ichae_domain::refusal::{Detail, Refusal};
use ichae_store::port::StoreError;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    PartnerAdd(PartnerAdd),
    PartnerList,
    PartnerShow {
        cst_id: String,
    },
    PartnerRotateKey {
        cst_id: String,
        webhook_secret: bool,
        /// Of refunds over the API (wire facts 2.7).
        #[serde(default)]
        refund_key: bool,
    },
    PartnerSuspend {
        cst_id: String,
        suspended: bool,
    },
    PartnerFund {
        cst_id: String,
        amount: String,
        reference: String,
        take_back: bool,
    },
    PartnerSet(PartnerSet),
    GroupList {
        cst_id: String,
    },
    GroupShow {
        cst_id: String,
        group_key: String,
    },
    GroupCancel {
        cst_id: String,
        group_key: String,
    },
    WebhookList {
        cst_id: Option<String>,
        state: Option<String>,
        after: i64,
        limit: usize,
    },
    WebhookShow {
        no: i64,
    },
    WebhookResend {
        no: i64,
    },
    BankStatus,
    BankPause {
        reason: String,
    },
    BankResume,
    KeyRotate,
    BankBalance {
        amount: String,
        source: String,
    },
    /// A statement that was matched, by its digest in base64; with the balance that it closes with.
    StatementNote(StatementNote),
    EventList {
        cst_id: Option<String>,
        limit: usize,
    },
    PartnerHold {
        cst_id: String,
        held: bool,
        reason: String,
    },
    PartnerRecover {
        cst_id: String,
        amount: String,
        evidence: String,
    },
    PartnerWriteOff {
        cst_id: String,
        amount: String,
        evidence: String,
    },
    PayoutUnknown {
        after: i64,
        limit: usize,
    },
    PayoutExplain {
        payout: PayoutName,
    },
    PayoutHold {
        payout: PayoutName,
        held: bool,
        reason: String,
    },
    /// `paid_on`: its business date where it was paid; absent: it never was.
    PayoutResolve {
        payout: PayoutName,
        paid_on: Option<String>,
        evidence: String,
    },
    PayoutCorrect {
        payout: PayoutName,
        paid_on: String,
        evidence: String,
    },
    PayoutReturn {
        payout: PayoutName,
        code: Option<String>,
        evidence: String,
    },
    ProposalList {
        all: bool,
    },
    ProposalApprove {
        no: i64,
    },
    ProposalWithdraw {
        no: i64,
    },
    OperatorAdd {
        name: String,
        public_key: String,
    },
    OperatorList,
    OperatorRevoke {
        name: String,
    },
    Funds,
    Billing(BillingRequest),
    /// What a signature is made over, for this operator.
    Identity {
        name: String,
    },
}

impl Request {
    /// Whether it changes something, so that it must be signed where there are operators.
    pub fn changes(&self) -> bool {
        use Request::*;
        match self {
            PartnerAdd(_)
            | PartnerRotateKey { .. }
            | PartnerSuspend { .. }
            | PartnerFund { .. }
            | PartnerSet(_)
            | GroupCancel { .. }
            | WebhookResend { .. }
            | BankPause { .. }
            | BankResume
            | KeyRotate
            | BankBalance { .. }
            | StatementNote(_)
            | PartnerHold { .. }
            | PayoutHold { .. }
            | OperatorAdd { .. }
            | OperatorRevoke { .. } => true,
            PartnerList
            | PartnerShow { .. }
            | GroupList { .. }
            | GroupShow { .. }
            | WebhookList { .. }
            | WebhookShow { .. }
            | BankStatus
            | EventList { .. }
            | PayoutUnknown { .. }
            | PayoutExplain { .. }
            | ProposalList { .. }
            | OperatorList
            | Funds
            | Identity { .. } => false,
            Billing(billing) => billing.changes(),
            _ => self.needs_operator(),
        }
    }

    /// Whether only a person with a key may give it, even where none has one yet (decision M2).
    pub fn needs_operator(&self) -> bool {
        use Request::*;
        if let Billing(billing) = self {
            return billing.needs_operator();
        }
        matches!(
            self,
            PartnerRecover { .. }
                | PartnerWriteOff { .. }
                | PayoutResolve { .. }
                | PayoutCorrect { .. }
                | PayoutReturn { .. }
                | ProposalApprove { .. }
                | ProposalWithdraw { .. }
        )
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatementNote {
    pub digest: String,
    pub name: String,
    pub rows: i64,
    pub findings: i64,
    pub closing_balance: Option<i64>,
    /// `yyyymmdd`.
    pub last_day: Option<String>,
}

/// A payout as people name it: its `api_tran_id`, its `bank_tran_id` or its number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PayoutName {
    pub id: String,
    pub cst_id: Option<String>,
}

/// What goes over the socket: a request as text, so that what was signed is what is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    pub body: String,
    pub signed: Option<Signature>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signature {
    pub by: String,
    /// Milliseconds since 1970; each counts once.
    pub at: i64,
    /// Ed25519 in base64, over [`signed_text`].
    pub signature: String,
}

/// What an operator signs: this store, who, when, and the request's text.
pub fn signed_text(store_id: &str, by: &str, at: i64, body: &str) -> String {
    format!("ichae operator command 1\n{store_id}\n{by}\n{at}\n{body}")
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
    /// Likewise, the key that refunds carry; without one there is none.
    #[serde(skip)]
    pub refund_key: Option<SecretString>,
}

/// What is absent stays; an empty text takes a setting away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PartnerSet {
    pub cst_id: String,
    pub name: Option<String>,
    pub webhook_url: Option<String>,
    pub sources: Option<Vec<String>>,
    pub transfer_cap: Option<String>,
    /// Domains that a Referer may name in LIVE.
    pub domains: Option<Vec<String>>,
    pub payment_url: Option<String>,
    pub removal_url: Option<String>,
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
            Detail::Institution(reason) => format!(" ({} {})", reason.text(), reason.ko()),
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
