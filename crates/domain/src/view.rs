//! What a decision sees, and what it says to write.

use crate::billing::{Charge, Instrument, OrderText, Payer, Trade};
use crate::calendar::{ALWAYS_OPEN, Calendar};
use crate::command::Actor;
use crate::group::Group;
use crate::ident::{
    BankNo, ChargeNo, Epochs, GroupNo, KeyNo, NoticeNo, PartnerNo, PayerNo, PayoutNo, ProposalNo,
};
use crate::key::{Account, BillingKey, Fingerprint};
use crate::ledger::{Ledger, Posting};
use crate::matter::Proposal;
use crate::money::Won;
use crate::notice::Notice;
use crate::operator::Operator;
use crate::partner::Partner;
use crate::payout::{Attempt, Payout, State};
use crate::rail::{Hold, Rail};
use crate::refusal::Refusal;
use crate::time::{Day, Time};
use secrecy::SecretString;

/// Exactly the rows that the command named ([`crate::command::Reads`]).
#[derive(Default)]
pub struct View<'a> {
    pub partner: Option<&'a Partner>,
    pub ledger: Option<&'a Ledger>,
    /// The named group, or the open one.
    pub group: Option<&'a Group>,
    pub key: Option<&'a BillingKey>,
    pub prior: Option<(&'a Payout, &'a Group)>,
    /// One for each row of a bulk call.
    pub bulk: Vec<BulkRow<'a>>,
    pub payouts: Vec<&'a Payout>,
    pub payout: Option<&'a Payout>,
    pub attempt: Option<&'a Attempt>,
    pub fund: Option<Won>,
    pub notice: Option<&'a Notice>,
    pub rail: Option<&'a Rail>,
    /// Whether the named payout is held by operators.
    pub hold: Option<&'a Hold>,
    pub operator: Option<&'a Operator>,
    /// How many operators may sign, where the command asks.
    pub signers: usize,
    pub proposal: Option<&'a Proposal>,
    pub payer: Option<&'a Payer>,
    /// Whose id of another service it is already.
    pub alias: Option<PayerNo>,
    /// The newest payment under the order number.
    pub ordered: Option<&'a Charge>,
    /// The newest payment of the key for the month.
    pub monthly: Option<&'a Charge>,
    pub charge: Option<&'a Charge>,
    /// The call that the charge's receipt is of.
    pub receipt: Option<&'a Trade>,
    pub charges: Vec<&'a Charge>,
    pub trade: Option<&'a Trade>,
}

/// What one row of a bulk call names.
#[derive(Clone, Copy, Default)]
pub struct BulkRow<'a> {
    pub key: Option<&'a BillingKey>,
    pub prior: Option<(&'a Payout, &'a Group)>,
}

/// Rules of the installation that decisions depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// The one amount that TEST takes (decision H15); `None` takes any.
    pub fixed_amount: Option<Won>,
    /// Whether an execution may name its own webhook address (TEST, decision H10).
    pub webhook_per_call: bool,
    /// Length of a unit of the webhook schedule; a second but for tests.
    pub retry_unit_ms: i64,
    /// When money may be sent.
    pub calendar: &'static Calendar,
    /// Longest wait from one inquiry to the next.
    pub inquiry_ceiling_ms: i64,
    /// Operators' acts of more than this need a second person (decision M2); `None`: none do.
    pub second_above: Option<Won>,
    /// Whether an unknown outcome may be resolved as failed before its business day has closed
    /// (TEST; openbanking 7.2).
    pub resolve_same_day: bool,
}

impl Rules {
    /// Round the clock, any amount, nobody a second time: what tests and benchmarks start from.
    pub const OPEN: Rules = Rules {
        fixed_amount: None,
        webhook_per_call: true,
        retry_unit_ms: 1_000,
        calendar: &ALWAYS_OPEN,
        inquiry_ceiling_ms: 5_000,
        second_above: None,
        resolve_same_day: true,
    };
}

/// What comes in with a command: the time, the next free numbers, the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context<'a> {
    pub now: Time,
    /// The next serial; a decision that uses some says how many in [`Change::serials`].
    pub serial: i64,
    pub epochs: &'a Epochs,
    pub rules: Rules,
}

/// What to write, what to answer, and how many serials were used.
#[derive(Clone, Debug)]
pub struct Change {
    pub writes: Vec<Write>,
    pub reply: Reply,
    pub serials: i64,
}

impl Change {
    pub fn none(reply: Reply) -> Change {
        Change { writes: Vec::new(), reply, serials: 0 }
    }
}

#[derive(Clone, Debug)]
pub enum Write {
    /// Inserts or replaces.
    Partner(Partner),
    WebhookSecret(PartnerNo, SecretString),
    Ledger(Ledger),
    Group(Group),
    NewKey(BillingKey, Account, Fingerprint),
    Key(BillingKey),
    NewPayout(Payout),
    /// Gives a row a state of its own.
    Own(PayoutNo, State, Option<String>),
    Attempt(Attempt),
    Posting(Posting),
    Fund {
        partner: PartnerNo,
        reference: String,
        amount: Won,
        at: Time,
    },
    NewNotice(Notice),
    Notice(Notice),
    Rail(Rail),
    /// Holds a payout, or lets it go.
    Hold(PayoutNo, Option<Hold>),
    /// Inserts or replaces.
    Operator(Operator),
    Proposal(Proposal),
    Statement(StatementRead),
    NewPayer(Payer, Instrument),
    Payer(Payer),
    NewCharge(Charge, OrderText),
    Charge(Charge),
    /// Inserts or replaces.
    Trade(Trade),
    Event(Event),
}

/// One line of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub at: Time,
    pub actor: Actor,
    pub partner: Option<PartnerNo>,
    pub kind: EventKind,
    pub about: About,
    pub amount: Option<Won>,
    /// For people: a reason, a reference, a bank code. Never a secret, a name or an account number.
    pub note: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    Partner(PartnerNo),
    Key(KeyNo),
    Payout(PayoutNo),
    Group(GroupNo),
    Notice(NoticeNo),
    Rail,
    /// A person; the event's note has the name.
    Operator,
    Proposal(ProposalNo),
    Payer(PayerNo),
    Charge(ChargeNo),
}

macro_rules! event_kinds {
    ($($name:ident $number:literal $text:literal;)*) => {
        /// What happened; numbers are what stores keep.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum EventKind { $($name = $number,)* }
        impl EventKind {
            pub const ALL: &[EventKind] = &[$(EventKind::$name,)*];
            pub fn text(self) -> &'static str {
                match self { $(EventKind::$name => $text,)* }
            }
        }
    };
}

event_kinds! {
    PartnerAdded 1 "partner added";
    PartnerChanged 2 "partner changed";
    CustKeyRotated 3 "custKey rotated";
    WebhookSecretRotated 4 "webhook secret rotated";
    PartnerSuspended 5 "partner suspended";
    PartnerResumed 6 "partner resumed";
    Funded 7 "funded";
    TakenBack 8 "taken back";
    KeyMade 9 "billing key made";
    KeyDied 10 "billing key died";
    Requested 11 "payout requested";
    Executed 12 "executed";
    Canceled 13 "canceled";
    Claimed 14 "intent written";
    Settled 15 "settled";
    Failed 16 "failed";
    BecameUnknown 17 "outcome unknown";
    PutBack 18 "not sent, put back";
    Returned 19 "returned";
    RailPaused 20 "rail paused";
    RailResumed 21 "rail resumed";
    NoticeGivenUp 22 "webhook given up";
    NoticeResent 23 "webhook sent again";
    EpochStarted 24 "store epoch started";
    KeysRotated 25 "sealing key rotated";
    Inquired 26 "asked what became of it";
    Held 27 "held";
    Released 28 "released";
    OperatorAdded 29 "operator added";
    OperatorRevoked 30 "operator revoked";
    Proposed 31 "proposed, waits for a second person";
    Approved 32 "approved by a second person";
    Withdrawn 33 "proposal taken back";
    Resolved 34 "resolved by operators";
    Corrected 35 "corrected to settled, against suspense";
    Recovered 36 "recovered from what was available";
    WrittenOff 37 "written off";
    BalanceNoted 38 "bank balance noted";
    StatementRead 39 "bank statement read";
    Contradicted 40 "the bank says otherwise";
    PayerAdded 41 "payer's key made";
    PayerRemoved 42 "payer's key deregistered";
    ChargeAsked 43 "payment asked for";
    Captured 44 "payment captured";
    ChargeFailed 45 "payment failed";
    TradeUnknown 46 "the acquirer did not say";
    RefundAsked 47 "refund asked for";
    Refunded 48 "refunded";
    RefundFailed 49 "refund failed";
    ReceiptAsked 50 "cash receipt asked for";
    ReceiptIssued 51 "cash receipt issued";
    ReceiptCanceled 52 "cash receipt canceled";
    ReceiptFailed 53 "cash receipt failed";
    ChargesSettled 54 "payments settled by the acquirer";
    RefundKeyRotated 55 "refund key rotated";
    ShardMoved 56 "shard moved";
}

impl EventKind {
    /// Whether a payout's story needs the line: the others follow from its rows. Stores index
    /// exactly these.
    pub fn is_told(self) -> bool {
        use EventKind::*;
        matches!(
            self,
            Executed
                | Canceled
                | BecameUnknown
                | PutBack
                | Returned
                | Inquired
                | Held
                | Released
                | Proposed
                | Approved
                | Withdrawn
                | Resolved
                | Corrected
                | Contradicted
        )
    }

    pub fn from_number(number: i64) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|k| *k as i64 == number)
    }
}

/// What the caller is told once the change is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Done,
    /// Nothing to do: the rows had moved on before the command came.
    Stale,
    Partner(PartnerNo),
    /// The key, and whether it is new.
    Key(KeyNo, bool),
    Funded {
        available: Won,
        repeated: bool,
    },
    Requested(Box<Requested>),
    /// One for each row, in their order.
    Bulk(Vec<Result<Requested, Refusal>>),
    Executed {
        total: Won,
        remain: Won,
        rows: i64,
        at: Time,
    },
    /// Ask the bank: the intent is durable.
    Send(Deposit),
    /// It failed before a bank was asked.
    Failed,
    /// Not now: held, or its bank takes nothing at this hour. It waits as it is.
    NotNow,
    /// Written down; a second person has to approve it (decision M2).
    Proposed(ProposalNo),
    /// Numbers from this counter on are the caller's.
    Counters(i64),
    Payer(PayerNo),
    /// Call the acquirer: the intent is durable.
    Trade(Box<(Charge, Trade)>),
    /// The acquirer's word was taken in: what the payment and the call are now.
    Traded(Box<(Charge, Trade)>),
    Settled {
        /// Payments that were marked.
        count: i64,
        /// What became available of them.
        available: Won,
        /// What the acquirer paid.
        paid: Won,
    },
}

/// A bank statement that was matched with the rows; the same file counts once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementRead {
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    pub at: Time,
    pub by: String,
    /// Its name for people, without a folder.
    pub name: String,
    pub rows: i64,
    pub findings: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    pub payout: PayoutNo,
    pub group: GroupNo,
    pub remain: Won,
    pub print: String,
    pub at: Time,
}

/// What a rail needs to pay: fixed before the call and used again for the inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    pub payout: PayoutNo,
    pub partner: PartnerNo,
    pub key: KeyNo,
    pub bank_no: BankNo,
    /// Which send of the payout this is, from 1: a number can be sent more than once.
    pub sends: i64,
    pub day: Day,
    pub amount: Won,
}
