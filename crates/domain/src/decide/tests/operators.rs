//! What persons decide (decisions H13, M2, M3).

use super::rules::{event, ledger};
use super::*;
use crate::bank::{Answer, Why};
use crate::calendar::{Calendar, Span};
use crate::command::{Asked, Funding, HoldOrder, Told};
use crate::matter::{Act, Matter, ProposalState, Verdict};
use crate::time::Day;
use crate::view::EventKind;
use std::collections::BTreeMap;

const TODAY: Day = Day(20_261_122);
const NOTE: &str = "statement of 2026-11-22, line 31";

fn person(name: &str) -> Actor {
    Actor::Operator(name.to_owned())
}

/// One payout of 300 in that state, sent yesterday.
fn world(own: State) -> World {
    let mut world = World::new();
    world.mode(Mode::Executing);
    world.row(1, Some(own), KEY, 300);
    world.attempt = Some(attempt(1));
    world
}

fn act(matter: Matter) -> Act {
    let (payout, amount) = (Some(PayoutNo(1)), Won(300));
    Act { matter, partner: PARTNER, payout, amount, note: NOTE.to_owned() }
}

fn give(matter: Matter) -> Command {
    Command::Act(Box::new(act(matter)))
}

fn ended(own: State, entry: Entry, told: Outcome) -> Done {
    Done { own: vec![(1, own)], posted: vec![(entry, 300)], told: vec![told], ..Done::default() }
}

#[test]
fn a_matter_of_a_payout_has_one_state_from_which_it_may_be_decided() {
    let settled = |entry| ended(State::Settled, entry, Outcome::Settled);
    let table = [
        (Matter::Resolve(Verdict::Settled(TODAY)), State::Unknown, settled(Entry::Settle)),
        (
            Matter::Resolve(Verdict::Failed),
            State::Unknown,
            ended(State::Failed, Entry::Refuse, Outcome::Failed),
        ),
        (Matter::Correct(TODAY), State::Failed, settled(Entry::Correct)),
        (
            Matter::Return(None),
            State::Settled,
            ended(State::Returned, Entry::Return, Outcome::Returned),
        ),
    ];
    for (matter, from, done) in table {
        for state in State::ALL {
            let want = if state == from { Ok(done.clone()) } else { Err(Code::P0131) };
            check_as(person("kim"), &world(state), give(matter), want);
        }
        // Neither a partner nor the engine decides it.
        for actor in [Actor::Partner, Actor::Engine] {
            check_as(actor, &world(from), give(matter), Err(Code::T0999));
        }
        let other = Act { amount: Won(299), ..act(matter) };
        check_as(person("kim"), &world(from), Command::Act(Box::new(other)), Err(Code::P0131));
        for note in ["", "  ", "a\u{7}", &"x".repeat(201)] {
            let bare = Act { note: note.to_owned(), ..act(matter) };
            check_as(person("kim"), &world(from), Command::Act(Box::new(bare)), Err(Code::P0134));
        }
    }
}

#[test]
fn a_correction_leaves_what_is_available_alone_and_is_owed_in_suspense() {
    let world = world(State::Failed);
    let change = check_as(
        person("kim"),
        &world,
        give(Matter::Correct(TODAY)),
        Ok(ended(State::Settled, Entry::Correct, Outcome::Settled)),
    );
    let ledger = change.unwrap().writes.iter().find_map(ledger).cloned().unwrap();
    assert_eq!((ledger.available, ledger.suspense), (Won(FUNDS), Won(-300)));
    let mut never_sent = world.clone();
    never_sent.attempt.as_mut().unwrap().bank_no = None;
    let correct = give(Matter::Correct(TODAY));
    check_as(person("kim"), &never_sent, correct, Err(Code::P0131));
}

#[test]
fn what_is_owed_is_recovered_or_written_off_and_never_more() {
    let mut world = World::new();
    let ledger = world.ledger.as_mut().unwrap();
    (ledger.available, ledger.suspense) = (Won(200), Won(-300));
    let money = |matter, amount| {
        let note = "as agreed".to_owned();
        let (partner, payout) = (PARTNER, None);
        Command::Act(Box::new(Act { matter, partner, payout, amount: Won(amount), note }))
    };
    let posted = |entry, amount| Ok(Done { posted: vec![(entry, amount)], ..Done::default() });
    for (matter, amount, want) in [
        (Matter::Recover, 200, posted(Entry::Recover, 200)),
        (Matter::Recover, 201, Err(Code::P0136)),
        (Matter::WriteOff, 300, posted(Entry::WriteOff, 300)),
        (Matter::WriteOff, 301, Err(Code::P0136)),
        (Matter::Fund(Funding::In), 50, posted(Entry::Fund, 50)),
        (Matter::Fund(Funding::Back), 201, Err(Code::P0111)),
    ] {
        check_as(person("kim"), &world, money(matter, amount), want);
    }
}

#[test]
fn failed_waits_for_the_end_of_the_business_day_unless_the_rules_are_a_tests() {
    let failed = ended(State::Failed, Entry::Refuse, Outcome::Failed);
    for (days_ago, same_day, want) in
        [(1, false, Ok(failed.clone())), (0, false, Err(Code::P0135)), (0, true, Ok(failed))]
    {
        let mut world = world(State::Unknown);
        world.context.rules.resolve_same_day = same_day;
        let attempt = world.attempt.as_mut().unwrap();
        attempt.sent_at = NOW.plus_ms(-days_ago * 86_400_000);
        attempt.day = attempt.sent_at.day();
        check_as(person("kim"), &world, give(Matter::Resolve(Verdict::Failed)), want);
    }
    let paid_on = |day| give(Matter::Resolve(Verdict::Settled(Day(day))));
    // After its cut-off a bank dates on the next day, and never further on.
    let done = ended(State::Settled, Entry::Settle, Outcome::Settled);
    check_as(person("kim"), &world(State::Unknown), paid_on(20_261_123), Ok(done));
    check_as(person("kim"), &world(State::Unknown), paid_on(20_261_124), Err(Code::P0131));
    let mut young = world(State::Unknown);
    young.payouts[0].at = NOW;
    check_as(person("kim"), &young, paid_on(20_261_121), Err(Code::P0131));
}

fn operator(name: &str, added_at: Time) -> Operator {
    Operator {
        name: name.to_owned(),
        public_key: [7; 32],
        added_at,
        revoked_at: None,
        last_signed: Time(0),
    }
}

/// What is owed for a corrected payout is paid by its return first; nothing is given twice.
#[test]
fn the_return_of_a_corrected_payout_pays_what_is_owed_for_it() {
    for (suspense, entry) in [(-300, Entry::ReturnOwed), (-299, Entry::Return), (0, Entry::Return)]
    {
        let mut world = world(State::Settled);
        world.attempt.as_mut().unwrap().failure = Some(Code::A0009);
        world.ledger.as_mut().unwrap().suspense = Won(suspense);
        let done = ended(State::Returned, entry, Outcome::Returned);
        check_as(person("kim"), &world, give(Matter::Return(None)), Ok(done.clone()));
        let told = Command::Return { payout: PayoutNo(1), partner: PARTNER, code: None, notice: 9 };
        check_as(Actor::Engine, &world, told, Ok(done));
    }
}

/// A bank that says the opposite of how a payout ended changes nothing, and is written down.
#[test]
fn a_bank_that_contradicts_the_end_is_written_down() {
    let refused = Answer::Refused { code: BankCode(412), day: TODAY };
    let settled = Answer::Settled { day: TODAY, bank_code_sub: 0 };
    for (own, answer, written) in [
        (State::Failed, settled, true),
        (State::Settled, refused, true),
        (State::Failed, refused, false),
        (State::Settled, settled, false),
        (State::Settled, Answer::Unknown(Why::Lost), false),
    ] {
        let world = world(own);
        let told = told(&world, Asked::Inquiry, answer);
        let change = check_as(Actor::Engine, &world, told, Ok(Done::stale())).unwrap();
        let kinds: Vec<_> = change.writes.iter().filter_map(event).map(|e| e.kind).collect();
        let expected: &[_] = if written { &[EventKind::Contradicted] } else { &[] };
        assert_eq!(kinds, expected, "{own:?} {answer:?}");
    }
}

#[test]
fn above_the_set_amount_a_second_person_is_needed() {
    let matter = Matter::Resolve(Verdict::Settled(TODAY));
    let mut world = world(State::Unknown);
    world.context.rules.second_above = Some(Won(300));
    let done = ended(State::Settled, Entry::Settle, Outcome::Settled);
    check_as(person("kim"), &world, give(matter), Ok(done.clone()));
    world.context.rules.second_above = Some(Won(299));
    let change = check_as(person("kim"), &world, give(matter), Ok(Done::default())).unwrap();
    let Reply::Proposed(no) = change.reply else { panic!("{:?}", change.reply) };
    let proposal = change.writes.iter().find_map(|write| match write {
        Write::Proposal(proposal) => Some(proposal.clone()),
        _ => None,
    });
    world.proposal = proposal;

    let approve = |act: Act, by: &str| {
        let by = by.to_owned();
        Command::Approve { proposal: no, act: Box::new(act), by }
    };
    world.operator = Some(operator("kim", NOW.plus_ms(-1)));
    check_as(person("kim"), &world, approve(act(matter), "kim"), Err(Code::P0133));
    let other = Act { note: "another ground".to_owned(), ..act(matter) };
    world.operator = Some(operator("lee", NOW.plus_ms(-1)));
    check_as(person("lee"), &world, approve(other, "lee"), Err(Code::P0132));
    // Somebody else's name, nobody's, one who is revoked, and one who was added for it.
    check_as(person("lee"), &world, approve(act(matter), "kim"), Err(Code::P0121));
    for (at, revoked, want) in [(-1, true, Code::P0121), (0, false, Code::P0133)] {
        let mut lee = operator("lee", NOW.plus_ms(at));
        lee.revoked_at = revoked.then_some(NOW);
        let world = World { operator: Some(lee), ..world.clone() };
        check_as(person("lee"), &world, approve(act(matter), "lee"), Err(want));
    }
    let change = check_as(person("lee"), &world, approve(act(matter), "lee"), Ok(done)).unwrap();
    let log: Vec<_> = change.writes.iter().filter_map(event).collect();
    let approved = log.iter().find(|event| event.kind == EventKind::Approved).unwrap();
    assert_eq!(approved.actor, person("lee"));
    assert!(approved.note.as_ref().unwrap().ends_with("proposed by kim"), "{approved:?}");
    assert!(log.iter().any(|e| e.kind == EventKind::Resolved && e.note.as_deref() == Some(NOTE)));

    // Taken back, or approved already: closed for ever.
    let withdraw = Command::Withdraw { proposal: no };
    check_as(person("kim"), &world, withdraw.clone(), Ok(Done::default()));
    for state in [ProposalState::Approved, ProposalState::Withdrawn] {
        world.proposal.as_mut().unwrap().state = state;
        check_as(person("lee"), &world, approve(act(matter), "lee"), Err(Code::P0132));
        check_as(person("lee"), &world, withdraw.clone(), Err(Code::P0132));
    }
}

#[test]
fn an_approval_is_decided_anew() {
    let matter = Matter::Resolve(Verdict::Settled(TODAY));
    let mut world = world(State::Settled);
    world.proposal = Some(Proposal {
        no: crate::ident::ProposalNo(9),
        act: act(matter),
        by: "kim".to_owned(),
        at: Time(6),
        state: ProposalState::Open,
        closed_by: None,
        closed_at: None,
    });
    world.operator = Some(operator("lee", Time(5)));
    let (proposal, by) = (crate::ident::ProposalNo(9), "lee".to_owned());
    let approve = Command::Approve { proposal, act: Box::new(act(matter)), by };
    check_as(person("lee"), &world, approve, Err(Code::P0131));
}

#[test]
fn a_held_payout_and_a_held_partners_wait_and_go_on_after() {
    let hold = |payout: Option<PayoutNo>, held| {
        let group = payout.map(|_| GROUP);
        let reason = "asked by the partner".to_owned();
        Command::Hold(Box::new(HoldOrder { partner: PARTNER, payout, group, held, reason }))
    };
    for state in State::ALL {
        let may = matches!(state, State::Requested | State::Executing);
        let want = if may { Ok(Done::default()) } else { Err(Code::P0131) };
        check_as(person("kim"), &world(state), hold(Some(PayoutNo(1)), true), want);
    }
    let claim = || Command::Claim { payout: PayoutNo(1), partner: PARTNER, group: GROUP, key: KEY };
    let mut world = world(State::Executing);
    check_as(person("kim"), &world, hold(Some(PayoutNo(1)), false), Ok(Done::stale()));
    world.hold = Some(Hold { at: Time(5), by: "kim".to_owned(), reason: String::new() });
    assert_eq!(check(&world, claim(), Ok(Done::default())).unwrap().reply, Reply::NotNow);
    check_as(person("kim"), &world, hold(Some(PayoutNo(1)), true), Ok(Done::stale()));
    check_as(person("kim"), &world, hold(Some(PayoutNo(1)), false), Ok(Done::default()));
    world.hold = None;
    check_as(person("kim"), &world, hold(None, true), Ok(Done::default()));
    world.partner.as_mut().unwrap().held = true;
    assert_eq!(check(&world, claim(), Ok(Done::default())).unwrap().reply, Reply::NotNow);
    world.partner.as_mut().unwrap().held = false;
    let sending = Done { own: vec![(1, State::Sending)], ..Done::default() };
    check(&world, claim(), Ok(sending));
}

#[test]
fn outside_the_hours_nothing_is_claimed_and_the_next_inquiry_waits_for_them() {
    // It is 12:00; the centre closes from 11:00 to 13:00, the bank of the key until 14:00.
    let closed = BTreeMap::from([("020".to_owned(), vec![Span::parse("12:30-14:00").unwrap()])]);
    let calendar = Calendar { hours: Span::parse("13:00-11:00").unwrap(), closed };
    let calendar: &'static Calendar = Box::leak(Box::new(calendar));
    let claim = Command::Claim { payout: PayoutNo(1), partner: PARTNER, group: GROUP, key: KEY };
    let mut world = world(State::Executing);
    world.context.rules.calendar = calendar;
    for (hours, sends) in [(0, false), (1, false), (2, true)] {
        world.context.now = NOW.plus_ms(hours * 3_600_000);
        let decided = world.decide(&Order { actor: Actor::Engine, command: claim.clone() });
        let reply = decided.unwrap().reply;
        assert_eq!(matches!(reply, Reply::Send(_)), sends, "{hours}: {reply:?}");
    }
    let mut world = self::world(State::Unknown);
    world.context.rules.calendar = calendar;
    let told = told(&world, Asked::Inquiry, Answer::Unknown(Why::TimedOut));
    let change = check(&world, told, Ok(Done::default())).unwrap();
    assert_eq!(attempt_of(&change).inquire_at, Some(NOW.plus_ms(3_600_000)));
}

fn told(world: &World, asked: Asked, answer: Answer) -> Command {
    let attempt = world.attempt.as_ref().unwrap();
    Command::Outcome(Box::new(Told {
        payout: attempt.payout,
        partner: PARTNER,
        key: KEY,
        bank_no: attempt.bank_no.unwrap(),
        sends: attempt.sends,
        asked,
        answer,
    }))
}

fn attempt_of(change: &Change) -> Attempt {
    let attempt = change.writes.iter().find_map(|write| match write {
        Write::Attempt(attempt) => Some(attempt.clone()),
        _ => None,
    });
    attempt.unwrap()
}

/// Where the bank knows nothing on our day, it is asked for the other side of midnight, if it can
/// have been dated there (openbanking 7.3).
#[test]
fn near_midnight_both_days_are_asked_for() {
    let midnight = NOW.plus_ms(-12 * 3_600_000);
    let (before, after) = (Day(20_261_121), Day(20_261_122));
    for (sent_ms, days) in [
        (-11 * 60_000, vec![before, before, before]),
        (-60_000, vec![before, after, before, after]),
        (60_000, vec![after, before, after]),
        (11 * 60_000, vec![after, after]),
    ] {
        let mut world = world(State::Unknown);
        let sent_at = midnight.plus_ms(sent_ms);
        let attempt = world.attempt.as_mut().unwrap();
        (attempt.sent_at, attempt.day) = (sent_at, sent_at.day());
        for day in days {
            assert_eq!(world.attempt.as_ref().unwrap().day, day, "{sent_ms}");
            // Only "no history" turns to the other day: another answer was about this one.
            for why in [Why::Processing, Why::NoHistory] {
                let told = told(&world, Asked::Inquiry, Answer::Unknown(why));
                let change = check(&world, told, Ok(Done::default())).unwrap();
                assert_eq!(attempt_of(&change).why, Some(why));
                world.attempt = Some(attempt_of(&change));
            }
        }
    }
}

#[test]
fn an_inquirys_refusal_ends_it_only_where_the_table_says_so() {
    let world = world(State::Unknown);
    let day = TODAY;
    for (code, ends) in
        [("412", true), ("815", true), ("111", false), ("453", false), ("A0310", false)]
    {
        let code = BankCode::find(code).unwrap();
        let told = told(&world, Asked::Inquiry, Answer::Refused { code, day });
        let order = Order { actor: Actor::Engine, command: told };
        let change = world.decide(&order).unwrap();
        assert_eq!(!Done::of(&change, &world).own.is_empty(), ends, "{}", code.text());
    }
}

#[test]
fn a_signature_counts_once_and_near_its_moment_and_a_revoked_name_signs_nothing() {
    let add = |name: &str| Command::AddOperator { name: name.to_owned(), public_key: [7; 32] };
    let sign = |at: Time| Command::Sign { name: "kim".to_owned(), at };
    let revoke = Command::RevokeOperator { name: "kim".to_owned() };
    let mut world = World::new();
    for name in ["", "a b", "가", &"x".repeat(33)] {
        check_as(person("uid 0"), &world, add(name), Err(Code::P0124));
    }
    check(&world, sign(NOW), Err(Code::P0121));
    let change = check_as(person("uid 0"), &world, add("kim"), Ok(Done::default())).unwrap();
    let operator = |change: &Change| {
        change.writes.iter().find_map(|write| match write {
            Write::Operator(operator) => Some(operator.clone()),
            _ => None,
        })
    };
    world.operator = operator(&change);
    check_as(person("uid 0"), &world, add("kim"), Err(Code::P0123));
    for far in [-60_001, 60_001] {
        check(&world, sign(NOW.plus_ms(far)), Err(Code::P0122));
    }
    let change = check(&world, sign(NOW), Ok(Done::default())).unwrap();
    world.operator = operator(&change);
    check(&world, sign(NOW), Err(Code::P0122));
    check(&world, sign(NOW.plus_ms(-1)), Err(Code::P0122));
    check(&world, sign(NOW.plus_ms(1)), Ok(Done::default()));
    let change = check_as(person("lee"), &world, revoke.clone(), Ok(Done::default())).unwrap();
    world.operator = operator(&change);
    check(&world, sign(NOW.plus_ms(2)), Err(Code::P0121));
    check_as(person("lee"), &world, revoke, Ok(Done::stale()));
    check_as(person("lee"), &world, add("kim"), Err(Code::P0123));
}

#[test]
fn counters_are_taken_in_blocks_and_never_twice() {
    let world = World::new();
    let take = |count| Command::TakeCounters { count };
    let change = check(&world, take(1_000), Ok(Done::default())).unwrap();
    assert_eq!(change.reply, Reply::Counters(7));
    let mut last = world.clone();
    last.rail.bank_counter = crate::ident::BANK_COUNTER_MAX - crate::ident::BANK_COUNTED_FROM - 1;
    check(&last, take(1), Ok(Done::default()));
    check(&last, take(2), Err(Code::T0503));
}
