//! The memory store: the port over [`Rows`]. For tests and the simulator, nothing else.

mod billing;

pub use crate::model::{BillingRows, Rows};
use crate::port::{
    Answer, Backend, Clock, Funds, ListBy, NoticeFilter, Reader, Row, Sent, Shown, StoreError,
    Tally, Work,
};
use crate::rows::joined::{merge, under_way};
use ichae_domain::command::Order;
use ichae_domain::decide::decide;
use ichae_domain::group::Group;
use ichae_domain::ident::{
    BankNo, Epochs, GroupNo, KeyNo, NoticeNo, PartnerNo, PayoutNo, ProposalNo,
};
use ichae_domain::key::{Account, BillingKey};
use ichae_domain::ledger::Ledger;
use ichae_domain::matter::{Proposal, ProposalState};
use ichae_domain::money::Won;
use ichae_domain::notice::{Notice, NoticeState};
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout, State};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::time::{Day, Time};
use ichae_domain::view::{About, Context, Deposit, Event, Rules, StatementRead};
use secrecy::SecretString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A memory store: its writer's half; clones of `rows` read it.
pub struct MemoryBackend {
    rows: Arc<Mutex<Rows>>,
    rules: Rules,
    clock: Clock,
    latest: Time,
    epochs: Epochs,
}

/// The reading half.
#[derive(Clone)]
pub struct MemoryReader {
    rows: Arc<Mutex<Rows>>,
}

/// An empty memory store.
pub fn open(rules: Rules, clock: Clock) -> (MemoryBackend, MemoryReader) {
    let rows = Arc::new(Mutex::new(Rows { next_serial: 1, ..Rows::default() }));
    let reader = MemoryReader { rows: Arc::clone(&rows) };
    (MemoryBackend { rows, rules, clock, latest: Time(0), epochs: Epochs::alone() }, reader)
}

/// The writing half once more, over the same rows: what another process finds.
pub fn reopen(reader: &MemoryReader, rules: Rules, clock: Clock) -> MemoryBackend {
    let latest = reader.rows_now().events.last().map_or(Time(0), |event| event.at);
    MemoryBackend { rows: Arc::clone(&reader.rows), rules, clock, latest, epochs: Epochs::alone() }
}

impl Rows {
    fn row(&self, payout: &Payout) -> Option<Row> {
        let (key, account, _) = self.keys.get(&payout.key)?;
        Some(Row {
            payout: payout.clone(),
            group: self.groups.get(&payout.group)?.clone(),
            state: self.state(payout),
            attempt: self.attempts.get(&payout.no).cloned(),
            key: key.clone(),
            account: account.clone(),
        })
    }

    fn tallies<'a>(&self, payouts: impl Iterator<Item = &'a Payout>) -> Vec<Tally> {
        merge(payouts.map(|p| Tally { state: self.state(p), count: 1, sum: p.amount }).collect())
    }

    fn deposit(&self, payout: &Payout) -> Option<Deposit> {
        let attempt = self.attempts.get(&payout.no)?;
        Some(Deposit {
            payout: payout.no,
            partner: payout.partner,
            key: payout.key,
            bank_no: attempt.bank_no?,
            sends: attempt.sends,
            day: attempt.day,
            amount: payout.amount,
        })
    }
}

impl Backend for MemoryBackend {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            self.latest = self.latest.max((self.clock)());
            let context = Context {
                now: self.latest,
                serial: rows.next_serial,
                epochs: &self.epochs,
                rules: self.rules,
            };
            let decided = decide(&rows.view(&order.command.reads()), order, &context);
            answers.push(decided.map(|change| {
                rows.next_serial += change.serials;
                change.writes.into_iter().for_each(|write| rows.write(write));
                change.reply
            }));
        }
        answers
    }

    /// Nothing is sealed in memory.
    fn reseal(&mut self, _after: i64, _limit: usize) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }
}

impl MemoryReader {
    /// The rows themselves, for audits and dumps.
    pub fn rows_now(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, pick: impl Fn(&Rows, &Payout) -> bool, limit: usize) -> Vec<Work> {
        let rows = self.rows_now();
        let picked = rows.payouts.values().filter(|p| pick(&rows, p)).take(limit);
        picked.map(|p| Work { payout: p.no, group: p.group, key: p.key }).collect()
    }
}

type Read<T> = Result<T, StoreError>;

impl Reader for MemoryReader {
    fn epochs(&self) -> Read<Epochs> {
        Ok(Epochs::alone())
    }

    fn store_id(&self) -> Read<Vec<u8>> {
        Ok(b"memory".to_vec())
    }

    fn latest(&self) -> Read<Time> {
        Ok(self.rows_now().events.last().map_or(Time(0), |event| event.at))
    }

    fn rail(&self) -> Read<Rail> {
        Ok(self.rows_now().rail.clone())
    }

    fn settlement(&self) -> Read<Won> {
        Ok(Won(self.rows_now().settlement))
    }

    fn partners(&self) -> Read<Vec<Partner>> {
        Ok(self.rows_now().partners.values().cloned().collect())
    }

    fn webhook_secret(&self, partner: PartnerNo) -> Read<Option<SecretString>> {
        Ok(self.rows_now().secrets.get(&partner).cloned())
    }

    fn ledger(&self, partner: PartnerNo) -> Read<Option<Ledger>> {
        Ok(self.rows_now().ledgers.get(&partner).cloned())
    }

    fn group(&self, no: GroupNo) -> Read<Option<Group>> {
        Ok(self.rows_now().groups.get(&no).cloned())
    }

    fn waiting_groups(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Group>> {
        let rows = self.rows_now();
        let waits = |g: &&Group| g.partner == partner && g.waiting > 0;
        Ok(rows.groups.values().rev().filter(waits).take(limit).cloned().collect())
    }

    fn key(&self, no: KeyNo) -> Read<Option<(BillingKey, Account)>> {
        let found = |(key, account, _): &(BillingKey, Account, _)| (key.clone(), account.clone());
        Ok(self.rows_now().keys.get(&no).map(found))
    }

    fn row(&self, no: PayoutNo) -> Read<Option<Row>> {
        let rows = self.rows_now();
        Ok(rows.payouts.get(&no).and_then(|payout| rows.row(payout)))
    }

    fn rows_of(&self, numbers: &[PayoutNo]) -> Read<Vec<Option<Row>>> {
        let rows = self.rows_now();
        Ok(numbers.iter().map(|no| rows.row(rows.payouts.get(no)?)).collect())
    }

    fn rows(&self, by: ListBy, shown: Shown, after: PayoutNo, limit: usize) -> Read<Vec<Row>> {
        let rows = self.rows_now();
        let listed = |p: &&Payout| match by {
            ListBy::Group(group) => p.group == group,
            ListBy::Day(partner, day) => {
                p.partner == partner && rows.attempts.get(&p.no).is_some_and(|a| a.day == day)
            }
        };
        let later = rows.payouts.range(PayoutNo(after.0 + 1)..).map(|(_, p)| p);
        let shown = later.filter(listed).filter(|p| shown.shows(rows.state(p)));
        Ok(shown.take(limit).filter_map(|p| rows.row(p)).collect())
    }

    fn tally(&self, group: GroupNo, key: Option<KeyNo>) -> Read<Vec<Tally>> {
        let rows = self.rows_now();
        let named = |p: &&Payout| p.group == group && key.is_none_or(|key| p.key == key);
        Ok(rows.tallies(rows.payouts.values().filter(named)))
    }

    fn day_under_way(&self, partner: PartnerNo, day: Day) -> Read<(i64, Won)> {
        let rows = self.rows_now();
        let of_day = |p: &&Payout| {
            p.partner == partner && rows.attempts.get(&p.no).is_some_and(|a| a.day == day)
        };
        let tallies = rows.tallies(rows.payouts.values().filter(of_day));
        Ok(under_way(&tallies))
    }

    fn waiting_on_key(&self, group: GroupNo, key: KeyNo) -> Read<Vec<PayoutNo>> {
        let rows = self.rows_now();
        let named = |p: &&Payout| p.group == group && p.key == key;
        let waits = |p: &&Payout| rows.state(p) == State::Requested;
        Ok(rows.payouts.values().filter(named).filter(waits).map(|p| p.no).collect())
    }

    fn working_partners(&self) -> Read<Vec<PartnerNo>> {
        let rows = self.rows_now();
        let own = rows.payouts.values().filter(|p| p.own == Some(State::Executing));
        let groups = rows.groups.values().filter(|g| g.unclaimed > 0).map(|g| g.partner);
        let mut partners: Vec<PartnerNo> = own.map(|p| p.partner).chain(groups).collect();
        partners.sort();
        partners.dedup();
        Ok(partners)
    }

    fn executing_rows(&self, partner: PartnerNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>> {
        let own = |_: &Rows, p: &Payout| {
            p.partner == partner && p.no > after && p.own == Some(State::Executing)
        };
        Ok(self.work(own, limit))
    }

    fn executing_groups(&self, partner: PartnerNo) -> Read<Vec<GroupNo>> {
        let rows = self.rows_now();
        let executed = rows.groups.values().filter(|g| g.partner == partner && g.unclaimed > 0);
        Ok(executed.map(|g| g.no).collect())
    }

    fn unclaimed(&self, group: GroupNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>> {
        let left = |_: &Rows, p: &Payout| p.group == group && p.no > after && p.own.is_none();
        Ok(self.work(left, limit))
    }

    fn sending(&self, after: PayoutNo, limit: usize) -> Read<Vec<Deposit>> {
        let rows = self.rows_now();
        let sent = |p: &&Payout| p.no > after && p.own == Some(State::Sending);
        let deposits = rows.payouts.values().filter(sent).filter_map(|p| rows.deposit(p));
        Ok(deposits.take(limit).collect())
    }

    fn due_inquiries(&self, now: Time, limit: usize) -> Read<Vec<Deposit>> {
        let rows = self.rows_now();
        let due = |a: &Attempt| a.inquire_at.filter(|at| *at <= now).map(|at| (at, a.payout));
        let mut due: Vec<_> = rows.attempts.values().filter_map(due).collect();
        due.sort();
        let unknown =
            |no: &PayoutNo| rows.payouts.get(no).filter(|p| p.own == Some(State::Unknown));
        let payouts = due.iter().filter_map(|(_, no)| unknown(no));
        Ok(payouts.filter_map(|p| rows.deposit(p)).take(limit).collect())
    }

    fn holds(&self) -> Read<Vec<(PayoutNo, Hold)>> {
        Ok(self.rows_now().holds.iter().map(|(no, hold)| (*no, hold.clone())).collect())
    }

    fn payout_of(&self, bank_no: BankNo) -> Read<Option<PayoutNo>> {
        let rows = self.rows_now();
        let found = rows.attempts.values().find(|a| a.bank_no == Some(bank_no));
        Ok(found.map(|a| a.payout))
    }

    fn due_notice_partners(&self, now: Time) -> Read<Vec<PartnerNo>> {
        let rows = self.rows_now();
        let due = |n: &&Notice| n.state == NoticeState::Pending && n.next_at <= now;
        let mut partners: Vec<_> = rows.notices.values().filter(due).map(|n| n.partner).collect();
        partners.sort();
        partners.dedup();
        Ok(partners)
    }

    fn due_notices(&self, partner: PartnerNo, now: Time, limit: usize) -> Read<Vec<Notice>> {
        let rows = self.rows_now();
        let pending = |n: &&Notice| n.state == NoticeState::Pending;
        let first = |n: &&Notice| {
            let before = rows.notices.range(..n.no).map(|(_, n)| n).filter(pending);
            before.into_iter().all(|earlier| earlier.subject.numbers().0 != n.subject.numbers().0)
        };
        let due = rows.notices.values().filter(pending);
        let due = due.filter(|n| n.partner == partner && n.next_at <= now).filter(first);
        let mut due: Vec<Notice> = due.cloned().collect();
        due.sort_by_key(|n| (n.next_at, n.no));
        due.truncate(limit);
        Ok(due)
    }

    fn notice(&self, no: NoticeNo) -> Read<Option<Notice>> {
        Ok(self.rows_now().notices.get(&no).cloned())
    }

    fn notices(&self, filter: NoticeFilter, after: NoticeNo, limit: usize) -> Read<Vec<Notice>> {
        let rows = self.rows_now();
        let wanted = |n: &&Notice| {
            filter.partner.is_none_or(|no| n.partner == no)
                && filter.state.is_none_or(|state| n.state == state)
        };
        let later = rows.notices.range(NoticeNo(after.0 + 1)..).map(|(_, n)| n);
        Ok(later.filter(wanted).take(limit).cloned().collect())
    }

    fn unknown(&self, after: PayoutNo, limit: usize) -> Read<Vec<Row>> {
        let rows = self.rows_now();
        let later = rows.payouts.range(PayoutNo(after.0 + 1)..).map(|(_, p)| p);
        let unknown = later.filter(|p| p.own == Some(State::Unknown));
        Ok(unknown.take(limit).filter_map(|p| rows.row(p)).collect())
    }

    fn unknown_sum(&self) -> Read<(i64, Won)> {
        let rows = self.rows_now();
        let unknown = rows.payouts.values().filter(|p| p.own == Some(State::Unknown));
        Ok(unknown.fold((0, Won(0)), |(n, sum), p| (n + 1, Won(sum.0 + p.amount.0))))
    }

    fn story(&self, payout: PayoutNo, group: GroupNo) -> Read<Vec<Event>> {
        let rows = self.rows_now();
        let about = [About::Payout(payout), About::Group(group)];
        let told = |e: &&Event| e.kind.is_told() && about.contains(&e.about);
        Ok(rows.events.iter().filter(told).cloned().collect())
    }

    fn funds(&self) -> Read<Funds> {
        let rows = self.rows_now();
        let sum = |of: fn(&Ledger) -> Won| Won(rows.ledgers.values().map(|l| of(l).0).sum());
        Ok(Funds {
            available: sum(|l| l.available),
            held: sum(|l| l.held),
            suspense: sum(|l| l.suspense),
            funded: sum(|l| l.funded),
            captured: sum(|l| l.captured),
            refunding: sum(|l| l.refunding),
            receivable: sum(|l| l.receivable),
            waiting: Won(rows.groups.values().map(|g| g.waiting_sum.0).sum()),
        })
    }

    fn sent_on(
        &self,
        partner: PartnerNo,
        days: (Day, Day),
        after: (Day, PayoutNo),
        limit: usize,
    ) -> Read<Vec<Sent>> {
        let rows = self.rows_now();
        let sent = |attempt: &Attempt| {
            let payout = rows.payouts.get(&attempt.payout).filter(|p| p.partner == partner)?;
            let (day, bank_no) = (attempt.day, attempt.bank_no);
            let within = days.0 <= day && day <= days.1 && (day, payout.no) > after;
            let state = rows.state(payout);
            let sent = Sent { payout: payout.no, bank_no, amount: payout.amount, day, state };
            within.then_some(sent)
        };
        let mut found: Vec<Sent> = rows.attempts.values().filter_map(sent).collect();
        found.sort_by_key(|sent| (sent.day, sent.payout));
        found.truncate(limit);
        Ok(found)
    }

    fn operators(&self) -> Read<Vec<Operator>> {
        let mut operators: Vec<_> = self.rows_now().operators.values().cloned().collect();
        operators.sort_by_key(|operator| operator.added_at);
        Ok(operators)
    }

    fn proposal(&self, no: ProposalNo) -> Read<Option<Proposal>> {
        Ok(self.rows_now().proposals.get(&no).cloned())
    }

    fn proposals(&self, open: bool, limit: usize) -> Read<Vec<Proposal>> {
        let rows = self.rows_now();
        let wanted = |p: &&Proposal| !open || p.state == ProposalState::Open;
        Ok(rows.proposals.values().rev().filter(wanted).take(limit).cloned().collect())
    }

    fn statement(&self, digest: &[u8; 32]) -> Read<Option<StatementRead>> {
        Ok(self.rows_now().statements.get(digest).cloned())
    }

    fn events(&self, partner: Option<PartnerNo>, limit: usize) -> Read<Vec<Event>> {
        let rows = self.rows_now();
        let wanted = |e: &&Event| partner.is_none() || e.partner == partner;
        Ok(rows.events.iter().rev().filter(wanted).take(limit).cloned().collect())
    }
}
