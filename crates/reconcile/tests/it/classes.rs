//! Every class and kind, and what is none.

use crate::{export, id, options, ours, plant, run};
use ichae_domain::money::Won;
use ichae_domain::payout::State::{self, *};
use ichae_domain::time::Day;
use ichae_reconcile::{
    Class, Days, Evidence, Kind, Map, Options, Ours, Outcome, Proposal, ReconcileError, Report,
    Word,
};

const DAY: i32 = 20_261_122;
const NEXT: i32 = 20_261_123;

type Line = (i32, i64, &'static str);
const PAID: Line = (DAY, 1_000, "paid");
const REFUSED: Line = (DAY, 1_000, "refused");
const RETURNED: Line = (DAY, 1_000, "returned");

type Judged = (Kind, Proposal);

/// One payout in a state and its lines: exactly these findings.
fn judged(state: State, lines: &[Line]) -> Vec<Judged> {
    let lines: Vec<_> = lines.iter().map(|(day, amount, word)| (1, *day, *amount, *word)).collect();
    let report = run(&export(&lines), &Map::default(), &options(), &[ours(1, state)]).unwrap();
    report.findings.all().map(|finding| (finding.kind, finding.proposal)).collect()
}

fn resolve(outcome: Outcome) -> Proposal {
    Proposal::Resolve(outcome, Evidence { line: 2, day: Day(DAY) })
}

#[test]
fn a_state_and_one_line() {
    let settles = (Kind::WouldSettle, resolve(Outcome::Settled));
    let never = (Kind::NeverSent, Proposal::LookForDouble);
    let back = (Kind::BackHereFailed, Proposal::None);
    let open = (Kind::ReturnedHereOpen, resolve(Outcome::Settled));
    let table: &[(State, Line, Option<Judged>)] = &[
        (Requested, PAID, Some(never)),
        (Requested, REFUSED, None),
        (Requested, RETURNED, Some(never)),
        (Executing, PAID, Some(never)),
        (Executing, REFUSED, None),
        (Executing, RETURNED, Some(never)),
        (Sending, PAID, Some(settles)),
        (Sending, REFUSED, Some((Kind::WouldFail, Proposal::AskBank))),
        (Sending, RETURNED, Some(open)),
        (Settled, PAID, None),
        (Settled, REFUSED, Some((Kind::RefusedHereSettled, Proposal::AskBank))),
        (Settled, RETURNED, Some((Kind::ReturnedHereSettled, Proposal::Return))),
        (Failed, PAID, Some((Kind::PaidHereFailed, Proposal::Correct))),
        (Failed, REFUSED, None),
        (Failed, RETURNED, Some(back)),
        (Unknown, PAID, Some(settles)),
        (Unknown, REFUSED, Some((Kind::WouldFail, resolve(Outcome::Failed)))),
        (Unknown, RETURNED, Some(open)),
        (Returned, PAID, None),
        (Returned, REFUSED, None),
        (Returned, RETURNED, None),
        (Canceled, PAID, Some((Kind::PaidHereCanceled, Proposal::Correct))),
        (Canceled, REFUSED, None),
        (Canceled, RETURNED, Some(back)),
    ];
    assert_eq!(table.len(), State::ALL.len() * 3);
    for (state, line, expected) in table {
        let expected: Vec<_> = expected.iter().copied().collect();
        assert_eq!(judged(*state, &[*line]), expected, "{state:?} {}", line.2);
    }
}

#[test]
fn a_state_and_no_line() {
    for state in State::ALL {
        let expected: &[_] = match state {
            Settled => &[(Kind::Absent, Proposal::AskBank)],
            _ => &[],
        };
        assert_eq!(judged(state, &[]), expected, "{state:?}");
    }
}

#[test]
fn several_lines_and_what_differs_at_once() {
    let ask = Proposal::AskBank;
    let other = (DAY, 2_000, "paid");
    let late = (NEXT, 1_000, "paid");
    let far = (20_261_124, 1_000, "paid");
    let table: &[(State, &[Line], &[Judged])] = &[
        (Returned, &[PAID, RETURNED], &[]),
        (Returned, &[RETURNED, PAID], &[]),
        (Settled, &[REFUSED, PAID], &[]),
        (Settled, &[PAID, RETURNED], &[(Kind::ReturnedHereSettled, Proposal::Return)]),
        (Settled, &[PAID, PAID], &[(Kind::PaidAgain, ask)]),
        (Settled, &[PAID, PAID, PAID], &[(Kind::PaidAgain, ask)]),
        // Which of the two came back is for the bank to say.
        (
            Settled,
            &[PAID, PAID, RETURNED],
            &[(Kind::PaidAgain, ask), (Kind::ReturnedHereSettled, ask)],
        ),
        (Settled, &[other], &[(Kind::Amount, ask)]),
        (Settled, &[late], &[(Kind::OverCutOff, Proposal::None)]),
        (Returned, &[late, RETURNED], &[(Kind::OverCutOff, Proposal::None)]),
        (Settled, &[far], &[(Kind::DaysApart, ask)]),
        (
            Settled,
            &[(NEXT, 2_000, "paid")],
            &[(Kind::Amount, ask), (Kind::OverCutOff, Proposal::None)],
        ),
        // What differs in amount or contradicts itself is never acted upon.
        (Unknown, &[other], &[(Kind::Amount, ask), (Kind::WouldSettle, ask)]),
        (Failed, &[other], &[(Kind::Amount, ask), (Kind::PaidHereFailed, ask)]),
        (
            Settled,
            &[(DAY, 900, "returned")],
            &[(Kind::Amount, ask), (Kind::ReturnedHereSettled, ask)],
        ),
        (Unknown, &[REFUSED, PAID], &[(Kind::WouldSettle, ask)]),
        (Unknown, &[(DAY, 900, "refused")], &[(Kind::WouldFail, ask)]),
        (Unknown, &[PAID, PAID], &[(Kind::PaidAgain, ask), (Kind::WouldSettle, ask)]),
        (Failed, &[PAID, RETURNED], &[(Kind::BackHereFailed, Proposal::None)]),
        // The bank's date is the one that a resolution takes: no shift.
        (
            Unknown,
            &[late],
            &[(
                Kind::WouldSettle,
                Proposal::Resolve(Outcome::Settled, Evidence { line: 2, day: Day(NEXT) }),
            )],
        ),
    ];
    for (state, lines, expected) in table {
        assert_eq!(judged(*state, lines), *expected, "{state:?} {lines:?}");
    }
}

#[test]
fn a_finding_carries_both_sides_and_every_line() {
    let file = export(&[(1, DAY, 1_000, "paid"), (2, DAY, 5, "paid"), (1, NEXT, 7, "paid")]);
    let rows = [ours(1, Settled), ours(2, Settled)];
    let report = run(&file, &Map::default(), &options(), &rows).unwrap();
    let [doubled] = report.findings.of(Class::Doubled) else { panic!("one") };
    assert_eq!((doubled.payout, doubled.id.to_string()), (Some(1), id(1)));
    assert_eq!((doubled.lines.as_slice(), doubled.line_count), (&[2, 4][..], 2));
    let [amount] = report.findings.of(Class::Amount) else { panic!("one") };
    let (ours, theirs) = (amount.ours.unwrap(), amount.theirs.unwrap());
    assert_eq!((ours.amount, ours.day, ours.state), (Won(1_000), Day(DAY), Settled));
    assert_eq!((theirs.amount, theirs.day, theirs.word), (Won(5), Day(DAY), Word::Paid));
    assert_eq!((amount.lines.as_slice(), amount.payout), (&[3][..], Some(2)));
}

#[test]
fn of_many_lines_the_first_are_named_and_all_counted() {
    let file = export(&[(1, DAY, 1_000, "paid"); 20]);
    let report = run(&file, &Map::default(), &options(), &[ours(1, Settled)]).unwrap();
    let [doubled] = report.findings.of(Class::Doubled) else { panic!("one") };
    assert_eq!(doubled.lines, (2..10).collect::<Vec<u32>>());
    assert_eq!(doubled.line_count, 20);
    assert!(report.to_string().contains("line 2 and 3 and"), "{report}");
    assert!(report.to_string().contains("9 and 12 more: paid twice"), "{report}");
}

fn kinds(report: &Report) -> Vec<Judged> {
    report.findings.all().map(|finding| (finding.kind, finding.proposal)).collect()
}

#[test]
fn ids_that_are_not_the_hubs() {
    let foreign = "M999999999U000000001";
    let mut file = export(&[
        (5, DAY, 1_000, "paid"),
        (6, DAY, 1_000, "refused"),
        (7, DAY, 1_000, "returned"),
        (8, DAY, 1_000, "paid"),
        (8, DAY, 1_000, "paid"),
    ]);
    file.extend_from_slice(format!("{foreign},{DAY},1000,paid,000\n").as_bytes());
    file.extend_from_slice(format!("{foreign},{DAY},1000,refused,000\n").as_bytes());
    let report = run(&file, &Map::default(), &options(), &[]).unwrap();
    let double = Proposal::LookForDouble;
    assert_eq!(
        kinds(&report),
        [
            (Kind::NoSuchNumber, double),
            (Kind::ReturnedUnknown, Proposal::AskBank),
            (Kind::NoSuchNumber, double),
            (Kind::Foreign, Proposal::AskBank),
            (Kind::PaidAgain, Proposal::AskBank),
        ]
    );
    assert!(report.findings.all().all(|f| f.payout.is_none() && f.ours.is_none()));
    assert_eq!((report.matched, report.rows.read), (0, 7));
}

#[test]
fn too_many_unknown_ids_mean_another_store() {
    let file = export(&[1, 1, 2, 3, 3].map(|payout| (payout, DAY, 1_000, "paid")));
    let three = Options { strays_max: 3, ..options() };
    assert_eq!(run(&file, &Map::default(), &three, &[]).unwrap().findings.total(), 5);
    let two = Options { strays_max: 2, ..options() };
    let error = run(&file, &Map::default(), &two, &[]).unwrap_err();
    assert!(matches!(error, ReconcileError::Strays(2)), "{error}");
    assert!(run(&file, &Map::default(), &two, &[ours(1, Settled)]).is_ok());
}

#[test]
fn what_lies_outside_the_period_is_left_to_its_own_statement() {
    let far = 20_261_130;
    let file = export(&[
        (1, NEXT, 1_000, "paid"), // of the next day on both sides
        (2, NEXT, 1_000, "paid"), // of this day here: over the cut-off
        (3, DAY, 1_000, "paid"),  // of the next day here: over the cut-off
        (4, far, 1_000, "paid"),  // unknown here, and of other days
        (5, far, 1_000, "paid"),  // of this day here, a week off
    ]);
    let next = |payout| Ours { day: Day(NEXT), ..ours(payout, Settled) };
    let rows = [next(1), ours(2, Settled), next(3), ours(5, Settled), next(6)];
    let report = run(&file, &Map::default(), &options(), &rows).unwrap();
    assert_eq!(
        kinds(&report),
        [
            (Kind::OverCutOff, Proposal::None),
            (Kind::OverCutOff, Proposal::None),
            (Kind::DaysApart, Proposal::AskBank)
        ]
    );
    assert_eq!((report.rows.read, report.rows.outside, report.matched), (5, 2, 3));
    assert_eq!((report.ours_settled.count, report.theirs_paid.count), (2, 1));
}

#[test]
fn the_period_is_the_files_where_none_is_declared() {
    let file = export(&[(1, DAY, 1_000, "paid"), (2, NEXT, 1_000, "refused")]);
    let day = |payout, day| Ours { day: Day(day), ..ours(payout, Settled) };
    let rows = [day(1, DAY), day(3, 20_261_121), day(4, NEXT), day(5, 20_261_124)];
    let report = run(&file, &Map::default(), &Options::new(plant::HOUSE), &rows).unwrap();
    assert_eq!(report.days, Days { first: Day(DAY), last: Day(NEXT) });
    assert_eq!(kinds(&report), [(Kind::Absent, Proposal::AskBank)]);
    assert_eq!(report.findings.of(Class::MissingThere)[0].payout, Some(4));

    let none = run(&export(&[]), &Map::default(), &Options::new(plant::HOUSE), &rows);
    assert!(matches!(none.unwrap_err(), ReconcileError::NoDays));
}

#[test]
fn the_tolerance_is_the_callers() {
    for (tolerance, day, kind) in [
        (0, NEXT, Kind::DaysApart),
        (1, NEXT, Kind::OverCutOff),
        (2, 20_261_124, Kind::OverCutOff),
        (2, 20_261_120, Kind::OverCutOff),
        (2, 20_261_119, Kind::DaysApart),
    ] {
        let options = Options { tolerance, ..options() };
        let file = export(&[(1, day, 1_000, "paid")]);
        let report = run(&file, &Map::default(), &options, &[ours(1, Settled)]).unwrap();
        assert_eq!(report.findings.all().next().unwrap().kind, kind, "{tolerance} {day}");
        assert_eq!(report.findings.total(), 1);
    }
}

#[test]
fn options_that_cannot_be_meant_are_refused() {
    let days = Days { first: Day(NEXT), last: Day(DAY) };
    let table = [
        (Options { days: Some(days), ..options() }, "turn them round"),
        (Options { tolerance: 32, ..options() }, "0 to 31 days"),
        (Options::new("M2021"), "ten of A-Z and 0-9"),
        (Options::new("m202112389"), "ten of A-Z and 0-9"),
    ];
    for (options, says) in table {
        let error = run(&export(&[]), &Map::default(), &options, &[]).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
