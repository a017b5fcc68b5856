//! Random command sequences: every backend must tell the same, whatever is thrown at them, and
//! the ledger's invariants must hold after every batch.

use super::*;
use ichae_domain::audit::{Audit, journal_per_payout};
use ichae_domain::billing::Method;
use ichae_domain::matter::Verdict;
use ichae_domain::payout::State;
use proptest::prelude::*;
use std::sync::Arc;

/// Half of what persons decide needs a second one.
const SEQUENCE_RULES: Rules = Rules { second_above: Some(Won(350)), ..Rules::OPEN };

/// Small numbers that [`step`] reads a command from.
type Step = (u8, u8, u8, u16);

fn step(h: &Harness, (kind, a, b, c): Step, world: &World) -> Option<Command> {
    let partner = *world.partners.get(usize::from(a) % world.partners.len())?;
    let key = *world.keys.get(usize::from(b) % world.keys.len())?;
    let amount = i64::from(c % 700) + 1;
    let serials = i64::from(c % 200) + 1;
    if kind % 3 == 0 {
        return billing::step(h, (kind / 3, a, b, c), &world.partners, &world.payers);
    }
    Some(match kind / 3 % 16 {
        0..=3 => request(partner, key, amount, &format!("d{}", c % 60)),
        4 => {
            let all = execute(partner, GroupNo(serials), Target::All, Action::Now);
            let rows = h.reader.waiting_on_key(GroupNo(serials), key).unwrap();
            let some = execute(partner, GroupNo(serials), Target::Rows(rows), Action::Now);
            if c % 3 == 0 { some } else { all }
        }
        5 => {
            let rows = h.reader.waiting_on_key(GroupNo(serials), key).unwrap();
            let target = if c % 2 == 0 { Target::All } else { Target::Rows(rows) };
            execute(partner, GroupNo(serials), target, Action::Cancel)
        }
        6 | 7 => {
            let own = h.reader.executing_rows(partner, PayoutNo(0), 3).unwrap();
            let group = h.reader.executing_groups(partner).unwrap().first().copied();
            let left = group.map(|g| h.reader.unclaimed(g, PayoutNo(0), 3).unwrap());
            let work = *own.iter().chain(left.iter().flatten()).next()?;
            Command::Claim { payout: work.payout, partner, group: work.group, key: work.key }
        }
        8 => {
            let sent = h.reader.sending(PayoutNo(0), 5).unwrap();
            tell(*sent.get(usize::from(b) % sent.len().max(1))?, Asked::Deposit, c, h.time())
        }
        9 => {
            let due = h.reader.due_inquiries(h.time().plus_ms(600_000), 5).unwrap();
            tell(*due.get(usize::from(b) % due.len().max(1))?, Asked::Inquiry, c, h.time())
        }
        10 => match c % 4 {
            0 => Command::PauseRail { reason: "test".into() },
            1 => Command::ResumeRail,
            2 => fund(partner, amount, &format!("r{}", c % 9)),
            _ => Command::Suspend { partner, suspended: c % 8 < 2 },
        },
        11 => {
            let row = |at: u16| {
                let key = world.keys[usize::from(at) % world.keys.len()];
                row(partner, key, amount, &format!("d{}", (c + at) % 60))
            };
            let rows = (0..u16::from(b % 6)).map(row).collect();
            let group = (c % 3 > 0).then_some(GroupNo(serials));
            Command::Bulk(Box::new(Bulk { partner, group, rows: Arc::new(rows) }))
        }
        12 => {
            let payout = (c % 3 > 0).then_some(PayoutNo(serials));
            let row = payout.and_then(|no| h.reader.row(no).unwrap());
            let partner = row.as_ref().map_or(partner, |row| row.payout.partner);
            let (group, held) = (row.map(|row| row.group.no), c % 2 == 0);
            let reason = "a story".to_owned();
            Command::Hold(Box::new(HoldOrder { partner, payout, group, held, reason }))
        }
        13 => decided(h, c, partner, amount),
        14 => {
            let open = h.reader.proposals(true, 5).unwrap();
            let proposal = open.get(usize::from(b) % open.len().max(1))?;
            match c % 4 {
                0 => Command::Withdraw { proposal: proposal.no },
                _ => Command::Approve {
                    proposal: proposal.no,
                    act: Box::new(proposal.act.clone()),
                    by: "lee".to_owned(),
                },
            }
        }
        _ => {
            let code = (c % 2 == 0).then_some(BankCode(415));
            let notice = i64::from(c);
            Command::Return { payout: PayoutNo(serials), partner, code, notice }
        }
    })
}

/// What a person decides, of a payout in the state for it more often than not.
fn decided(h: &Harness, c: u16, partner: PartnerNo, amount: i64) -> Command {
    let today = h.time().day();
    let (matter, state) = match c % 7 {
        0 => (Matter::Resolve(Verdict::Settled(today)), State::Unknown),
        1 => (Matter::Resolve(Verdict::Failed), State::Unknown),
        2 | 3 => (Matter::Correct(today), State::Failed),
        4 => (Matter::Return(None), State::Settled),
        5 => return owed(partner, c, amount, Matter::Recover),
        _ => return owed(partner, c, amount, Matter::WriteOff),
    };
    let rows = (1..300).filter_map(|no| h.reader.row(PayoutNo(no)).unwrap());
    let fits = rows.filter(|row| row.state == state).map(|row| row.payout);
    match fits.last() {
        Some(row) => act(row.partner, Some(row.no), row.amount.0, matter),
        None => act(partner, Some(PayoutNo(i64::from(c % 200))), amount, matter),
    }
}

/// Each ground counts once; now and then one comes again.
fn owed(partner: PartnerNo, c: u16, amount: i64, matter: Matter) -> Command {
    match act(partner, None, amount.min(30), matter) {
        Command::Act(act) => {
            Command::Act(Box::new(Act { note: format!("letter {}", c % 40), ..*act }))
        }
        other => other,
    }
}

fn tell(deposit: Deposit, asked: Asked, c: u16, at: Time) -> Command {
    let answer = match c % 7 {
        0 | 1 => settled(at),
        2 => refused(415, at),
        3 => refused(421, at),
        4 => LOST,
        5 => BankAnswer::NotSent,
        _ => BankAnswer::OwnSide { code: BankCode(453) },
    };
    Command::Outcome(Box::new(Told {
        payout: deposit.payout,
        partner: deposit.partner,
        key: deposit.key,
        bank_no: deposit.bank_no,
        // Now and then about the send before.
        sends: deposit.sends - i64::from(c.is_multiple_of(11)),
        asked,
        answer,
    }))
}

struct World {
    partners: Vec<PartnerNo>,
    keys: Vec<KeyNo>,
    payers: Vec<(PartnerNo, PayerNo, Method)>,
}

fn populate(h: &mut Harness) -> World {
    let partners = vec![h.partner("a", 20_000), h.partner("b", 5_000)];
    h.give(Command::AddOperator { name: "lee".to_owned(), public_key: [3; 32] }).unwrap();
    h.later(1);
    let keys = vec![h.key(partners[0], "1"), h.key(partners[0], "2"), h.key(partners[1], "1")];
    let methods = [(0, Method::Card), (0, Method::Account), (1, Method::Account)];
    let payers = methods.map(|(at, method)| (partners[at], h.payer(partners[at], method), method));
    World { partners, keys, payers: payers.to_vec() }
}

fn audit(reader: &crate::memory::MemoryReader) {
    let rows = reader.rows_now();
    let mut audit = Audit::default();
    rows.postings.iter().for_each(|posting| audit.posting(posting, 0));
    rows.payouts.values().for_each(|p| audit.row(p.partner, p.amount.0, rows.state(p)));
    let trades = rows.billing.trades.values();
    trades.for_each(|t| audit.trade(t.partner, t.kind, t.state, t.amount.0));
    for (charge, _) in rows.billing.charges.values() {
        audit.open_billing(charge.partner, charge.unsettled().0, charge.refunding.0);
    }
    let ledgers: Vec<_> = rows.ledgers.values().cloned().collect();
    assert_eq!(audit.finish(&ledgers, rows.settlement), []);
    let payouts: Vec<_> =
        rows.payouts.values().map(|p| (p.no, p.group, p.amount.0, rows.state(p))).collect();
    assert_eq!(journal_per_payout(&rows.postings, &payouts), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_backend_tells_the_same(
        batches in prop::collection::vec(prop::collection::vec(any::<Step>(), 1..12), 1..30),
    ) {
        let sqlite_dir = scratch();
        let keys = KeyFolder::at(&sqlite_dir.join("keys")).create().unwrap();
        let mut sqlite = on_sqlite_at(
            sqlite_dir,
            Arc::new(Sealer::new(keys).unwrap()),
            (4, SEQUENCE_RULES),
        );
        let (now, clock) = clock();
        let (backend, reader) = memory::open(SEQUENCE_RULES, clock);
        let mut memory = Harness {
            backend: Box::new(backend),
            reader: Box::new(reader.clone()),
            now,
            file: None,
            database: None,
            sealer: Arc::clone(&sqlite.sealer),
        };
        let sealer = Arc::clone(&sqlite.sealer);
        let mut postgres = on_postgres_at(database(), sealer, SEQUENCE_RULES);
        let world = populate(&mut memory);
        populate(&mut sqlite);
        populate(&mut postgres);
        for batch in batches {
            let steps = batch.into_iter();
            let commands: Vec<Command> =
                steps.filter_map(|numbers| step(&memory, numbers, &world)).collect();
            let one = memory.many(commands.clone());
            prop_assert_eq!(&one, &sqlite.many(commands.clone()));
            prop_assert_eq!(&one, &postgres.many(commands));
            audit(&reader);
            [&memory, &sqlite, &postgres].into_iter().for_each(|store| store.later(700));
        }
        let end = reader.rows_now().next_serial;
        let dump = memory.dump(end);
        prop_assert_eq!(&dump, &sqlite.dump(end));
        prop_assert_eq!(&dump, &postgres.dump(end));
        let link = postgres.database.as_ref().unwrap().link().unwrap();
        let report = crate::postgres::check::check(&link, &postgres.sealer, |_, _| {}).unwrap();
        prop_assert_eq!(report.findings, vec![]);
        let file = sqlite.file.clone().unwrap();
        let report = sqlite::check::check(&file, &sqlite.sealer, |_, _| {}).unwrap();
        prop_assert_eq!(report.findings, vec![]);
    }
}
