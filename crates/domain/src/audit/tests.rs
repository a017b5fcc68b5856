//! What the audit finds: good books, and each damage that is planted in them.

use super::*;
use crate::money::Won;
use crate::time::Time;

const PARTNER: PartnerNo = PartnerNo(3);
const OTHER: PartnerNo = PartnerNo(4);
const GROUP: GroupNo = GroupNo(90);

/// A small history without a fault: two partners, every entry, every state.
#[derive(Clone)]
struct Books {
    /// With the part that is about rows which were counted before.
    postings: Vec<(Posting, i64)>,
    rows: Vec<(PayoutNo, GroupNo, i64, State)>,
    ledgers: Vec<Ledger>,
    settlement: i64,
}

fn posting(partner: PartnerNo, entry: Entry, amount: i64, subject: Subject) -> Posting {
    Posting { partner, entry, amount: Won(amount), subject, at: Time(0) }
}

fn ledger(partner: PartnerNo, available: i64, held: i64, funded: i64) -> Ledger {
    let mut ledger = Ledger::new(partner);
    ledger.available = Won(available);
    ledger.held = Won(held);
    ledger.funded = Won(funded);
    ledger
}

impl Books {
    fn good() -> Books {
        let mut books = Books {
            postings: vec![],
            rows: vec![],
            ledgers: vec![ledger(PARTNER, 680, 150, 1_000), ledger(OTHER, 40, 0, 40)],
            settlement: -870,
        };
        books.post(Entry::Fund, 1_200, Subject::Fund);
        books.post(Entry::TakeBack, 200, Subject::Fund);
        let at_other = posting(OTHER, Entry::Fund, 40, Subject::Fund);
        books.postings.push((at_other, 0));
        let ends: [(State, &[Entry]); 9] = [
            (State::Requested, &[]),
            (State::Executing, &[]),
            (State::Sending, &[]),
            (State::Unknown, &[]),
            (State::Settled, &[Entry::Settle]),
            (State::Failed, &[Entry::Refuse]),
            (State::Returned, &[Entry::Settle, Entry::Return]),
            (State::Canceled, &[Entry::Cancel]),
            (State::Canceled, &[]),
        ];
        let amounts = [10, 20, 40, 80, 170, 5, 6, 7, 8];
        for (no, ((state, steps), amount)) in (1..).zip(ends.into_iter().zip(amounts)) {
            let subject = Subject::Payout(PayoutNo(no));
            books.post(Entry::Hold, amount, subject);
            steps.iter().for_each(|entry| books.post(*entry, amount, subject));
            books.rows.push((PayoutNo(no), GROUP, amount, state));
        }
        books.post(Entry::Cancel, 8, Subject::Group(GROUP));
        books
    }

    fn post(&mut self, entry: Entry, amount: i64, subject: Subject) {
        self.postings.push((posting(PARTNER, entry, amount, subject), 0));
    }

    fn entry(&mut self, entry: Entry) -> &mut Posting {
        let found = self.postings.iter_mut().find(|(posting, _)| posting.entry == entry);
        &mut found.unwrap().0
    }

    fn row(&mut self, state: State) -> &mut (PayoutNo, GroupNo, i64, State) {
        self.rows.iter_mut().find(|row| row.3 == state).unwrap()
    }

    fn audit(&self) -> Vec<String> {
        let mut audit = Audit::default();
        self.postings.iter().for_each(|(posting, counted)| audit.posting(posting, *counted));
        self.rows.iter().for_each(|(_, _, won, state)| audit.row(PARTNER, *won, *state));
        assert_eq!(audit.seen(), (self.postings.len() as u64, self.rows.len() as u64));
        let findings = audit.finish(&self.ledgers, self.settlement);
        findings.iter().map(Finding::to_string).collect()
    }

    fn per_payout(&self) -> Vec<String> {
        let postings: Vec<Posting> = self.postings.iter().map(|(p, _)| p.clone()).collect();
        let findings = journal_per_payout(&postings, &self.rows);
        findings.iter().map(Finding::to_string).collect()
    }
}

/// Plants one damage in good books and compares everything that is found with `want`.
#[track_caller]
fn check(plant: fn(&mut Books), want: &[&str]) {
    let mut books = Books::good();
    plant(&mut books);
    assert_eq!(books.audit(), want);
}

#[track_caller]
fn check_per_payout(plant: fn(&mut Books), want: &[&str]) {
    let mut books = Books::good();
    plant(&mut books);
    assert_eq!(books.per_payout(), want);
}

#[test]
fn good_books_have_no_findings() {
    check(|_| {}, &[]);
    check_per_payout(|_| {}, &[]);
    assert_eq!(Audit::default().finish(&[], 0), []);
}

/// Figure 3: folding the postings of an account gives its balance.
#[test]
fn a_changed_balance_is_found_by_its_name() {
    check(
        |b| b.ledgers[0].available = Won(681),
        &["partner 3: available is stored as 681, its postings give 680"],
    );
    check(
        |b| b.ledgers[0].held = Won(149),
        &["partner 3: held is stored as 149, its postings give 150"],
    );
    check(
        |b| b.ledgers[0].suspense = Won(1),
        &["partner 3: suspense is stored as 1, its postings give 0"],
    );
    check(
        |b| b.ledgers[1].funded = Won(41),
        &["partner 4: funded is stored as 41, its postings give 40"],
    );
}

#[test]
fn a_changed_settlement_is_found() {
    check(|b| b.settlement = -869, &["settlement is stored as -869, the postings give -870"]);
}

#[test]
fn a_changed_posting_is_found_in_every_sum_that_it_is_part_of() {
    check(
        |b| b.entry(Entry::TakeBack).amount = Won(199),
        &[
            "partner 3: available is stored as 680, its postings give 681",
            "partner 3: funded is stored as 1000, its postings give 1001",
            "settlement is stored as -870, the postings give -871",
        ],
    );
    check(
        |b| b.entry(Entry::Hold).amount = Won(11),
        &[
            "partner 3: available is stored as 680, its postings give 679",
            "partner 3: held is stored as 150, its postings give 151",
            "partner 3: held is 151, its payouts that hold sum to 150",
        ],
    );
}

#[test]
fn a_posting_of_nothing_or_less_is_found() {
    for (amount, sign) in [(0, "0"), (-5, "-5")] {
        let mut books = Books::good();
        books.postings.push((posting(OTHER, Entry::Fund, amount, Subject::Fund), 0));
        let found = format!("a posting of {sign} won at 19700101090000000");
        assert_eq!(books.audit()[0], found);
    }
}

/// Figure 4: never below zero at any point of the history, whatever it ends in.
#[test]
fn a_balance_that_fell_below_zero_on_the_way_is_found() {
    check(
        |b| {
            b.postings.push((posting(OTHER, Entry::TakeBack, 50, Subject::Fund), 0));
            b.postings.push((posting(OTHER, Entry::Fund, 50, Subject::Fund), 0));
        },
        &["partner 4: available came to -10 at 19700101090000000"],
    );
    check(
        |b| {
            let subject = Subject::Payout(PayoutNo(1));
            b.postings.push((posting(OTHER, Entry::Settle, 5, subject), 0));
            b.postings.push((posting(OTHER, Entry::Fund, 5, Subject::Fund), 0));
            b.ledgers[1] = ledger(OTHER, 45, -5, 45);
        },
        &[
            "partner 4: held came to -5 at 19700101090000000",
            "partner 4: held came to -5 at 19700101090000000",
            "partner 4: held is -5, its payouts that hold sum to 0",
            "partner 4: 5 were settled by its postings, its payouts that are settled or \
             returned sum to 0",
        ],
    );
}

/// Decision H13: what is held is what the rows hold.
#[test]
fn a_state_that_was_changed_by_hand_is_found() {
    check(
        |b| b.row(State::Sending).3 = State::Settled,
        &[
            "partner 3: held is 150, its payouts that hold sum to 110",
            "partner 3: 176 were settled by its postings, its payouts that are settled or \
             returned sum to 216",
        ],
    );
    check(
        |b| b.row(State::Failed).3 = State::Unknown,
        &[
            "partner 3: held is 150, its payouts that hold sum to 155",
            "partner 3: 5 were refused by its postings, its payouts that are failed sum to 0",
        ],
    );
    check(
        |b| b.row(State::Requested).2 = 11,
        &["partner 3: held is 150, its payouts that hold sum to 151"],
    );
}

/// What no state holds any more is compared with the postings as well.
#[test]
fn a_state_that_was_changed_between_two_that_do_not_hold_is_found() {
    let settled = |rows| {
        format!(
            "partner 3: 176 were settled by its postings, its payouts that are settled or \
             returned sum to {rows}"
        )
    };
    let other = |posted, step, state, rows| {
        format!(
            "partner 3: {posted} were {step} by its postings, its payouts that are {state} \
             sum to {rows}"
        )
    };
    let refused = |rows| other(5, "refused", "failed", rows);
    let returned = |rows| other(6, "returned", "returned", rows);
    let canceled = |rows| other(15, "canceled", "canceled", rows);
    use State::*;
    let table = [
        (Settled, Failed, vec![settled(6), refused(175)]),
        (Settled, Returned, vec![returned(176)]),
        (Settled, Canceled, vec![settled(6), canceled(185)]),
        (Failed, Settled, vec![settled(181), refused(0)]),
        (Failed, Returned, vec![settled(181), refused(0), returned(11)]),
        (Failed, Canceled, vec![refused(0), canceled(20)]),
        (Returned, Settled, vec![returned(0)]),
        (Returned, Failed, vec![settled(170), refused(11), returned(0)]),
        (Returned, Canceled, vec![settled(170), returned(0), canceled(21)]),
        (Canceled, Settled, vec![settled(183), canceled(8)]),
        (Canceled, Failed, vec![refused(12), canceled(8)]),
        (Canceled, Returned, vec![settled(183), returned(13), canceled(8)]),
    ];
    for (from, to, found) in table {
        let mut books = Books::good();
        books.row(from).3 = to;
        assert_eq!(books.audit(), found, "{from:?} to {to:?}");
    }
}

#[test]
fn postings_without_a_ledger_are_found() {
    check(
        |b| {
            b.ledgers.pop();
        },
        &["partner 4: postings without a ledger", "the sum of all accounts is -40, not 0"],
    );
}

/// On a live store a row is counted in the state that it had; what moves it later takes it out
/// again, by the part that was counted, and counts it where it went.
#[test]
fn a_row_that_moves_on_after_it_was_counted_is_moved_by_the_counted_part() {
    let table = [
        (Entry::Settle, 1, 10, ledger(PARTNER, 680, 140, 1_000), -860, "held is 140"),
        (Entry::Refuse, 1, 10, ledger(PARTNER, 690, 140, 1_000), -870, "held is 140"),
        (Entry::Cancel, 1, 10, ledger(PARTNER, 690, 140, 1_000), -870, "held is 140"),
        (Entry::Return, 5, 170, ledger(PARTNER, 850, 150, 1_000), -1_040, "176 were returned"),
    ];
    for (entry, no, amount, ledger, settlement, found) in table {
        let mut books = Books::good();
        let subject = Subject::Payout(PayoutNo(no));
        books.postings.push((posting(PARTNER, entry, amount, subject), amount));
        (books.ledgers[0], books.settlement) = (ledger, settlement);
        assert_eq!(books.audit(), [""; 0], "{entry:?}");
        books.postings.last_mut().unwrap().1 = 0;
        let findings = books.audit();
        assert!(findings[0].contains(found), "{entry:?}: {findings:?}");
    }
}

#[test]
fn a_broken_store_does_not_fill_the_screen() {
    let mut audit = Audit::default();
    (0..2 * FINDINGS_MAX).for_each(|no| audit.find(format!("finding {no}")));
    assert_eq!(audit.finish(&[], 0).len(), FINDINGS_MAX);
}

/// Figure 2, from the books: a payout is settled or given back at most once.
#[test]
fn every_payout_has_exactly_the_steps_of_its_state() {
    check_per_payout(
        |b| b.post(Entry::Settle, 170, Subject::Payout(PayoutNo(5))),
        &["payout 5 is Settled but has [Hold, Settle, Settle]"],
    );
    check_per_payout(
        |b| b.post(Entry::Refuse, 170, Subject::Payout(PayoutNo(5))),
        &["payout 5 is Settled but has [Hold, Settle, Refuse]"],
    );
    check_per_payout(
        |b| b.row(State::Settled).3 = State::Failed,
        &["payout 5 is Failed but has [Hold, Settle]"],
    );
    check_per_payout(
        |b| b.row(State::Returned).3 = State::Settled,
        &["payout 7 is Settled but has [Hold, Settle, Return]"],
    );
    check_per_payout(
        |b| b.row(State::Unknown).3 = State::Failed,
        &["payout 4 is Failed but has [Hold]"],
    );
    check_per_payout(
        |b| b.postings.retain(|(p, _)| p.entry != Entry::Return),
        &["payout 7 is Returned but has [Hold, Settle]"],
    );
}

#[test]
fn a_group_gives_back_what_its_cancelled_rows_held() {
    check_per_payout(
        |b| b.row(State::Requested).3 = State::Canceled,
        &["group 90 canceled -10 too much"],
    );
    check_per_payout(
        |b| b.postings.last_mut().unwrap().0.amount = Won(9),
        &["group 90 canceled 1 too much"],
    );
}

#[test]
fn postings_about_no_payout_are_found() {
    check_per_payout(
        |b| b.post(Entry::Hold, 1, Subject::Payout(PayoutNo(77))),
        &["postings without payout 77"],
    );
}
