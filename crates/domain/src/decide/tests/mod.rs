//! What decide does, against tables and against a second model that is written as data.
//!
//! Every test goes through [`check`]: rows and a command in, a code or what was written out. It
//! decides twice, compares, and holds the change against rules that count for all commands.

mod bank;
mod billing;
mod bulk;
mod execute;
mod operators;
mod others;
mod request;
mod rules;
mod shop;

use super::decide;
use crate::bank::BankCode;
use crate::code::Code;
use crate::command::{Actor, Command, Order, Reads};
use crate::group::{Group, Mode};
use crate::ident::{BankNo, Epochs, GroupNo, KeyNo, PartnerNo, PayoutNo};
use crate::key::BillingKey;
use crate::ledger::{Entry, Ledger};
use crate::matter::Proposal;
use crate::money::Won;
use crate::notice::{Notice, Outcome};
use crate::operator::Operator;
use crate::partner::{BillingSettings, Partner, Verifier};
use crate::payout::{Attempt, Payout, State};
use crate::rail::{Hold, Pause, Rail};
use crate::refusal::Refusal;
use crate::time::Time;
use crate::view::{BulkRow, Change, Context, Reply, Rules, View, Write};
use std::sync::LazyLock;

/// 2026-11-22 12:00 in Seoul.
const NOW: Time = Time(1_795_316_400_000);
const SERIAL: i64 = 500;
const PARTNER: PartnerNo = PartnerNo(3);
const STRANGER: PartnerNo = PartnerNo(4);
const GROUP: GroupNo = GroupNo(10);
const KEY: KeyNo = KeyNo(20);
const OTHER_KEY: KeyNo = KeyNo(21);
const FUNDS: i64 = 10_000;
const URL: &str = "https://partner.example/hook";

/// The rows that a store would hold. A command is given only those that it names.
#[derive(Clone)]
struct World {
    partner: Option<Partner>,
    ledger: Option<Ledger>,
    group: Option<Group>,
    key: Option<BillingKey>,
    prior: Option<(Payout, Group)>,
    payouts: Vec<Payout>,
    attempt: Option<Attempt>,
    fund: Option<Won>,
    notice: Option<Notice>,
    rail: Rail,
    hold: Option<Hold>,
    operator: Option<Operator>,
    proposal: Option<Proposal>,
    context: Context<'static>,
}

/// Epoch 2, from serial 400.
static EPOCHS: LazyLock<Epochs> = LazyLock::new(|| Epochs::new(vec![(1, 0), (400, 2)]).unwrap());

impl World {
    /// A partner with 10,000 won, its open group without a row, and a live key.
    fn new() -> World {
        let partner = Partner {
            no: PARTNER,
            cst_id: "test".into(),
            name: "정산 주식회사".into(),
            suspended: false,
            held: false,
            key_generation: 1,
            verifier: Verifier([7; 32]),
            webhook_url: None,
            sources: vec![],
            transfer_cap: None,
            made_at: Time(1),
            billing: BillingSettings::default(),
        };
        let mut ledger = Ledger::new(PARTNER);
        (ledger.available, ledger.funded) = (Won(FUNDS), Won(FUNDS));
        ledger.open_group = Some(GROUP);
        let rules = Rules::OPEN;
        World {
            partner: Some(partner),
            ledger: Some(ledger),
            group: Some(Group::open(GROUP, PARTNER, Time(2))),
            key: Some(key(KEY)),
            prior: None,
            payouts: vec![],
            attempt: None,
            fund: None,
            notice: None,
            rail: Rail { bank_counter: 7, notices_seen: 2, ..Rail::default() },
            hold: None,
            operator: None,
            proposal: None,
            context: Context { now: NOW, serial: SERIAL, epochs: &EPOCHS, rules },
        }
    }

    /// Puts a row into the group and keeps the group's counters and the balances true to it.
    fn row(&mut self, no: i64, own: Option<State>, key: KeyNo, amount: i64) {
        let group = self.group.as_mut().unwrap();
        let ledger = self.ledger.as_mut().unwrap();
        group.rows += 1;
        if own.is_none() && matches!(group.mode, Mode::Open | Mode::Closed | Mode::Filling) {
            group.waiting += 1;
            group.waiting_sum = Won(group.waiting_sum.0 + amount);
        }
        group.unclaimed += i64::from(own.is_none() && group.mode == Mode::Executing);
        match reads_as(own, group.mode) {
            State::Requested | State::Executing | State::Sending | State::Unknown => {
                ledger.available = Won(ledger.available.0 - amount);
                ledger.held = Won(ledger.held.0 + amount);
            }
            State::Settled => ledger.available = Won(ledger.available.0 - amount),
            State::Failed | State::Returned | State::Canceled => {}
        }
        let row = payout(no, own, key, amount);
        self.payouts.push(row);
    }

    fn mode(&mut self, mode: Mode) {
        self.group.as_mut().unwrap().mode = mode;
        self.ledger.as_mut().unwrap().open_group = (mode == Mode::Open).then_some(GROUP);
    }

    fn view<'a>(&'a self, reads: &Reads<'_>) -> View<'a> {
        let partner = reads.partner.is_some() || reads.cst_id.is_some();
        let find = |no: &PayoutNo| self.payouts.iter().find(|p| p.no == *no);
        View {
            partner: self.partner.as_ref().filter(|_| partner),
            ledger: self.ledger.as_ref().filter(|_| partner),
            group: self.group.as_ref().filter(|_| reads.open_group || reads.group.is_some()),
            key: self
                .key
                .as_ref()
                .filter(|_| reads.key.is_some() || !reads.fingerprints.is_empty()),
            prior: self
                .prior
                .as_ref()
                .filter(|_| reads.distinct_key.is_some())
                .map(|(p, g)| (p, g)),
            bulk: reads.bulk.iter().map(|row| self.bulk_row(row)).collect(),
            payouts: reads.payouts.iter().filter_map(find).collect(),
            payout: reads.payout.as_ref().and_then(find),
            attempt: self.attempt.as_ref().filter(|a| Some(a.payout) == reads.payout),
            fund: self.fund.filter(|_| reads.fund.is_some()),
            notice: self.notice.as_ref().filter(|_| reads.notice.is_some()),
            rail: Some(&self.rail).filter(|_| reads.rail),
            hold: self.hold.as_ref().filter(|_| reads.hold),
            operator: self.operator.as_ref().filter(|o| Some(o.name.as_str()) == reads.operator),
            proposal: self.proposal.as_ref().filter(|p| Some(p.no) == reads.proposal),
            signers: if reads.signers { 2 } else { 0 },
            ..View::default()
        }
    }

    fn bulk_row<'a>(&'a self, row: &crate::command::Request) -> BulkRow<'a> {
        let prior = self.prior.as_ref().filter(|(p, _)| p.distinct_key == row.distinct_key);
        BulkRow {
            key: self.key.as_ref().filter(|key| Some(key.no) == row.key),
            prior: prior.map(|(p, g)| (p, g)),
        }
    }

    /// Decides twice: the same rows, order and context give the same change.
    fn decide(&self, order: &Order) -> Result<Change, Refusal> {
        let reads = order.command.reads();
        let decided = decide(&self.view(&reads), order, &self.context);
        let again = decide(&self.view(&reads), order, &self.context);
        assert_eq!(format!("{decided:?}"), format!("{again:?}"));
        decided
    }
}

fn key(no: KeyNo) -> BillingKey {
    let bank = "020".to_owned();
    BillingKey { no, partner: PARTNER, sub_id: None, bank, made_at: Time(3), dead: None }
}

fn payout(no: i64, own: Option<State>, key: KeyNo, amount: i64) -> Payout {
    Payout {
        no: PayoutNo(no),
        partner: PARTNER,
        group: GROUP,
        key,
        amount: Won(amount),
        distinct_key: format!("d{no}"),
        sub_id: None,
        print: "정산주식회사".into(),
        print_sent: false,
        at: Time(4),
        own,
        webhook_url: None,
    }
}

/// An attempt that was sent once, yesterday.
fn attempt(no: i64) -> Attempt {
    let sent_at = NOW.plus_ms(-86_400_000);
    Attempt {
        payout: PayoutNo(no),
        partner: PARTNER,
        bank_no: BankNo::new(3, 1, 5),
        day: sent_at.day(),
        sent_at,
        sends: 1,
        bank_code: None,
        bank_code_sub: 0,
        failure: None,
        why: None,
        answered_at: None,
        inquiries: 0,
        inquire_at: None,
        returned_at: None,
        return_code: None,
    }
}

fn pause() -> Option<Pause> {
    Some(Pause { at: Time(5), by: "operator".into(), reason: "a test".into() })
}

/// Every state that a row can have of its own, and none.
fn owns() -> Vec<Option<State>> {
    State::ALL.into_iter().map(Some).chain([None]).collect()
}

/// What a row is, once more and without the code under test (decision H13).
fn reads_as(own: Option<State>, mode: Mode) -> State {
    match (own, mode) {
        (Some(state), _) => state,
        (None, Mode::Open | Mode::Closed | Mode::Filling) => State::Requested,
        (None, Mode::Executing) => State::Executing,
        (None, Mode::Canceled) => State::Canceled,
    }
}

/// What a command is expected to write.
#[derive(Clone, Debug, Default, PartialEq)]
struct Done {
    own: Vec<(i64, State)>,
    posted: Vec<(Entry, i64)>,
    told: Vec<Outcome>,
    /// (number, mode, waiting, their sum, unclaimed), in the order written.
    groups: Vec<(i64, Mode, i64, i64, i64)>,
    killed: Option<BankCode>,
    paused: bool,
    stale: bool,
}

impl Done {
    fn stale() -> Done {
        Done { stale: true, ..Done::default() }
    }

    fn of(change: &Change, before: &World) -> Done {
        let mut done = Done { stale: change.reply == Reply::Stale, ..Done::default() };
        for write in &change.writes {
            match write {
                Write::Own(no, state, _) => done.own.push((no.0, *state)),
                Write::Posting(posting) => done.posted.push((posting.entry, posting.amount.0)),
                Write::NewNotice(notice) => done.told.push(notice.outcome),
                Write::Group(g) => {
                    done.groups.push((g.no.0, g.mode, g.waiting, g.waiting_sum.0, g.unclaimed));
                }
                Write::Key(key) => done.killed = key.dead,
                Write::Rail(rail) => {
                    done.paused |= before.rail.pause.is_none() && rail.pause.is_some();
                }
                _ => {}
            }
        }
        done
    }
}

/// Gives one command to a world and compares with what is expected of it: a code, with nothing
/// written, or exactly these writes. The change is handed back for further looks.
#[track_caller]
fn check(world: &World, command: Command, want: Result<Done, Code>) -> Option<Change> {
    check_as(Actor::Partner, world, command, want)
}

#[track_caller]
fn check_as(
    actor: Actor,
    world: &World,
    command: Command,
    want: Result<Done, Code>,
) -> Option<Change> {
    let order = Order { actor, command };
    let decided = world.decide(&order);
    let seen = decided.as_ref().map(|change| Done::of(change, world)).map_err(|r| r.code);
    assert_eq!(seen, want, "{:?}", order.command);
    let change = decided.ok()?;
    rules::hold(world, &order, &change);
    Some(change)
}

/// Every subset of `count` things, as bits.
fn subsets(count: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1_u32 << count).map(move |bits| (0..count).map(|at| bits >> at & 1 == 1).collect())
}
