//! The port: what every backend does, and the read models that it gives.

use crate::billing::BillingReader;
use ichae_domain::command::Order;
use ichae_domain::group::Group;
use ichae_domain::ident::{
    BankNo, Epochs, GroupNo, KeyNo, NoticeNo, PartnerNo, PayoutNo, ProposalNo,
};
use ichae_domain::key::{Account, BillingKey};
use ichae_domain::ledger::Ledger;
use ichae_domain::matter::Proposal;
use ichae_domain::money::Won;
use ichae_domain::notice::{Notice, NoticeState};
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout, State};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::refusal::Refusal;
use ichae_domain::time::{Day, Time};
use ichae_domain::view::{Deposit, Event, Reply, StatementRead};
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Orders that one commit takes at most.
pub const BATCH_MAX: usize = 256;
/// Payouts in the orders of one commit from which on it takes no further order: a bulk call's rows
/// hold up a single request for a few milliseconds, not for its whole length.
pub const WEIGHT_MAX: usize = 1_024;

/// Why a store could not be opened or read. The text is for operators, never for the wire.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database: {}", said(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("{0}")]
    Refused(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("a row cannot be understood: {0}")]
    Damaged(String),
    /// Nothing can be taken now; the text of T0503 is for the wire.
    #[error("the store does not answer, or cannot take more until the disk has caught up")]
    Busy,
}

impl StoreError {
    /// Whether the store did not answer, and may answer a moment later.
    pub fn is_outage(&self) -> bool {
        match self {
            StoreError::Busy => true,
            StoreError::Postgres(_) => crate::postgres::is_lost(self),
            _ => false,
        }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StoreError {
        let what = what.into();
        move |source| StoreError::Io { what, source }
    }
}

/// What a database says of an error, without what stands in its rows.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

pub type Answer = Result<Reply, Refusal>;

/// The process's clock (decision H5).
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The one writer of a store.
pub trait Backend: Send {
    /// Decides the orders one after another and commits once. The answers may be given: what they
    /// say is durable.
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer>;

    /// Seals up to `limit` rows, at least one, after `after` again under the active keys. `None`:
    /// all are done, and keys that nothing is under any more may leave the key folder.
    /// `after` is a serial, which all kinds of rows share.
    fn reseal(&mut self, after: i64, limit: usize) -> Result<Option<i64>, StoreError>;

    /// Set while the store does not answer; `None` where it is in this process.
    fn outage(&self) -> Option<Arc<AtomicBool>> {
        None
    }
}

/// A payout with everything that an answer or a webhook says of it.
#[derive(Clone, Debug)]
pub struct Row {
    pub payout: Payout,
    pub group: Group,
    pub state: State,
    pub attempt: Option<Attempt>,
    pub key: BillingKey,
    pub account: Account,
}

/// Which rows a list is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListBy {
    Group(GroupNo),
    /// By business date; only executed rows have one.
    Day(PartnerNo, Day),
}

/// Which states a list shows (decision H14).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    Waiting,
    Completed,
    UnderWay,
    /// Completed or under way.
    Executed,
}

impl Shown {
    pub fn shows(self, state: State) -> bool {
        match self {
            Shown::Waiting => state == State::Requested,
            Shown::Completed => state.completed(),
            Shown::UnderWay => state.under_way(),
            Shown::Executed => state.completed() || state.under_way(),
        }
    }
}

/// Count and sum of one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    pub state: State,
    pub count: i64,
    pub sum: Won,
}

/// A row that waits for the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Work {
    pub payout: PayoutNo,
    pub group: GroupNo,
    pub key: KeyNo,
}

/// A payout that was sent, as a bank statement is matched with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    pub payout: PayoutNo,
    pub bank_no: Option<BankNo>,
    pub amount: Won,
    pub day: Day,
    pub state: State,
}

/// What all partners have, by account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Funds {
    pub available: Won,
    pub held: Won,
    /// What is owed after corrections; never above zero.
    pub suspense: Won,
    pub funded: Won,
    /// What payers paid, and the acquirer has not paid out.
    pub captured: Won,
    /// What refunds under way or unknown may take.
    pub refunding: Won,
    /// Minus what the acquirer owes.
    pub receivable: Won,
    /// What of `held` waits for its execution; the rest is under way or unknown.
    pub waiting: Won,
}

/// Filter of `ichae webhook list`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoticeFilter {
    pub partner: Option<PartnerNo>,
    pub state: Option<NoticeState>,
}

type Read<T> = Result<T, StoreError>;

/// Reads. They never wait for the writer and see every answer that was given before them.
pub trait Reader: BillingReader + Send + Sync {
    /// Whether a read goes over a network: then it is never made on a thread that serves callers.
    fn is_far(&self) -> bool {
        false
    }
    /// Whether several nodes work on this store.
    fn is_shared(&self) -> bool {
        false
    }
    /// Whether this node may still act outside on what it has claimed. Where it has not been heard of for
    /// long, another one may count its claims as gone.
    fn may_act(&self) -> bool {
        true
    }
    /// Nodes that work on this store besides this one.
    fn other_nodes(&self) -> Read<i64> {
        Ok(0)
    }
    /// Whether it can be read at all.
    fn answers(&self) -> Read<()> {
        self.rail().map(drop)
    }
    /// Counts changes of partners that other nodes made.
    fn version(&self) -> Read<i64> {
        Ok(0)
    }

    /// Counts changes of which shards are here, where there are several cells.
    fn map(&self) -> Read<i64> {
        Ok(0)
    }
    /// The highest [`Reader::map`] under which anything was read so far.
    fn newest_map(&self) -> i64 {
        0
    }

    /// As they are now: other cells begin some too.
    fn epochs(&self) -> Read<Epochs>;
    /// What names this store among all; a copy has the same.
    fn store_id(&self) -> Read<Vec<u8>>;
    /// The latest moment that the store has written down.
    fn latest(&self) -> Read<Time>;
    fn rail(&self) -> Read<Rail>;
    /// Balance of the rail's settlement account.
    fn settlement(&self) -> Read<Won>;

    fn partners(&self) -> Read<Vec<Partner>>;
    fn webhook_secret(&self, partner: PartnerNo) -> Read<Option<SecretString>>;
    /// From memory: it never waits for the disk, so it may be asked on any thread.
    fn ledger(&self, partner: PartnerNo) -> Read<Option<Ledger>>;

    fn group(&self, no: GroupNo) -> Read<Option<Group>>;
    /// Groups of a partner in which something waits, newest first.
    fn waiting_groups(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Group>>;
    fn key(&self, no: KeyNo) -> Read<Option<(BillingKey, Account)>>;
    fn row(&self, no: PayoutNo) -> Read<Option<Row>>;
    /// As [`Reader::row`] for each of them, in one snapshot.
    fn rows_of(&self, numbers: &[PayoutNo]) -> Read<Vec<Option<Row>>>;
    /// Ascending by payout, after `after`, at most `limit`.
    fn rows(&self, by: ListBy, shown: Shown, after: PayoutNo, limit: usize) -> Read<Vec<Row>>;
    /// Count and sum per state of a group, or of one key's rows in it.
    fn tally(&self, group: GroupNo, key: Option<KeyNo>) -> Read<Vec<Tally>>;
    /// Count and sum of what is under way on a day.
    fn day_under_way(&self, partner: PartnerNo, day: Day) -> Read<(i64, Won)>;
    /// What waits on one key in a group.
    fn waiting_on_key(&self, group: GroupNo, key: KeyNo) -> Read<Vec<PayoutNo>>;

    /// Partners that have something for the engine to claim.
    fn working_partners(&self) -> Read<Vec<PartnerNo>>;
    /// Rows with an own state of executing, after `after`.
    fn executing_rows(&self, partner: PartnerNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>>;
    /// Groups that an ALL executed and that have unclaimed rows.
    fn executing_groups(&self, partner: PartnerNo) -> Read<Vec<GroupNo>>;
    /// Rows of an executed group without a state of their own, after `after`.
    fn unclaimed(&self, group: GroupNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>>;
    /// Intents without an answer, but for those of other nodes that are there: for the start after a
    /// crash.
    fn sending(&self, after: PayoutNo, limit: usize) -> Read<Vec<Deposit>>;
    /// Those of nodes that are gone.
    fn abandoned(&self, _after: PayoutNo, _limit: usize) -> Read<Vec<Deposit>> {
        Ok(Vec::new())
    }
    /// Unknown outcomes whose inquiry is due.
    fn due_inquiries(&self, now: Time, limit: usize) -> Read<Vec<Deposit>>;
    /// Payouts that operators hold.
    fn holds(&self) -> Read<Vec<(PayoutNo, Hold)>>;
    fn payout_of(&self, bank_no: BankNo) -> Read<Option<PayoutNo>>;

    fn due_notice_partners(&self, now: Time) -> Read<Vec<PartnerNo>>;
    /// Due notices of a partner, oldest first, without those whose payout has an earlier one
    /// pending (decision H17).
    fn due_notices(&self, partner: PartnerNo, now: Time, limit: usize) -> Read<Vec<Notice>>;
    fn notice(&self, no: NoticeNo) -> Read<Option<Notice>>;
    fn notices(&self, filter: NoticeFilter, after: NoticeNo, limit: usize) -> Read<Vec<Notice>>;

    /// Payouts whose outcome is not known, ascending, after `after`.
    fn unknown(&self, after: PayoutNo, limit: usize) -> Read<Vec<Row>>;
    /// How many those are, and what of partners' money hangs on them.
    fn unknown_sum(&self) -> Read<(i64, Won)>;
    /// The lines of the log about one payout and its group, oldest first, without those that follow
    /// from its rows: requested, claimed, settled, failed.
    fn story(&self, payout: PayoutNo, group: GroupNo) -> Read<Vec<Event>>;
    /// All partners' money, summed.
    fn funds(&self) -> Read<Funds>;
    /// Payouts of a partner with a business date from `first` to `last`, after (day, number).
    fn sent_on(
        &self,
        partner: PartnerNo,
        days: (Day, Day),
        after: (Day, PayoutNo),
        limit: usize,
    ) -> Read<Vec<Sent>>;

    fn operators(&self) -> Read<Vec<Operator>>;
    fn proposal(&self, no: ProposalNo) -> Read<Option<Proposal>>;
    /// Newest first; only those that wait for a second person, or all.
    fn proposals(&self, open: bool, limit: usize) -> Read<Vec<Proposal>>;
    fn statement(&self, digest: &[u8; 32]) -> Read<Option<StatementRead>>;

    /// The event log, newest first, of one partner or of all.
    fn events(&self, partner: Option<PartnerNo>, limit: usize) -> Read<Vec<Event>>;
}
