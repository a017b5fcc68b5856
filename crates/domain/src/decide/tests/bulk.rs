//! Bulk intake: each row as if it had come alone (decisions H7 to H9).

use super::*;
use crate::command::{Bulk, Request};
use crate::refusal::Detail;
use crate::view::Requested;
use std::sync::Arc;

fn row(distinct_key: &str, amount: i64) -> Request {
    Request {
        partner: PARTNER,
        key: Some(KEY),
        amount: Won(amount),
        sub_id: None,
        distinct_key: distinct_key.into(),
        print: None,
    }
}

fn bulk(group: Option<GroupNo>, rows: &[Request]) -> Command {
    Command::Bulk(Box::new(Bulk { partner: PARTNER, group, rows: Arc::new(rows.to_vec()) }))
}

#[track_caller]
fn told(world: &World, rows: &[Request], want: Done) -> Vec<Result<Requested, Refusal>> {
    let group = world.group.as_ref().map(|group| group.no);
    let change = check(world, bulk(group, rows), Ok(want)).unwrap();
    match change.reply {
        Reply::Bulk(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn codes(rows: &[Result<Requested, Refusal>]) -> Vec<Option<Code>> {
    rows.iter().map(|row| row.as_ref().err().map(|refusal| refusal.code)).collect()
}

/// The open group of single requests is left alone; the first row that is taken opens another.
#[test]
fn rows_open_a_group_of_their_own() {
    let world = World::new();
    let fresh = SERIAL + 1;
    let want = Done {
        posted: vec![(Entry::Hold, 1_000), (Entry::Hold, 2_000)],
        groups: vec![(fresh, Mode::Filling, 2, 3_000, 0)],
        ..Done::default()
    };
    let rows = told(&world, &[row("a", 1_000), row("b", 2_000)], want);
    let taken: Vec<_> =
        rows.iter().flatten().map(|t| (t.payout.0, t.group.0, t.remain.0)).collect();
    assert_eq!(taken, [(SERIAL, fresh, 9_000), (SERIAL + 2, fresh, 7_000)]);
}

/// Later slices join it as long as nothing was executed; then another is opened. A single request's
/// group, closed or not, is never joined, and neither is another partner's.
#[test]
fn rows_join_only_a_group_that_is_still_filling() {
    for mode in Mode::ALL {
        let mut world = World::new();
        world.mode(mode);
        let joins = mode == Mode::Filling;
        let group = if joins { GROUP.0 } else { SERIAL + 1 };
        let want = Done {
            posted: vec![(Entry::Hold, 1_000)],
            groups: vec![(group, Mode::Filling, 1, 1_000, 0)],
            ..Done::default()
        };
        told(&world, &[row("a", 1_000)], want);
    }
    let mut world = World::new();
    world.mode(Mode::Filling);
    world.group.as_mut().unwrap().partner = STRANGER;
    let want = Done {
        posted: vec![(Entry::Hold, 1_000)],
        groups: vec![(SERIAL + 1, Mode::Filling, 1, 1_000, 0)],
        ..Done::default()
    };
    told(&world, &[row("a", 1_000)], want);
}

/// A refused row leaves nothing behind and holds up none of the others.
#[test]
fn each_row_is_refused_by_itself() {
    let mut world = World::new();
    world.mode(Mode::Filling);
    world.partner.as_mut().unwrap().transfer_cap = Some(Won(6_000));
    world.prior = Some((payout(11, None, KEY, 500), world.group.clone().unwrap()));
    let rows = [
        row("a", 4_000),
        row("d11", 500),
        row("d11", 501),
        row("b", 6_001),
        row("c", 6_001 - 1),
        row("d", 1),
        Request { key: Some(OTHER_KEY), ..row("e", 1) },
        row("f", 1),
    ];
    let want = Done {
        posted: vec![(Entry::Hold, 4_000), (Entry::Hold, 6_000)],
        groups: vec![(GROUP.0, Mode::Filling, 2, 10_000, 0)],
        ..Done::default()
    };
    let codes = codes(&told(&world, &rows, want));
    let want = [
        None,
        Some(Code::R0132),
        Some(Code::R0133),
        Some(Code::R0113),
        None,
        Some(Code::R0140),
        Some(Code::R0102),
        Some(Code::R0140),
    ];
    assert_eq!(codes, want);
}

/// A call in which nothing is taken makes no group.
#[test]
fn rows_that_are_all_refused_write_nothing() {
    let world = World::new();
    let rows = [row("a", 10_001), Request { key: None, ..row("b", 1) }];
    let change = check(&world, bulk(None, &rows), Ok(Done::default())).unwrap();
    assert!(change.writes.is_empty() && change.serials == 0);
    let mut world = World::new();
    world.partner.as_mut().unwrap().suspended = true;
    let change = check(&world, bulk(None, &rows), Ok(Done::default())).unwrap();
    let Reply::Bulk(rows) = change.reply else { panic!() };
    assert_eq!(codes(&rows), [Some(Code::T0340), Some(Code::T0340)]);
    let mut world = World::new();
    world.partner = None;
    check(&world, bulk(None, &[]), Err(Code::P0101));
}

/// The second of a key within one slice sees the first, as it would across calls (decision H9).
#[test]
fn a_key_is_taken_once_within_a_slice() {
    let world = World::new();
    let rows = [row("a", 1_000), row("a", 1_000), row("a", 2_000), row("b", 1_000)];
    let want = Done {
        posted: vec![(Entry::Hold, 1_000), (Entry::Hold, 1_000)],
        groups: vec![(SERIAL + 1, Mode::Filling, 2, 2_000, 0)],
        ..Done::default()
    };
    let rows = told(&world, &rows, want);
    assert_eq!(codes(&rows), [None, Some(Code::R0132), Some(Code::R0133), None]);
    let first = rows[0].clone().unwrap();
    for repeat in &rows[1..3] {
        let Err(Refusal { detail: Detail::First(told, _), .. }) = repeat else { panic!() };
        let same = (told.payout, told.group, told.amount, told.at, told.state);
        assert_eq!(same, (first.payout, first.group, Won(1_000), NOW, State::Requested));
    }
}

/// Rows of another partner in one's call would move the wrong balances.
#[test]
fn a_strangers_row_is_a_fault() {
    let world = World::new();
    let rows = [Request { partner: STRANGER, ..row("a", 1) }];
    let change = check(&world, bulk(None, &rows), Ok(Done::default())).unwrap();
    let Reply::Bulk(rows) = change.reply else { panic!() };
    assert_eq!(codes(&rows), [Some(Code::T0999)]);
}

/// Executing what waits on one key closes a filling group, as it closes an open one (decision H7).
#[test]
fn an_execution_ends_the_filling() {
    for (action, mode) in [
        (crate::command::Action::Now, Mode::Closed),
        (crate::command::Action::Cancel, Mode::Filling),
    ] {
        let mut world = World::new();
        world.mode(Mode::Filling);
        world.row(11, None, KEY, 1_000);
        world.row(12, None, KEY, 500);
        let execute = crate::command::Execute {
            partner: PARTNER,
            group: GROUP,
            target: crate::command::Target::Rows(vec![PayoutNo(11)]),
            action,
            webhook_url: Some(URL.into()),
        };
        let order = Order { actor: Actor::Partner, command: Command::Execute(Box::new(execute)) };
        let change = world.decide(&order).unwrap();
        let group = change.writes.iter().find_map(|write| match write {
            Write::Group(group) => Some(group.mode),
            _ => None,
        });
        assert_eq!(group, Some(mode));
    }
}
