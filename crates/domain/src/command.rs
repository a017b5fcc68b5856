//! Commands: every change is one of these, and nothing else changes a store.

use crate::bank::{Answer, BankCode};
use crate::billing::{Instrument, Method, Month, OrderText, Owner, PayerAlias, Tax, TradeAnswer};
use crate::ident::{
    BankNo, ChargeNo, GroupNo, KeyNo, NoticeNo, PartnerNo, PayerNo, PayoutNo, ProposalNo, TradeNo,
};
use crate::key::{Account, Fingerprint};
use crate::matter::{Act, Matter};
use crate::money::Won;
use crate::operator::PUBLIC_KEY_LENGTH;
use crate::partner::{Settings, Verifier};
use crate::time::{Day, Time};
use crate::view::StatementRead;
use secrecy::SecretString;
use std::sync::Arc;

/// Who asked for it; it stands in the event log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    Partner,
    Engine,
    /// A person, as the admin socket or the shell knows them.
    Operator(String),
}

/// A command and who gave it.
#[derive(Clone, Debug)]
pub struct Order {
    pub actor: Actor,
    pub command: Command,
}

#[derive(Clone, Debug)]
pub enum Command {
    AddPartner(Box<NewPartner>),
    SetPartner {
        partner: PartnerNo,
        settings: Box<Settings>,
    },
    RotateCustKey {
        partner: PartnerNo,
        verifier: Verifier,
    },
    RotateWebhookSecret {
        partner: PartnerNo,
        secret: SecretString,
    },
    /// The key that a partner's refunds carry; `None` takes it away.
    RotateRefundKey {
        partner: PartnerNo,
        verifier: Option<Verifier>,
    },
    Suspend {
        partner: PartnerNo,
        suspended: bool,
    },
    Fund {
        partner: PartnerNo,
        entry: Funding,
        amount: Won,
        reference: String,
    },
    RegisterKey(Box<NewKey>),
    Request(Box<Request>),
    /// Many requests of one partner, in a group of their own.
    Bulk(Box<Bulk>),
    Execute(Box<Execute>),
    Claim {
        payout: PayoutNo,
        partner: PartnerNo,
        group: GroupNo,
        key: KeyNo,
    },
    /// It may have been sent in a time that the store has lost: only the bank can tell.
    Doubt(Box<Doubt>),
    Outcome(Box<Told>),
    Return {
        payout: PayoutNo,
        partner: PartnerNo,
        code: Option<BankCode>,
        notice: i64,
    },
    PauseRail {
        reason: String,
    },
    ResumeRail,
    /// Takes numbers for calls that move no money from the rail's counter.
    TakeCounters {
        count: i64,
    },
    /// Holds a payout or a partner back, or lets it go (decision M3).
    Hold(Box<HoldOrder>),
    AddOperator {
        name: String,
        public_key: [u8; PUBLIC_KEY_LENGTH],
    },
    RevokeOperator {
        name: String,
    },
    /// A signature of that moment was verified: no other of then or before counts any more.
    Sign {
        name: String,
        at: Time,
    },
    /// What a person decides about money; proposed only, where a second one is needed.
    Act(Box<Act>),
    /// The second person's word. The act is the proposal's.
    Approve {
        proposal: ProposalNo,
        act: Box<Act>,
        /// The second person's name.
        by: String,
    },
    Withdraw {
        proposal: ProposalNo,
    },
    /// What the settlement account holds, as the bank says.
    NoteBalance {
        amount: Won,
        at: Time,
        source: String,
    },
    /// A statement that was read, with the balance that it closes with and the moment of that.
    NoteStatement {
        statement: Box<StatementRead>,
        closing: Option<(Won, Time)>,
    },
    Delivered {
        notice: NoticeNo,
        status: i64,
    },
    NotDelivered {
        notice: NoticeNo,
        status: i64,
    },
    Resend {
        notice: NoticeNo,
    },
    AddPayer(Box<NewPayer>),
    RemovePayer {
        partner: PartnerNo,
        payer: PayerNo,
    },
    /// Writes the intent of a payment; the acquirer is called once it is durable.
    Charge(Box<NewCharge>),
    Refund(Box<NewRefund>),
    /// Issues or cancels a cash receipt.
    Receipt(Box<NewReceipt>),
    Traded(Box<TradeTold>),
    /// What the acquirer paid out for these; they were looked up before, and each is checked again.
    SettleCharges {
        partner: PartnerNo,
        through: Day,
        charges: Vec<ChargeNo>,
    },
}

/// A card or account that the acquirer took.
#[derive(Clone, Debug)]
pub struct NewPayer {
    pub partner: PartnerNo,
    pub method: Method,
    pub owner: Owner,
    pub org: String,
    pub org_name: String,
    pub instrument: Instrument,
    /// The id that another service gave it.
    pub alias: Option<PayerAlias>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCharge {
    pub partner: PartnerNo,
    pub method: Method,
    /// `None`: what was sent is no key of this partner's.
    pub payer: Option<PayerNo>,
    pub oid: String,
    pub month: Option<Month>,
    pub amount: Won,
    pub tax: Tax,
    pub order: OrderText,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewRefund {
    pub partner: PartnerNo,
    pub charge: ChargeNo,
    /// `None`: all that is left.
    pub amount: Option<Won>,
    /// `None`: by the payment's own share.
    pub vat: Option<Won>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewReceipt {
    pub partner: PartnerNo,
    pub charge: ChargeNo,
    /// `None`: all that is left of the payment, or what the receipt is of.
    pub amount: Option<Won>,
    pub cancel: bool,
}

/// What the acquirer said of one call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TradeTold {
    pub partner: PartnerNo,
    pub charge: ChargeNo,
    pub trade: TradeNo,
    /// Whether it was asked, and not called.
    pub inquired: bool,
    pub answer: TradeAnswer,
}

#[derive(Clone, Debug)]
pub struct NewPartner {
    pub cst_id: String,
    pub name: String,
    pub verifier: Verifier,
    pub webhook_secret: SecretString,
    pub webhook_url: Option<String>,
    pub sources: Vec<String>,
    pub transfer_cap: Option<Won>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Funding {
    In,
    /// Takes back at most what is available (decision M1).
    Back,
}

/// An account that the bank confirmed.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub partner: PartnerNo,
    pub sub_id: Option<String>,
    pub bank: String,
    pub account: Account,
    /// Under the active blind-index key first, then under each older one (decision I2).
    pub fingerprints: Vec<Fingerprint>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub partner: PartnerNo,
    /// `None`: what was sent is no key of this partner's.
    pub key: Option<KeyNo>,
    pub amount: Won,
    pub sub_id: Option<String>,
    pub distinct_key: String,
    /// Normalised, as sent; `None` takes the partner's name.
    pub print: Option<String>,
}

/// Rows of one bulk call, one command after another until its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bulk {
    pub partner: PartnerNo,
    /// The call's group so far; `None` until a row was accepted.
    pub group: Option<GroupNo>,
    /// Each is decided by itself, as if it had come alone after those before it. All are this
    /// partner's. Shared with the caller, who answers from them: nobody copies them, and the writer
    /// does not free them.
    pub rows: Arc<Vec<Request>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Now,
    Cancel,
}

impl Action {
    /// As the wire has it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Now => "NOW",
            Action::Cancel => "CANCEL",
        }
    }
}

/// What of a group is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    All,
    /// Everything that waits on one key. The rows were looked up before, outside the writer; each
    /// is checked again when the command is decided.
    Rows(Vec<PayoutNo>),
}

#[derive(Clone, Debug)]
pub struct Execute {
    pub partner: PartnerNo,
    pub group: GroupNo,
    pub target: Target,
    pub action: Action,
    pub webhook_url: Option<String>,
}

/// A payout of before a restore, with the number that its first send would have had (decision I1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubt {
    pub payout: PayoutNo,
    pub partner: PartnerNo,
    pub group: GroupNo,
    pub bank_no: Option<BankNo>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldOrder {
    pub partner: PartnerNo,
    /// `None`: everything of the partner's.
    pub payout: Option<PayoutNo>,
    /// The payout's group, which knows its state.
    pub group: Option<GroupNo>,
    pub held: bool,
    pub reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    Deposit,
    Inquiry,
}

/// What the bank told about one attempt.
#[derive(Clone, Debug)]
pub struct Told {
    pub payout: PayoutNo,
    pub partner: PartnerNo,
    pub key: KeyNo,
    pub bank_no: BankNo,
    /// The send that this is about, as [`crate::view::Deposit`] had it.
    pub sends: i64,
    pub asked: Asked,
    pub answer: Answer,
}

/// The rows that a command needs, by name. A store loads exactly these into the view.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reads<'a> {
    pub cst_id: Option<&'a str>,
    pub partner: Option<PartnerNo>,
    /// The group that the partner's ledger names as open.
    pub open_group: bool,
    pub group: Option<GroupNo>,
    pub key: Option<KeyNo>,
    pub fingerprints: &'a [Fingerprint],
    /// The first request under this `distinct_key`, with its group.
    pub distinct_key: Option<&'a str>,
    /// Rows of a bulk call: each one's key and the first request under its `distinct_key`.
    pub bulk: &'a [Request],
    pub payouts: &'a [PayoutNo],
    /// With the attempt of the one payout named.
    pub payout: Option<PayoutNo>,
    pub fund: Option<&'a str>,
    pub notice: Option<NoticeNo>,
    pub rail: bool,
    /// Whether the payout named is held.
    pub hold: bool,
    pub operator: Option<&'a str>,
    /// How many operators may sign.
    pub signers: bool,
    pub proposal: Option<ProposalNo>,
    pub payer: Option<PayerNo>,
    /// Whose id of another service is looked for.
    pub alias: Option<PayerAlias>,
    /// The newest payment of the partner under this order number.
    pub oid: Option<&'a str>,
    /// The newest payment of that key for that month.
    pub monthly: Option<(PayerNo, Month)>,
    /// With the call that its receipt is of. Where only a call is named: the payment that it is for.
    pub charge: Option<ChargeNo>,
    pub charges: &'a [ChargeNo],
    pub trade: Option<TradeNo>,
}

impl Command {
    /// Payouts that it may write: what one commit takes is counted in them.
    pub fn weight(&self) -> usize {
        match self {
            Command::Bulk(bulk) => bulk.rows.len().max(1),
            Command::Execute(execute) => match &execute.target {
                Target::All => 1,
                Target::Rows(rows) => rows.len().max(1),
            },
            Command::SettleCharges { charges, .. } => charges.len().max(1),
            _ => 1,
        }
    }

    /// Names the rows that [`crate::decide::decide`] will look at.
    pub fn reads(&self) -> Reads<'_> {
        let none = Reads::default();
        match self {
            Command::AddPartner(new) => Reads { cst_id: Some(&new.cst_id), ..none },
            Command::SetPartner { partner, .. }
            | Command::RotateCustKey { partner, .. }
            | Command::RotateWebhookSecret { partner, .. }
            | Command::RotateRefundKey { partner, .. }
            | Command::Suspend { partner, .. } => Reads { partner: Some(*partner), ..none },
            Command::Fund { partner, reference, .. } => {
                Reads { partner: Some(*partner), fund: Some(reference), ..none }
            }
            Command::RegisterKey(new) => {
                Reads { partner: Some(new.partner), fingerprints: &new.fingerprints, ..none }
            }
            Command::Request(request) => Reads {
                partner: Some(request.partner),
                open_group: true,
                key: request.key,
                distinct_key: Some(&request.distinct_key),
                ..none
            },
            Command::Bulk(bulk) => {
                Reads { partner: Some(bulk.partner), group: bulk.group, bulk: &bulk.rows, ..none }
            }
            Command::Execute(execute) => Reads {
                partner: Some(execute.partner),
                group: Some(execute.group),
                payouts: match &execute.target {
                    Target::All => &[],
                    Target::Rows(rows) => rows,
                },
                ..none
            },
            Command::Claim { .. }
            | Command::Doubt(_)
            | Command::Outcome(_)
            | Command::Return { .. } => self.bank_reads(),
            Command::PauseRail { .. }
            | Command::ResumeRail
            | Command::TakeCounters { .. }
            | Command::NoteBalance { .. } => Reads { rail: true, ..none },
            Command::Hold(_)
            | Command::AddOperator { .. }
            | Command::RevokeOperator { .. }
            | Command::Sign { .. }
            | Command::Act(_)
            | Command::Approve { .. }
            | Command::Withdraw { .. } => self.persons_reads(),
            Command::NoteStatement { .. } => Reads { rail: true, ..none },
            Command::Delivered { notice, .. }
            | Command::NotDelivered { notice, .. }
            | Command::Resend { notice } => Reads { notice: Some(*notice), ..none },
            Command::AddPayer(_)
            | Command::RemovePayer { .. }
            | Command::Charge(_)
            | Command::Refund(_)
            | Command::Receipt(_)
            | Command::Traded(_)
            | Command::SettleCharges { .. } => self.billing_reads(),
        }
    }

    /// The rows of payers and their payments.
    fn billing_reads(&self) -> Reads<'_> {
        let of = |partner: PartnerNo| Reads { partner: Some(partner), ..Reads::default() };
        match self {
            Command::AddPayer(new) => Reads { alias: new.alias, ..of(new.partner) },
            Command::RemovePayer { partner, payer } => {
                Reads { payer: Some(*payer), ..of(*partner) }
            }
            Command::Charge(new) => Reads {
                payer: new.payer,
                oid: Some(&new.oid),
                monthly: new.payer.zip(new.month),
                ..of(new.partner)
            },
            Command::Refund(new) => Reads { charge: Some(new.charge), ..of(new.partner) },
            Command::Receipt(new) => Reads { charge: Some(new.charge), ..of(new.partner) },
            Command::Traded(told) => {
                Reads { charge: Some(told.charge), trade: Some(told.trade), ..of(told.partner) }
            }
            Command::SettleCharges { partner, charges, .. } => Reads { charges, ..of(*partner) },
            _ => Reads::default(),
        }
    }

    /// The rows of a payout's way through its bank.
    fn bank_reads(&self) -> Reads<'_> {
        let none = Reads::default();
        match self {
            Command::Claim { payout, partner, group, key } => Reads {
                partner: Some(*partner),
                group: Some(*group),
                key: Some(*key),
                payout: Some(*payout),
                rail: true,
                hold: true,
                ..none
            },
            Command::Doubt(doubt) => Reads {
                partner: Some(doubt.partner),
                group: Some(doubt.group),
                payout: Some(doubt.payout),
                ..none
            },
            Command::Outcome(told) => Reads {
                partner: Some(told.partner),
                key: Some(told.key),
                payout: Some(told.payout),
                rail: true,
                ..none
            },
            Command::Return { payout, partner, .. } => {
                Reads { partner: Some(*partner), payout: Some(*payout), rail: true, ..none }
            }
            _ => none,
        }
    }

    /// The rows of what persons decide.
    fn persons_reads(&self) -> Reads<'_> {
        let none = Reads::default();
        match self {
            Command::Hold(hold) => Reads {
                partner: Some(hold.partner),
                payout: hold.payout,
                group: hold.group,
                hold: hold.payout.is_some(),
                ..none
            },
            Command::AddOperator { name, .. }
            | Command::RevokeOperator { name }
            | Command::Sign { name, .. } => Reads { operator: Some(name), signers: true, ..none },
            Command::Act(act) => act_reads(act),
            Command::Approve { proposal, act, by } => {
                Reads { proposal: Some(*proposal), operator: Some(by), ..act_reads(act) }
            }
            Command::Withdraw { proposal } => Reads { proposal: Some(*proposal), ..none },
            _ => none,
        }
    }
}

fn act_reads(act: &Act) -> Reads<'_> {
    let trade = match act.matter {
        Matter::Trade(no, _) => Some(no),
        _ => None,
    };
    let of_partner = act.payout.is_none() && trade.is_none();
    Reads {
        partner: Some(act.partner),
        payout: act.payout,
        fund: of_partner.then_some(act.note.as_str()),
        trade,
        ..Reads::default()
    }
}
