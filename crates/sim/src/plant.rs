//! Bugs on purpose (figure 11): whoever trusts a checker should have seen it fail.
//!
//! Some break the store behind its port, some break the loops around it. The last one is no bug of
//! ours but a way of going on that the core does not forbid: it shows what it leaves to the engine.

use crate::{Options, run};
use ichae_domain::command::{Command, Order};
use ichae_domain::group::Group;
use ichae_domain::ident::{BankNo, PayoutNo};
use ichae_domain::ledger::Entry;
use ichae_domain::payout::State;
use ichae_store::memory::{MemoryBackend, MemoryReader, Rows};
use ichae_store::port::{Answer, Backend, StoreError};
use std::collections::BTreeMap;

macro_rules! plants {
    ($($name:ident $word:literal $text:literal;)*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Plant { $(#[doc = $text] $name,)* }

        impl Plant {
            pub const ALL: &[Plant] = &[$(Plant::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Plant::$name => $word,)* }
            }
        }
    };
}

plants! {
    ForgetRelease "forget-release" "A backend that forgets the posting of a release.";
    ForgetHold "forget-hold" "A backend that holds nothing for a request.";
    DropNotice "drop-notice" "A backend that drops a notice.";
    DoubleNotice "double-notice" "A backend that writes a notice twice.";
    ResendUnknown "resend-unknown" "An unknown deposit is sent again under a new number.";
    TakeRepeat "take-repeat" "A distinct_key that was used is taken once more.";
    LoseCount "lose-count" "A group's counter drifts.";
    ReviveKey "revive-key" "A dead billing key is used as if it lived.";
    ForgetPause "forget-pause" "The stop switch does not hold.";
    TimeoutRefused "timeout-refused" "The engine takes a time-out for a refusal.";
    TimeoutNotSent "timeout-not-sent" "The engine takes a time-out for not sent.";
    RestartResends "restart-resends" "The engine sends again after a crash, instead of asking.";
    UnknownByAge "unknown-by-age" "The engine fails what has been unknown for an hour.";
    NeverInquire "never-inquire" "The engine never asks what became of a deposit.";
    NeverNotify "never-notify" "The engine sends no webhook.";
    CallTwice "call-twice" "The engine calls the bank twice for one intent.";
    ClaimTooMany "claim-too-many" "The engine claims more than may be in flight.";
    LatePutBack "late-put-back" "What is told of a send counts for the one that is under way now.";
    OwnSideKept "own-side-kept" "A number that own-side trouble answered is sent again.";
    ForgetHolds "forget-holds" "What operators hold is sent all the same.";
    LoseIntent "lose-intent" "A backend that forgets what was written before the bank is called.";
    AnyPartner "any-partner" "A query without its partner: another one's group is executed.";
    LoseReturn "lose-return" "A backend that gives nothing back for a return.";
    ReturnsAtOnce "returns-at-once" "Returns are taken in without waiting for one that is too early.";
}

impl Plant {
    /// Whether it is a bug that has to be found; else it shows what the core does not forbid.
    pub fn is_bug(self) -> bool {
        self != Plant::ReturnsAtOnce
    }

    /// The first seed that finds it, and the invariant that it broke; `None` where none did.
    pub fn hunt(self, seeds: u64, steps: u32, blind: bool) -> Option<(u64, &'static str)> {
        let options = Options { steps, plant: Some(self), blind };
        let broken = |seed| Some((seed, run(seed, &options).err()?.violation.invariant));
        (0..seeds).find_map(broken)
    }

    pub fn find(name: &str) -> Option<Plant> {
        Plant::ALL.iter().copied().find(|plant| plant.name() == name)
    }
}

/// A memory store, with a bug where one was planted.
pub struct Store {
    inner: MemoryBackend,
    reader: MemoryReader,
    plant: Option<Plant>,
    /// Makes the changed distinct_keys of [`Plant::TakeRepeat`] unlike each other.
    changed: u64,
}

impl Store {
    pub fn new(inner: MemoryBackend, reader: MemoryReader, plant: Option<Plant>) -> Store {
        Store { inner, reader, plant, changed: 0 }
    }

    /// [`Plant::TakeRepeat`]: a distinct_key that was used becomes another one on its way in.
    /// [`Plant::LatePutBack`]: which send something is about is lost on its way in.
    fn change(&mut self, order: &Order) -> Order {
        let mut order = order.clone();
        let rows = self.reader.rows_now();
        match (self.plant, &mut order.command) {
            (Some(Plant::TakeRepeat), Command::Request(request))
                if rows.payouts.values().any(|p| p.distinct_key == request.distinct_key) =>
            {
                self.changed += 1;
                request.distinct_key = format!("{}.{}", request.distinct_key, self.changed);
            }
            (Some(Plant::AnyPartner), Command::Execute(execute)) => {
                let owner = rows.groups.get(&execute.group).map(|group| group.partner);
                execute.partner = owner.unwrap_or(execute.partner);
            }
            (Some(Plant::LatePutBack), Command::Outcome(told)) => {
                told.sends = rows.attempts.get(&told.payout).map_or(told.sends, |a| a.sends);
            }
            _ => {}
        }
        order
    }
}

impl Backend for Store {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        let Some(plant) = self.plant else { return self.inner.commit(orders) };
        let before = Before::of(&self.reader.rows_now());
        let changed: Vec<Order> = orders.iter().map(|order| self.change(order)).collect();
        let answers = self.inner.commit(&changed);
        tamper(plant, &mut self.reader.rows_now(), &before);
        answers
    }

    fn reseal(&mut self, after: i64, limit: usize) -> Result<Option<i64>, StoreError> {
        self.inner.reseal(after, limit)
    }
}

/// Where the store stood before a batch.
struct Before {
    postings: usize,
    notices: usize,
    numbers: BTreeMap<PayoutNo, BankNo>,
}

impl Before {
    fn of(rows: &Rows) -> Before {
        let numbers = rows.attempts.values().filter_map(|a| Some((a.payout, a.bank_no?)));
        let (postings, notices) = (rows.postings.len(), rows.notices.len());
        Before { postings, notices, numbers: numbers.collect() }
    }
}

fn tamper(plant: Plant, rows: &mut Rows, before: &Before) {
    match plant {
        Plant::ForgetRelease => {
            let released = |e: Entry| matches!(e, Entry::Refuse | Entry::Cancel);
            let new = rows.postings.iter().skip(before.postings);
            if let Some(place) = new.into_iter().position(|posting| released(posting.entry)) {
                rows.postings.remove(before.postings + place);
            }
        }
        Plant::ForgetHold => {
            let new = rows.postings.get(before.postings..).unwrap_or_default();
            if let Some(hold) = new.iter().find(|posting| posting.entry == Entry::Hold)
                && let Some(ledger) = rows.ledgers.get_mut(&hold.partner)
            {
                ledger.available.0 += hold.amount.0;
            }
        }
        Plant::DropNotice if rows.notices.len() > before.notices => {
            rows.notices.pop_last();
        }
        Plant::DoubleNotice if rows.notices.len() > before.notices => {
            if let Some((no, mut notice)) = rows.notices.pop_last() {
                rows.notices.insert(no, notice.clone());
                notice.no.0 += 1;
                rows.notices.insert(notice.no, notice);
            }
        }
        Plant::ResendUnknown => resend_unknown(rows),
        Plant::OwnSideKept => {
            for attempt in rows.attempts.values_mut().filter(|a| a.bank_no.is_none()) {
                attempt.bank_no = before.numbers.get(&attempt.payout).copied();
            }
        }
        Plant::LoseCount => {
            let waits = |group: &&mut Group| group.waiting > 1;
            if let Some(group) = rows.groups.values_mut().find(waits) {
                group.waiting -= 1;
            }
        }
        Plant::ReviveKey => rows.keys.values_mut().for_each(|(key, ..)| key.dead = None),
        Plant::ForgetPause => rows.rail.pause = None,
        Plant::ForgetHolds => {
            rows.holds.clear();
            rows.partners.values_mut().for_each(|partner| partner.held = false);
        }
        Plant::LoseIntent => {
            let new = rows.attempts.keys().find(|no| !before.numbers.contains_key(*no)).copied();
            new.map(|no| rows.attempts.remove(&no));
        }
        Plant::LoseReturn => {
            let new = rows.postings.iter().skip(before.postings);
            if let Some(place) = new.into_iter().position(|p| p.entry == Entry::Return) {
                rows.postings.remove(before.postings + place);
            }
        }
        _ => {}
    }
}

fn resend_unknown(rows: &mut Rows) {
    let unknown = |own: Option<State>| own == Some(State::Unknown);
    let Some(payout) = rows.payouts.values_mut().find(|payout| unknown(payout.own)) else {
        return;
    };
    payout.own = Some(State::Executing);
    if let Some(attempt) = rows.attempts.get_mut(&payout.no) {
        attempt.bank_no = None;
        attempt.inquire_at = None;
    }
}
