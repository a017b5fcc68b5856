//! `/transfer/execute` (decisions H7, H10).

use super::*;
use crate::command::{Action, Execute, Target};
use crate::ledger::Subject;

fn execute(target: Target, action: Action) -> Execute {
    let webhook_url = Some(URL.to_owned());
    Execute { partner: PARTNER, group: GROUP, target, action, webhook_url }
}

fn give(execute: Execute) -> Command {
    Command::Execute(Box::new(execute))
}

fn one_row() -> World {
    let mut world = World::new();
    world.row(11, None, KEY, 300);
    world
}

/// Every combination of faults is answered with the first of them (decision H6a).
#[test]
fn refusals_come_in_order_of_precedence() {
    type Fault = (Code, fn(&mut World, &mut Execute));
    let faults: [Fault; 5] = [
        (Code::P0101, |w, _| w.partner = None),
        (Code::T0340, |w, _| w.partner.iter_mut().for_each(|p| p.suspended = true)),
        (Code::E0101, |w, _| w.group.as_mut().unwrap().partner = STRANGER),
        (Code::E0120, |_, e| e.webhook_url = None),
        (Code::E0130, |w, _| {
            let group = w.group.as_mut().unwrap();
            (group.waiting, group.waiting_sum) = (0, Won::ZERO);
            w.payouts[0].own = Some(State::Sending);
        }),
    ];
    for target in [Target::All, Target::Rows(vec![PayoutNo(11)])] {
        for action in [Action::Now, Action::Cancel] {
            for planted in subsets(faults.len()) {
                let mut world = one_row();
                let mut call = execute(target.clone(), action);
                let mut first = None;
                for ((code, plant), _) in faults.iter().zip(planted).filter(|(_, on)| *on) {
                    plant(&mut world, &mut call);
                    // A cancel sends nothing, so it needs no address.
                    let counts = *code != Code::E0120 || action == Action::Now;
                    first = first.or(counts.then_some(*code));
                }
                let order = Order { actor: Actor::Partner, command: give(call) };
                assert_eq!(world.decide(&order).err().map(|refusal| refusal.code), first);
            }
        }
    }
}

#[test]
fn an_unknown_group_and_a_strangers_are_one_refusal() {
    let mut world = one_row();
    world.group = None;
    check(&world, give(execute(Target::All, Action::Now)), Err(Code::E0101));
}

/// Decision H6: suspending stops the partner, not the operator who cleans up after it.
#[test]
fn an_operator_may_cancel_what_a_suspended_partner_left() {
    let mut world = one_row();
    world.partner.as_mut().unwrap().suspended = true;
    let cancel = give(execute(Target::All, Action::Cancel));
    check(&world, cancel.clone(), Err(Code::T0340));
    let done = Done {
        posted: vec![(Entry::Cancel, 300)],
        groups: vec![(GROUP.0, Mode::Canceled, 0, 0, 0)],
        ..Done::default()
    };
    check_as(Actor::Operator("kim".into()), &world, cancel, Ok(done));
}

/// Decision H10: needed for NOW in TEST where none is registered; LIVE ignores the field.
#[test]
fn the_webhook_address_is_needed_in_test_and_ignored_in_live() {
    // (per call, registered, sent) → what the rows keep, or E0120.
    let table: [(bool, bool, bool, Result<bool, Code>); 8] = [
        (true, false, false, Err(Code::E0120)),
        (true, false, true, Ok(true)),
        (true, true, false, Ok(false)),
        (true, true, true, Ok(true)),
        (false, false, false, Ok(false)),
        (false, false, true, Ok(false)),
        (false, true, false, Ok(false)),
        (false, true, true, Ok(false)),
    ];
    for (per_call, registered, sent, want) in table {
        for target in [Target::All, Target::Rows(vec![PayoutNo(11)])] {
            let mut world = one_row();
            world.context.rules.webhook_per_call = per_call;
            world.partner.as_mut().unwrap().webhook_url =
                registered.then(|| "https://registered.example/".to_owned());
            let mut call = execute(target.clone(), Action::Now);
            call.webhook_url = call.webhook_url.filter(|_| sent);
            let order = Order { actor: Actor::Partner, command: give(call) };
            let decided = world.decide(&order).map_err(|refusal| refusal.code);
            let kept = decided.map(|change| change.writes.iter().find_map(address));
            assert_eq!(kept, want.map(|kept| kept.then(|| URL.to_owned())));
        }
    }
}

fn address(write: &Write) -> Option<String> {
    match write {
        Write::Group(group) => group.webhook_url.clone(),
        Write::Own(_, _, url) => url.clone(),
        _ => None,
    }
}

/// What an execution should do, as a table of its own: which rows it takes follows from what they
/// are, and the rest from the command.
fn model(world: &World, target: &Target, action: Action) -> Result<Done, Code> {
    let group = world.group.as_ref().unwrap();
    let named = |row: &&Payout| match target {
        Target::All => true,
        Target::Rows(rows) => rows.contains(&row.no),
    };
    let waits = |row: &&Payout| reads_as(row.own, group.mode) == State::Requested;
    let taken: Vec<&Payout> = world.payouts.iter().filter(named).filter(waits).collect();
    if taken.is_empty() {
        return Err(Code::E0130);
    }
    let sum: i64 = taken.iter().map(|row| row.amount.0).sum();
    let count = i64::try_from(taken.len()).unwrap();
    let all = *target == Target::All;
    let each = |state| taken.iter().map(|row| (row.no.0, state)).collect();
    let (own, posted): (Vec<_>, Vec<_>) = match (action, all) {
        (Action::Now, true) => (vec![], vec![]),
        (Action::Now, false) => (each(State::Executing), vec![]),
        (Action::Cancel, true) => (vec![], vec![(Entry::Cancel, sum)]),
        (Action::Cancel, false) => {
            let released = taken.iter().map(|row| (Entry::Cancel, row.amount.0)).collect();
            (each(State::Canceled), released)
        }
    };
    let mode = match (action, all, group.mode) {
        (Action::Now, true, _) => Mode::Executing,
        (Action::Cancel, true, _) => Mode::Canceled,
        (Action::Now, false, Mode::Open | Mode::Filling) => Mode::Closed,
        (_, false, same) => same,
    };
    let unclaimed = if mode == Mode::Executing { count } else { 0 };
    let left = (group.waiting - count, group.waiting_sum.0 - sum);
    let groups = vec![(GROUP.0, mode, left.0, left.1, unclaimed)];
    Ok(Done { own, posted, groups, ..Done::default() })
}

/// Every group of up to three rows, in every mode: up to two rows in all states and on either key,
/// three in the states that an execution tells apart.
fn small_worlds() -> Vec<World> {
    let few = [None, Some(State::Executing), Some(State::Settled), Some(State::Canceled)];
    // A row that is requested has no state of its own.
    let all: Vec<_> = owns().into_iter().filter(|own| *own != Some(State::Requested)).collect();
    let mut worlds = Vec::new();
    for mode in Mode::ALL {
        let mut empty = World::new();
        empty.mode(mode);
        let mut layer = vec![empty];
        for rows in 0..=3_i64 {
            worlds.extend(layer.iter().cloned());
            let states = if rows < 2 { &all[..] } else { &few[..] };
            layer = layer.iter().flat_map(|world| with_row(world, rows, states)).collect();
        }
    }
    worlds
}

fn with_row(world: &World, rows: i64, states: &[Option<State>]) -> Vec<World> {
    let mut next = Vec::new();
    for own in states {
        for key in [KEY, OTHER_KEY] {
            let mut grown = world.clone();
            grown.row(11 + rows, *own, key, 100 << rows);
            next.push(grown);
        }
    }
    next
}

/// Decision H10, exhaustively: ALL and one key, NOW and CANCEL, against the model.
#[test]
fn every_small_group_is_executed_and_cancelled_as_the_model_says() {
    for world in small_worlds() {
        let on_key = |row: &&Payout| row.key == KEY;
        let rows = world.payouts.iter().filter(on_key).map(|row| row.no).collect();
        for target in [Target::All, Target::Rows(rows)] {
            for action in [Action::Now, Action::Cancel] {
                let want = model(&world, &target, action);
                let change = check(&world, give(execute(target.clone(), action)), want);
                if let Some(change) = change {
                    after(&world, &change);
                }
            }
        }
    }
}

/// Afterwards the group's counters are true to its rows, what is held is what its rows hold, and
/// the group takes new requests exactly as long as it is the open one.
fn after(world: &World, change: &Change) {
    let mut rows = world.payouts.clone();
    let mut group = world.group.clone().unwrap();
    let mut ledger = world.ledger.clone().unwrap();
    for write in &change.writes {
        match write {
            Write::Own(no, state, _) => {
                rows.iter_mut().filter(|row| row.no == *no).for_each(|row| row.own = Some(*state));
            }
            Write::Group(after) => group = after.clone(),
            Write::Ledger(after) => ledger = after.clone(),
            Write::Posting(posting) if posting.subject == Subject::Group(GROUP) => {
                assert_eq!(group.mode, world.group.as_ref().unwrap().mode, "before its group");
            }
            _ => {}
        }
    }
    let states = |of: State| rows.iter().filter(move |r| reads_as(r.own, group.mode) == of);
    let sum: i64 = states(State::Requested).map(|row| row.amount.0).sum();
    let waiting = i64::try_from(states(State::Requested).count()).unwrap();
    assert_eq!((group.waiting, group.waiting_sum.0), (waiting, sum));
    let unclaimed = rows.iter().filter(|r| r.own.is_none() && group.mode == Mode::Executing);
    assert_eq!(group.unclaimed, i64::try_from(unclaimed.count()).unwrap());
    let holding = [State::Requested, State::Executing, State::Sending, State::Unknown];
    let held: i64 = holding.into_iter().flat_map(states).map(|row| row.amount.0).sum();
    assert_eq!(ledger.held.0, held);
    assert_eq!(ledger.open_group.is_some(), group.mode == Mode::Open);
}

/// The rows were looked up before the command was queued; each is checked again.
#[test]
fn rows_of_other_groups_and_rows_named_twice_are_not_taken_for_more() {
    let mut world = one_row();
    let mut elsewhere = payout(12, None, KEY, 900);
    elsewhere.group = GroupNo(GROUP.0 + 1);
    world.payouts.push(elsewhere);
    let named = [12, 11, 11, 77].map(PayoutNo).to_vec();
    let done = Done {
        own: vec![(11, State::Canceled)],
        posted: vec![(Entry::Cancel, 300)],
        groups: vec![(GROUP.0, Mode::Open, 0, 0, 0)],
        ..Done::default()
    };
    check(&world, give(execute(Target::Rows(named), Action::Cancel)), Ok(done));
    let strange = Target::Rows(vec![PayoutNo(12)]);
    check(&world, give(execute(strange, Action::Now)), Err(Code::E0130));
}

/// Decision H10: `tot_tran_amt` is the sum of what this call took, `remain_amt` what is left.
#[test]
fn the_answer_counts_what_this_call_took() {
    let mut world = one_row();
    world.row(12, Some(State::Executing), KEY, 500);
    world.row(13, None, OTHER_KEY, 700);
    let table = [
        (Target::All, Action::Now, 1_000, 8_500, 2),
        (Target::All, Action::Cancel, 1_000, 9_500, 2),
        (Target::Rows(vec![PayoutNo(11), PayoutNo(12)]), Action::Now, 300, 8_500, 1),
        (Target::Rows(vec![PayoutNo(13)]), Action::Cancel, 700, 9_200, 1),
    ];
    for (target, action, total, remain, rows) in table {
        let order = Order { actor: Actor::Partner, command: give(execute(target, action)) };
        let (total, remain) = (Won(total), Won(remain));
        let want = Reply::Executed { total, remain, rows, at: NOW };
        assert_eq!(world.decide(&order).unwrap().reply, want);
    }
}
