//! What one decision costs, without a store around it: the rows are there, the change is dropped.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ichae_domain::bank::Answer;
use ichae_domain::command::{
    Action, Actor, Asked, Bulk, Command, Execute, Order, Request, Target, Told,
};
use ichae_domain::decide::decide;
use ichae_domain::group::{Group, Mode};
use ichae_domain::ident::{BankNo, Epochs, GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::key::BillingKey;
use ichae_domain::ledger::Ledger;
use ichae_domain::money::Won;
use ichae_domain::partner::{BillingSettings, Partner, Verifier};
use ichae_domain::payout::{Attempt, Payout, State};
use ichae_domain::rail::Rail;
use ichae_domain::time::Time;
use ichae_domain::view::{BulkRow, Context, Rules, View};
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

/// 2026-11-22 12:00 in Seoul.
const NOW: Time = Time(1_795_316_400_000);
const PARTNER: PartnerNo = PartnerNo(3);
const GROUP: GroupNo = GroupNo(10);
const KEY: KeyNo = KeyNo(20);
const PAYOUT: PayoutNo = PayoutNo(30);
const BANK_NO: BankNo = BankNo(7);
/// Rows of a bulk call that one commit takes.
const SLICE: usize = 512;
/// Rows that wait in the group which is executed whole.
const WAITING: i64 = 100_000;
const AMOUNT: Won = Won(1_000);

/// The rows that a store would have loaded.
struct World {
    partner: Partner,
    ledger: Ledger,
    group: Group,
    key: BillingKey,
    payout: Payout,
    attempt: Attempt,
    rail: Rail,
}

impl World {
    /// A partner with money, a live key, and a group with rows that wait.
    fn new() -> World {
        let partner = Partner {
            no: PARTNER,
            cst_id: "test".into(),
            name: "정산 주식회사".into(),
            suspended: false,
            held: false,
            key_generation: 1,
            verifier: Verifier([7; 32]),
            webhook_url: Some("https://partner.example/hook".into()),
            sources: vec![],
            transfer_cap: None,
            made_at: Time(1),
            billing: BillingSettings::default(),
        };
        let held = Won(WAITING * AMOUNT.0);
        let ledger = Ledger {
            available: Won(900_000_000_000),
            held,
            funded: Won(900_000_000_000 + held.0),
            open_group: Some(GROUP),
            ..Ledger::new(PARTNER)
        };
        let group = Group {
            rows: WAITING,
            waiting: WAITING,
            waiting_sum: held,
            ..Group::open(GROUP, PARTNER, Time(2))
        };
        World {
            partner,
            ledger,
            group,
            key: BillingKey {
                no: KEY,
                partner: PARTNER,
                sub_id: None,
                bank: "020".into(),
                made_at: Time(3),
                dead: None,
            },
            payout: payout(),
            attempt: attempt(),
            rail: Rail { bank_counter: 7, notices_seen: 2, ..Rail::default() },
        }
    }

    /// Partner, ledger and group, which most commands name.
    fn view(&self) -> View<'_> {
        View {
            partner: Some(&self.partner),
            ledger: Some(&self.ledger),
            group: Some(&self.group),
            ..View::default()
        }
    }
}

fn payout() -> Payout {
    Payout {
        no: PAYOUT,
        partner: PARTNER,
        group: GROUP,
        key: KEY,
        amount: AMOUNT,
        distinct_key: "settlement-20261122-000001".into(),
        sub_id: None,
        print: "정산주식회사".into(),
        print_sent: false,
        at: Time(4),
        own: None,
        webhook_url: None,
    }
}

/// The intent of its first send.
fn attempt() -> Attempt {
    Attempt {
        payout: PAYOUT,
        partner: PARTNER,
        bank_no: Some(BANK_NO),
        day: NOW.day(),
        sent_at: NOW,
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

fn request(number: usize) -> Request {
    Request {
        partner: PARTNER,
        key: Some(KEY),
        amount: AMOUNT,
        sub_id: Some("test12385610".into()),
        distinct_key: format!("settlement-20261122-{number:06}"),
        print: Some("정산".into()),
    }
}

static EPOCHS: LazyLock<Epochs> = LazyLock::new(Epochs::alone);

fn context() -> Context<'static> {
    let rules = Rules::OPEN;
    Context { now: NOW, serial: 1_000_000, epochs: &EPOCHS, rules }
}

/// Measures one order on one view; it must be taken, not refused.
fn measure(c: &mut Criterion, name: &str, rows: usize, view: &View<'_>, by: Actor, give: Command) {
    let (order, context) = (Order { actor: by, command: give }, context());
    let writes = decide(view, &order, &context).map(|change| change.writes.len());
    assert!(writes.as_ref().is_ok_and(|writes| *writes > 0), "{name}: {writes:?}");
    let mut group = c.benchmark_group("decide");
    group.throughput(Throughput::Elements(rows as u64));
    group.bench_function(name, |b| {
        b.iter(|| decide(black_box(view), black_box(&order), black_box(&context)));
    });
    group.finish();
}

fn single(c: &mut Criterion) {
    let world = World::new();
    let view = View { key: Some(&world.key), ..world.view() };
    let command = Command::Request(Box::new(request(1)));
    measure(c, "request", 1, &view, Actor::Partner, command);
}

fn bulk(c: &mut Criterion) {
    let mut world = World::new();
    world.group.mode = Mode::Filling;
    let row = BulkRow { key: Some(&world.key), prior: None };
    let view = View { bulk: vec![row; SLICE], ..world.view() };
    let rows = Arc::new((0..SLICE).map(request).collect());
    let bulk = Bulk { partner: PARTNER, group: Some(GROUP), rows };
    measure(c, "bulk of 512", SLICE, &view, Actor::Partner, Command::Bulk(Box::new(bulk)));
}

fn execute(c: &mut Criterion) {
    let world = World::new();
    let execute = Execute {
        partner: PARTNER,
        group: GROUP,
        target: Target::All,
        action: Action::Now,
        webhook_url: None,
    };
    let command = Command::Execute(Box::new(execute));
    measure(c, "execute ALL", 1, &world.view(), Actor::Partner, command);
}

fn claim(c: &mut Criterion) {
    let mut world = World::new();
    world.group.mode = Mode::Executing;
    world.group.unclaimed = WAITING;
    let (key, payout, rail) = (Some(&world.key), Some(&world.payout), Some(&world.rail));
    let view = View { key, payout, rail, ..world.view() };
    let command = Command::Claim { payout: PAYOUT, partner: PARTNER, group: GROUP, key: KEY };
    measure(c, "claim", 1, &view, Actor::Engine, command);
}

fn outcome(c: &mut Criterion) {
    let mut world = World::new();
    world.payout.own = Some(State::Sending);
    let view = View {
        key: Some(&world.key),
        payout: Some(&world.payout),
        attempt: Some(&world.attempt),
        rail: Some(&world.rail),
        group: None,
        ..world.view()
    };
    let told = Told {
        payout: PAYOUT,
        partner: PARTNER,
        key: KEY,
        bank_no: BANK_NO,
        sends: 1,
        asked: Asked::Deposit,
        answer: Answer::Settled { day: NOW.day(), bank_code_sub: 0 },
    };
    measure(c, "outcome", 1, &view, Actor::Engine, Command::Outcome(Box::new(told)));
}

criterion_group!(decisions, single, bulk, execute, claim, outcome);
criterion_main!(decisions);
