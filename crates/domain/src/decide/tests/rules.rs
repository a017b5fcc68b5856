//! Rules that hold for the change of every command, written without the code under test.

use super::*;
use crate::matter::ProposalState;
use crate::notice::Subject;
use crate::view::Event;

/// The steps that a payout's life may take (decision H13).
const STEPS: [(State, State); 13] = [
    // By operators only, against suspense.
    (State::Failed, State::Settled),
    // After a restore only.
    (State::Requested, State::Unknown),
    (State::Executing, State::Unknown),
    (State::Requested, State::Executing),
    (State::Requested, State::Canceled),
    (State::Executing, State::Sending),
    (State::Executing, State::Failed),
    (State::Sending, State::Executing),
    (State::Sending, State::Settled),
    (State::Sending, State::Failed),
    (State::Sending, State::Unknown),
    (State::Unknown, State::Settled),
    (State::Unknown, State::Failed),
];
const RETURN: (State, State) = (State::Settled, State::Returned);

/// What one won of an entry does to (available, held, funded, suspense).
fn moves(entry: Entry) -> [i64; 4] {
    match entry {
        Entry::Fund => [1, 0, 1, 0],
        Entry::TakeBack => [-1, 0, -1, 0],
        Entry::Hold => [-1, 1, 0, 0],
        Entry::Settle => [0, -1, 0, 0],
        Entry::Refuse | Entry::Cancel => [1, -1, 0, 0],
        Entry::Return => [1, 0, 0, 0],
        Entry::Correct => [0, 0, 0, -1],
        Entry::Recover => [-1, 0, 0, 1],
        Entry::WriteOff | Entry::ReturnOwed => [0, 0, 0, 1],
        // Payments have a model of their own (tests/billing.rs).
        Entry::Capture
        | Entry::SettleCapture
        | Entry::AcquirerPaid
        | Entry::RefundFromCaptured
        | Entry::RefundFromAvailable
        | Entry::Refund
        | Entry::RefundBackToCaptured
        | Entry::RefundBackToAvailable => unreachable!("{entry:?} of a payout"),
    }
}

#[track_caller]
pub fn hold(world: &World, order: &Order, change: &Change) {
    serials(world, change);
    balances(world, change);
    lives(world, change);
    events(order, change);
    reply(world, change);
}

/// Serials are used from the next one on, without a gap, and only as many as rows were made.
#[track_caller]
fn serials(world: &World, change: &Change) {
    let known_group = world.group.as_ref().map(|group| group.no);
    let known_partner = world.partner.as_ref().map(|partner| partner.no);
    let mut made: Vec<i64> = change
        .writes
        .iter()
        .filter_map(|write| match write {
            Write::NewPayout(payout) => Some(payout.no.0),
            Write::NewKey(key, ..) => Some(key.no.0),
            Write::Group(group) if Some(group.no) != known_group => Some(group.no.0),
            Write::Partner(partner) if Some(partner.no) != known_partner => Some(partner.no.0),
            Write::Proposal(p) if p.state == ProposalState::Open => Some(p.no.0),
            _ => None,
        })
        .collect();
    made.sort_unstable();
    assert_eq!(made, (SERIAL..SERIAL + change.serials).collect::<Vec<_>>(), "serials");
}

/// The ledger's new row is the old one moved by the postings, and nothing of it is below zero.
#[track_caller]
fn balances(world: &World, change: &Change) {
    let written: Vec<&Ledger> = change.writes.iter().filter_map(ledger).collect();
    let mut expected = match &world.ledger {
        Some(l) => [l.available.0, l.held.0, l.funded.0, l.suspense.0],
        None => [0; 4],
    };
    let mut postings = 0;
    for write in &change.writes {
        if let Write::Posting(posting) = write {
            assert_eq!((posting.partner, posting.at), (PARTNER, NOW));
            assert!(posting.amount.0 > 0, "{posting:?}");
            for (balance, sign) in expected.iter_mut().zip(moves(posting.entry)) {
                *balance += sign * posting.amount.0;
            }
            postings += 1;
        }
    }
    assert!(written.len() <= 1 && (postings == 0 || written.len() == 1));
    if let Some(l) = written.first() {
        let stored = [l.available.0, l.held.0, l.funded.0, l.suspense.0];
        assert_eq!(stored, expected, "balances follow postings");
        assert!(expected[..3].iter().all(|balance| *balance >= 0) && expected[3] <= 0);
    }
}

/// A row only takes allowed steps, and every outcome has its notice (decision H17).
#[track_caller]
fn lives(world: &World, change: &Change) {
    let mode = world.group.as_ref().map_or(Mode::Open, |group| group.mode);
    let mut outcomes = Vec::new();
    let mut notices = Vec::new();
    for write in &change.writes {
        match write {
            Write::Own(no, to, _) => {
                let row = world.payouts.iter().find(|p| p.no == *no).unwrap();
                let step = (reads_as(row.own, mode), *to);
                assert!(STEPS.contains(&step) || step == RETURN, "{step:?}");
                outcomes.extend(match to {
                    State::Settled => Some((*no, Outcome::Settled)),
                    State::Failed => Some((*no, Outcome::Failed)),
                    State::Returned => Some((*no, Outcome::Returned)),
                    _ => None,
                });
            }
            Write::NewNotice(n) => {
                assert_eq!((n.partner, n.made_at, n.next_at, n.tries), (PARTNER, NOW, NOW, 0));
                let Subject::Payout(payout) = n.subject else { panic!("{:?}", n.subject) };
                notices.push((payout, n.outcome));
            }
            _ => {}
        }
    }
    assert_eq!(notices, outcomes, "one notice an outcome");
}

/// Every change stands in the log with its time and with who did it.
#[track_caller]
fn events(order: &Order, change: &Change) {
    let log: Vec<&Event> = change.writes.iter().filter_map(event).collect();
    assert!(log.iter().all(|event| event.at == NOW && event.actor == order.actor));
    let quiet =
        |write: &Write| matches!(write, Write::Notice(_) | Write::Rail(_) | Write::Operator(_));
    assert!(!log.is_empty() || change.writes.iter().all(quiet), "{:?}", change.writes);
}

/// The answer says what the writes say.
#[track_caller]
fn reply(world: &World, change: &Change) {
    let available = change.writes.iter().find_map(ledger).map(|ledger| ledger.available);
    let find = |pick: fn(&Write) -> Option<i64>| change.writes.iter().find_map(pick);
    match &change.reply {
        Reply::Stale => {
            let quiet = |write: &Write| matches!(write, Write::Rail(_) | Write::Event(_));
            assert!(change.writes.iter().all(quiet));
        }
        Reply::NotNow => assert!(change.writes.is_empty()),
        Reply::Proposed(no) => {
            let made = find(|w| if let Write::Proposal(p) = w { Some(p.no.0) } else { None });
            assert_eq!(made, Some(no.0));
            assert!(available.is_none(), "a proposal moves nothing");
        }
        Reply::Counters(first) => {
            let next = find(|w| if let Write::Rail(r) = w { Some(r.bank_counter) } else { None });
            assert!(*first == world.rail.bank_counter && next > Some(*first));
        }
        Reply::Partner(no) => {
            let made = find(|w| if let Write::Partner(p) = w { Some(p.no.0) } else { None });
            assert_eq!(made, Some(no.0));
        }
        Reply::Key(no, new) => {
            let made = find(|w| if let Write::NewKey(k, ..) = w { Some(k.no.0) } else { None });
            assert_eq!(made, new.then_some(no.0));
        }
        Reply::Funded { available: told, repeated } => {
            assert_eq!(change.writes.is_empty(), *repeated);
            assert_eq!(*told, available.unwrap_or(world.ledger.as_ref().unwrap().available));
        }
        Reply::Requested(told) => {
            let made = change.writes.iter().find_map(|write| match write {
                Write::NewPayout(payout) => Some(payout),
                _ => None,
            });
            let made = made.unwrap();
            assert_eq!((told.payout, told.group, &told.print), (made.no, made.group, &made.print));
            assert_eq!((Some(told.remain), told.at), (available, NOW));
        }
        Reply::Bulk(rows) => {
            let made = change.writes.iter().filter_map(|write| match write {
                Write::NewPayout(payout) => Some((payout.no, payout.group, &payout.print)),
                _ => None,
            });
            let told = rows.iter().flatten().map(|told| (told.payout, told.group, &told.print));
            assert!(made.eq(told), "{:?}", change.writes);
            let last = rows.iter().flatten().next_back().map(|told| told.remain);
            assert_eq!(last, available);
        }
        Reply::Executed { total, remain, rows, at } => {
            let before = world.group.as_ref().unwrap();
            let after = change.writes.iter().find_map(group).unwrap();
            assert_eq!(*rows, before.waiting - after.waiting);
            assert_eq!(total.0, before.waiting_sum.0 - after.waiting_sum.0);
            assert_eq!((Some(*remain), *at), (available, NOW));
        }
        Reply::Send(deposit) => {
            let sent = change.writes.iter().find_map(|write| match write {
                Write::Attempt(attempt) => Some(attempt),
                _ => None,
            });
            let sent = sent.unwrap();
            let row = world.payouts.iter().find(|p| p.no == deposit.payout).unwrap();
            assert_eq!((deposit.payout, deposit.partner), (sent.payout, row.partner));
            assert_eq!((Some(deposit.bank_no), deposit.day), (sent.bank_no, sent.day));
            assert_eq!(deposit.sends, sent.sends);
            assert_eq!((deposit.key, deposit.amount), (row.key, row.amount));
        }
        Reply::Failed => {
            let failed = |write: &Write| matches!(write, Write::Own(_, State::Failed, _));
            assert!(change.writes.iter().any(failed));
        }
        Reply::Done => {}
        // Payments have a model of their own (tests/billing.rs).
        Reply::Payer(_) | Reply::Trade(_) | Reply::Traded(_) | Reply::Settled { .. } => {
            unreachable!("{:?} of a payout", change.reply)
        }
    }
}

pub fn ledger(write: &Write) -> Option<&Ledger> {
    if let Write::Ledger(ledger) = write { Some(ledger) } else { None }
}

fn group(write: &Write) -> Option<&Group> {
    if let Write::Group(group) = write { Some(group) } else { None }
}

pub fn event(write: &Write) -> Option<&Event> {
    if let Write::Event(event) = write { Some(event) } else { None }
}
