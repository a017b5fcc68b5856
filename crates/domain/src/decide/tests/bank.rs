//! Intent, outcome, return and the stop switch (decisions H11, H13, H17, M3).

use super::*;
use crate::bank::{Answer, Why};
use crate::command::{Asked, Doubt, Told};
use crate::ident::BANK_COUNTER_MAX;
use crate::time::Day;
use crate::view::{Deposit, EventKind};

const ROW: PayoutNo = PayoutNo(11);
const DAY: Day = Day(20_261_121);
const KILLS: BankCode = BankCode(415);
const SPARES: BankCode = BankCode(421);
const SHORT: BankCode = BankCode(453);

/// A row of 300 won in a state, with its attempt where it has been sent.
fn world(own: Option<State>, mode: Mode) -> World {
    let mut world = World::new();
    world.mode(mode);
    world.row(ROW.0, own, KEY, 300);
    world
}

fn sent(own: Option<State>, mode: Mode) -> World {
    World { attempt: Some(attempt(ROW.0)), ..world(own, mode) }
}

fn claim() -> Command {
    Command::Claim { payout: ROW, partner: PARTNER, group: GROUP, key: KEY }
}

fn told(asked: Asked, answer: Answer) -> Command {
    Command::Outcome(Box::new(told_of(1, asked, answer)))
}

fn told_of(sends: i64, asked: Asked, answer: Answer) -> Told {
    let bank_no = attempt(ROW.0).bank_no.unwrap();
    Told { payout: ROW, partner: PARTNER, key: KEY, bank_no, sends, asked, answer }
}

fn back(code: Option<BankCode>, notice: i64) -> Command {
    Command::Return { payout: ROW, partner: PARTNER, code, notice }
}

fn ended(state: State, entry: Entry, outcome: Outcome) -> Done {
    Done {
        own: vec![(ROW.0, state)],
        posted: vec![(entry, 300)],
        told: vec![outcome],
        ..Done::default()
    }
}

fn written(change: &Change) -> &Attempt {
    let found = change.writes.iter().find_map(|write| match write {
        Write::Attempt(attempt) => Some(attempt),
        _ => None,
    });
    found.unwrap()
}

/// Only what executes is claimed. A pause stops it; a dead key fails it; else the intent is
/// written. Figure 2: nothing else may bring a row to the bank.
#[test]
fn a_claim_writes_an_intent_exactly_where_a_row_executes() {
    for (own, mode) in owns().into_iter().flat_map(|own| Mode::ALL.map(|mode| (own, mode))) {
        for bits in subsets(3) {
            let (paused, dead, before) = (bits[0], bits[1], bits[2]);
            let mut world = if before { sent(own, mode) } else { world(own, mode) };
            world.rail.pause = pause().filter(|_| paused);
            world.key.as_mut().unwrap().dead = Some(KILLS).filter(|_| dead);
            let mut done = match dead {
                true => ended(State::Failed, Entry::Refuse, Outcome::Failed),
                false => Done { own: vec![(ROW.0, State::Sending)], ..Done::default() },
            };
            // The group counts down only what an ALL of its own handed out.
            if own.is_none() {
                done.groups.push((GROUP.0, Mode::Executing, 0, 0, 0));
            }
            let want = match (reads_as(own, mode), paused) {
                (State::Executing, true) => Err(Code::T0503),
                (State::Executing, false) => Ok(done),
                _ => Ok(Done::stale()),
            };
            check_as(Actor::Engine, &world, claim(), want);
        }
    }
}

/// Figure 2: a `bank_tran_id` is taken once and kept for every further send of the same payout,
/// unless own-side trouble used it up. A payout of this epoch has its first one from its own serial,
/// which counts nothing (docs/adr/0012); any other is counted. The business date is that of the send
/// (decision H5).
#[test]
fn an_intent_keeps_the_bank_number_it_has_and_else_takes_the_next() {
    static THIS: LazyLock<Epochs> = LazyLock::new(|| Epochs::new(vec![(ROW.0 - 2, 2)]).unwrap());
    let done = Done { own: vec![(ROW.0, State::Sending)], ..Done::default() };
    let executing = Some(State::Executing);
    let first = world(executing, Mode::Closed);
    let again = sent(executing, Mode::Closed);
    let mut used_up = again.clone();
    used_up.attempt.as_mut().unwrap().bank_no = None;
    let next = BankNo::counted(3, 2, 7);
    let mut of_this_epoch = first.clone();
    of_this_epoch.context.epochs = &THIS;
    let table = [
        (of_this_epoch, BankNo::first(3, 2, 2), 7, 1),
        (first, next, 8, 1),
        (again, attempt(ROW.0).bank_no, 7, 2),
        (used_up, next, 8, 2),
    ];
    for (world, bank_no, counter, sends) in table {
        let change = check_as(Actor::Engine, &world, claim(), Ok(done.clone())).unwrap();
        let attempt = written(&change);
        assert_eq!((attempt.bank_no, attempt.sends, attempt.day), (bank_no, sends, NOW.day()));
        assert_eq!((attempt.sent_at, attempt.inquiries, attempt.inquire_at), (NOW, 0, None));
        let counted = |w: &Write| matches!(w, Write::Rail(rail) if rail.bank_counter == counter);
        assert_eq!(change.writes.iter().any(counted), counter == 8);
        let (key, day, amount) = (KEY, NOW.day(), Won(300));
        let bank_no = bank_no.unwrap();
        let (payout, partner) = (ROW, PARTNER);
        let deposit = Deposit { payout, partner, key, bank_no, sends, day, amount };
        assert_eq!(change.reply, Reply::Send(deposit));
    }
}

#[test]
fn used_up_bank_numbers_stop_the_rail_instead_of_repeating() {
    let mut world = world(Some(State::Executing), Mode::Closed);
    world.rail.bank_counter = BANK_COUNTER_MAX - crate::ident::BANK_COUNTED_FROM;
    check(&world, claim(), Err(Code::T0503));
}

/// Decision I1: after a restore what waited or was executed may have been sent. It becomes unknown
/// under the number that it would have had, and every other state stays what it is.
#[test]
fn what_may_have_been_sent_in_a_lost_time_is_asked_about() {
    let number = BankNo::first(3, 1, 2);
    for (own, mode) in owns().into_iter().flat_map(|own| Mode::ALL.map(|mode| (own, mode))) {
        let world = world(own, mode);
        let doubt = Doubt { payout: ROW, partner: PARTNER, group: GROUP, bank_no: number };
        let command = Command::Doubt(Box::new(doubt));
        let state = reads_as(own, mode);
        if !matches!(state, State::Requested | State::Executing) {
            check_as(Actor::Engine, &world, command, Ok(Done::stale()));
            continue;
        }
        let own_groups = own.is_none().then_some((GROUP.0, mode, 0, 0, 0));
        let done = Done {
            own: vec![(ROW.0, State::Unknown)],
            groups: own_groups.into_iter().collect(),
            ..Done::default()
        };
        let change = check_as(Actor::Engine, &world, command, Ok(done)).unwrap();
        let attempt = written(&change);
        assert_eq!((attempt.bank_no, attempt.why), (number, Some(Why::Restored)));
        assert_eq!((attempt.inquire_at, attempt.day), (Some(NOW), Time(4).day()));
    }
}

/// A number that own-side trouble used up was followed by one that is lost: a person decides.
#[test]
fn a_lost_number_is_not_guessed() {
    let mut world = sent(Some(State::Executing), Mode::Closed);
    world.attempt.as_mut().unwrap().bank_no = None;
    let bank_no = BankNo::first(3, 1, 2);
    let doubt = Doubt { payout: ROW, partner: PARTNER, group: GROUP, bank_no };
    let done = Done { own: vec![(ROW.0, State::Unknown)], ..Done::default() };
    let change = check(&world, Command::Doubt(Box::new(doubt)), Ok(done)).unwrap();
    let attempt = written(&change);
    assert_eq!((attempt.bank_no, attempt.inquire_at), (None, None));
}

/// Its day is not known either: each from its request to the restore is asked for, in turn.
#[test]
fn each_day_of_the_lost_time_is_asked_for() {
    let mut world = sent(Some(State::Unknown), Mode::Closed);
    let requested = NOW.plus_ms(-2 * 86_400_000);
    world.payouts[0].at = requested;
    let attempt = world.attempt.as_mut().unwrap();
    (attempt.why, attempt.sent_at, attempt.day) = (Some(Why::Restored), NOW, requested.day());
    let days = [1, 0, 2, 1].map(|ago| NOW.plus_ms(-ago * 86_400_000).day());
    for day in days {
        let asked = told(Asked::Inquiry, Answer::Unknown(Why::Lost));
        let change = check(&world, asked, Ok(Done::default())).unwrap();
        let attempt = written(&change);
        assert_eq!((attempt.day, attempt.why), (day, Some(Why::Restored)));
        world.attempt = Some(attempt.clone());
    }
}

/// Decision H11: R0103 with the bank's code, no bank number, the amount back, and its webhook.
#[test]
fn a_killed_keys_row_fails_without_asking_a_bank() {
    let mut world = world(None, Mode::Executing);
    world.key.as_mut().unwrap().dead = Some(KILLS);
    let mut done = ended(State::Failed, Entry::Refuse, Outcome::Failed);
    done.groups.push((GROUP.0, Mode::Executing, 0, 0, 0));
    let change = check_as(Actor::Engine, &world, claim(), Ok(done)).unwrap();
    assert_eq!(change.reply, Reply::Failed);
    let attempt = written(&change);
    assert_eq!((attempt.bank_no, attempt.sends, attempt.bank_code), (None, 0, Some(KILLS)));
    assert_eq!((attempt.failure, attempt.answered_at), (Some(Code::R0103), Some(NOW)));
    assert_eq!(attempt.day, NOW.day());
}

/// What an answer does to a row that waits for it (decision H13), as a table of its own.
fn answers() -> Vec<(Answer, [Done; 2])> {
    let stays = Done::default();
    let settled = ended(State::Settled, Entry::Settle, Outcome::Settled);
    let failed = ended(State::Failed, Entry::Refuse, Outcome::Failed);
    let killed = Done { killed: Some(KILLS), ..failed.clone() };
    let unknown = Done { own: vec![(ROW.0, State::Unknown)], ..Done::default() };
    let put_back = Done { own: vec![(ROW.0, State::Executing)], ..Done::default() };
    let pauses = Done { paused: true, ..put_back.clone() };
    let mut table = vec![
        (Answer::Settled { day: DAY, bank_code_sub: 3 }, [settled.clone(), settled]),
        (Answer::Refused { code: SPARES, day: DAY }, [failed.clone(), failed]),
        (Answer::Refused { code: KILLS, day: DAY }, [killed.clone(), killed]),
        (Answer::NotSent, [put_back, stays.clone()]),
        (Answer::OwnSide { code: SHORT }, [pauses, stays.clone()]),
    ];
    let undecided = Why::Undecided(BankCode(804));
    for why in [Why::TimedOut, Why::Lost, Why::Processing, Why::Restarted, undecided] {
        table.push((Answer::Unknown(why), [unknown.clone(), stays.clone()]));
    }
    table
}

/// Figure 6, exhaustively: an answer counts only for the row that waits for that kind of answer,
/// and only a definite one ends it.
#[test]
fn every_answer_moves_a_row_as_the_table_says() {
    for (answer, [deposit, inquiry]) in answers() {
        for (own, mode) in owns().into_iter().flat_map(|own| Mode::ALL.map(|mode| (own, mode))) {
            for (asked, waits, done) in [
                (Asked::Deposit, State::Sending, &deposit),
                (Asked::Inquiry, State::Unknown, &inquiry),
            ] {
                for (paused, dead) in [(false, false), (true, false), (false, true)] {
                    let mut world = sent(own, mode);
                    world.rail.pause = pause().filter(|_| paused);
                    world.key.as_mut().unwrap().dead = Some(BankCode(412)).filter(|_| dead);
                    let mut done = done.clone();
                    done.paused &= !paused;
                    done.killed = done.killed.filter(|_| !dead);
                    let want = if own == Some(waits) { done } else { Done::stale() };
                    check_as(Actor::Engine, &world, told(asked, answer), Ok(want));
                }
            }
        }
    }
}

/// Decision H13: an outcome that is not known moves no money and tells nobody; the next inquiry is
/// written down, for ever.
#[test]
fn unknown_keeps_its_hold_and_plans_the_next_inquiry() {
    let lost = Answer::Unknown(Why::Lost);
    let unknown = Done { own: vec![(ROW.0, State::Unknown)], ..Done::default() };
    let mut world = sent(Some(State::Sending), Mode::Closed);
    world.context.rules.inquiry_ceiling_ms = i64::MAX;
    let change = check_as(Actor::Engine, &world, told(Asked::Deposit, lost), Ok(unknown)).unwrap();
    let first = written(&change).clone();
    assert_eq!((first.why, first.inquiries), (Some(Why::Lost), 0));
    assert_eq!((first.inquire_at, first.answered_at), (Some(NOW.plus_ms(5_000)), None));
    let waits = [15, 60, 120, 300, 600, 600, 600].map(|seconds| seconds * 1_000);
    let mut before = first;
    for (made, wait) in (1..).zip(waits) {
        let mut world = sent(Some(State::Unknown), Mode::Closed);
        world.context.rules.inquiry_ceiling_ms = i64::MAX;
        world.attempt = Some(before);
        // An inquiry that could not be made leaves the reason as it was.
        let answer = if made == 3 { Answer::NotSent } else { lost };
        let done = Ok(Done::default());
        let change = check_as(Actor::Engine, &world, told(Asked::Inquiry, answer), done).unwrap();
        assert!(change.writes.len() == 2, "the plan and its line: {:?}", change.writes);
        before = written(&change).clone();
        let plan = (before.why, before.inquiries, before.inquire_at);
        assert_eq!(plan, (Some(Why::Lost), made, Some(NOW.plus_ms(wait))));
    }
}

/// The bank's day counts once it answered; a plan for an inquiry ends with the answer.
#[test]
fn an_answer_is_kept_with_the_banks_day_and_code() {
    let refused = |code| Answer::Refused { code, day: DAY };
    let table = [
        (Answer::Settled { day: DAY, bank_code_sub: 3 }, BankCode::OK, 3, None),
        (refused(KILLS), KILLS, 0, Some(Code::A0009)),
        (refused(SPARES), SPARES, 0, Some(Code::A0009)),
    ];
    for (answer, code, sub, failure) in table {
        let mut world = sent(Some(State::Unknown), Mode::Closed);
        world.attempt.as_mut().unwrap().inquire_at = Some(NOW);
        let command = told(Asked::Inquiry, answer);
        let change = world.decide(&Order { actor: Actor::Engine, command }).unwrap();
        let attempt = written(&change);
        assert_eq!((attempt.day, attempt.bank_code), (DAY, Some(code)));
        assert_eq!((attempt.bank_code_sub, attempt.failure), (sub, failure));
        assert_eq!((attempt.answered_at, attempt.inquire_at), (Some(NOW), None));
    }
}

/// Decision M3: it does not fail a hundred thousand payouts.
#[test]
fn own_side_trouble_pauses_the_rail_and_puts_the_payout_back() {
    let world = sent(Some(State::Sending), Mode::Closed);
    let own_side = told(Asked::Deposit, Answer::OwnSide { code: SHORT });
    let done = Done { own: vec![(ROW.0, State::Executing)], paused: true, ..Done::default() };
    let change = check_as(Actor::Engine, &world, own_side, Ok(done)).unwrap();
    let reason = change.writes.iter().find_map(|write| match write {
        Write::Rail(Rail { pause: Some(pause), .. }) => Some((pause.by.as_str(), &pause.reason)),
        _ => None,
    });
    let (by, reason) = reason.unwrap();
    assert_eq!(by, "engine");
    assert!(reason.contains("(453)"), "{reason}");
    let old = attempt(ROW.0).bank_no.unwrap();
    assert_eq!(written(&change).bank_no, None, "the next send takes a new one");
    let notes = change.writes.iter().filter_map(|write| match write {
        Write::Event(event) if event.kind == EventKind::PutBack => event.note.clone(),
        _ => None,
    });
    let found = format!("{}, bank number {}", SHORT.reason(), old.0);
    assert_eq!(notes.collect::<Vec<_>>(), [found]);
}

/// Only proven "not sent" keeps its number (decision H13).
#[test]
fn a_payout_that_was_not_sent_keeps_its_number() {
    let world = sent(Some(State::Sending), Mode::Closed);
    let command = told(Asked::Deposit, Answer::NotSent);
    let change = world.decide(&Order { actor: Actor::Engine, command }).unwrap();
    assert_eq!(written(&change).bank_no, attempt(ROW.0).bank_no);
}

/// What is told of an earlier send comes too late, whatever it is: the row may be at the bank again
/// under the same number.
#[test]
fn an_answer_about_an_earlier_send_changes_nothing() {
    for (answer, _) in answers() {
        for (asked, own) in [(Asked::Deposit, State::Sending), (Asked::Inquiry, State::Unknown)] {
            let mut world = sent(Some(own), Mode::Closed);
            world.attempt.as_mut().unwrap().sends = 2;
            for sends in [1, 3] {
                let told = Command::Outcome(Box::new(told_of(sends, asked, answer)));
                check_as(Actor::Engine, &world, told, Ok(Done::stale()));
            }
        }
    }
}

#[test]
fn an_answer_about_another_attempt_changes_nothing() {
    let mut world = sent(Some(State::Sending), Mode::Closed);
    world.attempt.as_mut().unwrap().bank_no = BankNo::new(3, 2, 99);
    let settled = Answer::Settled { day: DAY, bank_code_sub: 0 };
    check(&world, told(Asked::Deposit, settled), Ok(Done::stale()));
}

/// Decision H17: a return is taken in once, after the settlement, and waits for it where the
/// outcome is not known yet.
#[test]
fn only_a_settled_payout_is_returned() {
    for (own, mode) in owns().into_iter().flat_map(|own| Mode::ALL.map(|mode| (own, mode))) {
        for code in [None, Some(KILLS)] {
            let returned = ended(State::Returned, Entry::Return, Outcome::Returned);
            let want = match own {
                Some(State::Settled) => Ok(returned),
                Some(State::Sending | State::Unknown) => Err(Code::T0503),
                _ => Ok(Done::stale()),
            };
            let change = check_as(Actor::Engine, &sent(own, mode), back(code, 9), want);
            let seen = |w: &Write| matches!(w, Write::Rail(rail) if rail.notices_seen == 9);
            assert!(change.iter().all(|change| change.writes.iter().any(seen)));
            if own == Some(State::Settled) {
                let attempt = written(change.as_ref().unwrap()).clone();
                assert_eq!((attempt.returned_at, attempt.return_code), (Some(NOW), code));
            }
            check_as(Actor::Engine, &world(own, mode), back(code, 9), Err(Code::T0999));
        }
    }
}

#[test]
fn how_far_late_notices_were_read_never_goes_back() {
    let world = sent(Some(State::Settled), Mode::Closed);
    let done = Ok(ended(State::Returned, Entry::Return, Outcome::Returned));
    let change = check_as(Actor::Engine, &world, back(None, 1), done).unwrap();
    let seen = |w: &Write| matches!(w, Write::Rail(rail) if rail.notices_seen == 2);
    assert!(change.writes.iter().any(seen));
}

/// A command that names another partner's, group's or key's row would move the wrong balances.
#[test]
fn rows_that_do_not_belong_together_are_not_decided_on() {
    type Mix = fn(&mut World);
    let strange: Mix = |w| w.payouts[0].partner = STRANGER;
    let other_group: Mix = |w| w.payouts[0].group = GroupNo(99);
    let other_key: Mix = |w| w.payouts[0].key = OTHER_KEY;
    let gone: Mix = |w| w.payouts.clear();
    let settled = told(Asked::Deposit, Answer::Settled { day: DAY, bank_code_sub: 0 });
    let table: [(State, Command, &[Mix]); 3] = [
        (State::Executing, claim(), &[strange, other_group, other_key, gone]),
        (State::Sending, settled, &[strange, other_key, gone]),
        (State::Settled, back(None, 1), &[strange, gone]),
    ];
    for (own, command, mixes) in table {
        for mix in mixes {
            let mut world = sent(Some(own), Mode::Closed);
            mix(&mut world);
            check_as(Actor::Engine, &world, command.clone(), Err(Code::T0999));
        }
    }
}

/// Figure 4: a ledger that holds less than its row is damage, and nothing is made worse.
#[test]
fn a_ledger_that_cannot_carry_the_step_is_left_alone() {
    let mut world = sent(Some(State::Sending), Mode::Closed);
    world.ledger.as_mut().unwrap().held = Won(299);
    for answer in
        [Answer::Settled { day: DAY, bank_code_sub: 0 }, Answer::Refused { code: SPARES, day: DAY }]
    {
        check(&world, told(Asked::Deposit, answer), Err(Code::T0999));
    }
    world.ledger = None;
    let settled = Answer::Settled { day: DAY, bank_code_sub: 0 };
    check(&world, told(Asked::Deposit, settled), Err(Code::T0999));
}

/// Decision M3: the switch says who turned it and why; turning it twice changes nothing.
#[test]
fn the_rail_is_paused_and_resumed_once() {
    let kim = || Actor::Operator("kim".into());
    let stop = Command::PauseRail { reason: "bank maintenance".into() };
    let mut world = World::new();
    check_as(kim(), &world, Command::ResumeRail, Ok(Done::stale()));
    let paused = Done { paused: true, ..Done::default() };
    let change = check_as(kim(), &world, stop.clone(), Ok(paused)).unwrap();
    let (by, reason) = ("kim".to_owned(), "bank maintenance".to_owned());
    let want = Rail { pause: Some(Pause { at: NOW, by, reason }), ..world.rail.clone() };
    assert!(change.writes.iter().any(|w| matches!(w, Write::Rail(rail) if *rail == want)));
    world.rail = want;
    check_as(kim(), &world, stop, Ok(Done::stale()));
    let change = check_as(kim(), &world, Command::ResumeRail, Ok(Done::default())).unwrap();
    let running = |w: &Write| matches!(w, Write::Rail(rail) if rail.pause.is_none());
    assert!(change.writes.iter().any(running));
}
