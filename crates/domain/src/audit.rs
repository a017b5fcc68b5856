//! The invariants of a whole ledger, recomputed from the postings with code of its own.
//!
//! Nothing here calls the code that made the balances. `ichae check`, the simulator and the
//! property tests feed it rows in order and ask for its findings (figures 3 and 4).

use crate::ident::{GroupNo, PartnerNo, PayoutNo};
use crate::ledger::{Account, Entry, Ledger, Posting, Subject};
use crate::payout::State;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// One thing that is off, in plain words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding(pub String);

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Default, Clone, Copy)]
struct Sums {
    available: i128,
    held: i128,
    suspense: i128,
    funded: i128,
    rows: Rows,
    /// What the postings say of the rows that do not hold any more.
    posted: Posted,
}

/// Sums of the rows by what their states say of the money.
#[derive(Default, Clone, Copy)]
struct Rows {
    /// Requested, executing, sending, unknown.
    holding: i128,
    settled: i128,
    failed: i128,
    returned: i128,
    canceled: i128,
}

impl Rows {
    fn of(&mut self, state: State) -> &mut i128 {
        match state {
            State::Requested | State::Executing | State::Sending | State::Unknown => {
                &mut self.holding
            }
            State::Settled => &mut self.settled,
            State::Failed => &mut self.failed,
            State::Returned => &mut self.returned,
            State::Canceled => &mut self.canceled,
        }
    }

    /// Takes rows that a posting moved on out of the sum that they were counted in.
    fn step(&mut self, from: State, to: State, amount: i128) {
        *self.of(from) -= amount;
        *self.of(to) += amount;
    }
}

/// Sums of the postings that end a hold, or give back what had been paid.
#[derive(Default, Clone, Copy)]
struct Posted {
    settled: i128,
    refused: i128,
    returned: i128,
    canceled: i128,
}

/// Folds postings and rows; see the module.
#[derive(Default)]
pub struct Audit {
    partners: BTreeMap<PartnerNo, Sums>,
    settlement: i128,
    postings: u64,
    rows: u64,
    findings: Vec<Finding>,
}

/// Findings listed at most; a broken store would fill the screen.
pub const FINDINGS_MAX: usize = 1_000;

impl Audit {
    /// One posting, in order. `counted` is the part of it that is about rows which were already
    /// given to [`Audit::row`]: on a live store rows move on while they are read in slices.
    pub fn posting(&mut self, posting: &Posting, counted: i64) {
        self.postings += 1;
        let amount = i128::from(posting.amount.0);
        if amount <= 0 {
            self.find(format!("a posting of {} won at {:?}", amount, posting.at));
        }
        let sums = self.partners.entry(posting.partner).or_default();
        let (debit, credit) = posting.entry.legs();
        for (account, signed) in [(debit, -amount), (credit, amount)] {
            match account {
                Account::Available => sums.available += signed,
                Account::Held => sums.held += signed,
                Account::Suspense => sums.suspense += signed,
                Account::Settlement => self.settlement += signed,
            }
        }
        // Whichever of the states that hold a row was counted in, its sum is the same one.
        let (held, counted) = (State::Requested, i128::from(counted));
        match posting.entry {
            Entry::Fund => sums.funded += amount,
            Entry::TakeBack => sums.funded -= amount,
            Entry::Hold => {}
            Entry::Settle => {
                sums.posted.settled += amount;
                sums.rows.step(held, State::Settled, counted);
            }
            Entry::Refuse => {
                sums.posted.refused += amount;
                sums.rows.step(held, State::Failed, counted);
            }
            Entry::Cancel => {
                sums.posted.canceled += amount;
                sums.rows.step(held, State::Canceled, counted);
            }
            Entry::Return => {
                sums.posted.returned += amount;
                sums.rows.step(State::Settled, State::Returned, counted);
            }
        }
        let below =
            [("available", sums.available), ("held", sums.held), ("suspense", sums.suspense)]
                .into_iter()
                .find(|(_, balance)| *balance < 0);
        if let Some((account, balance)) = below {
            let partner = posting.partner.0;
            self.find(format!(
                "partner {partner}: {account} fell to {balance} at {:?}",
                posting.at
            ));
        }
    }

    /// One payout, in the state that it had when its slice was read.
    pub fn row(&mut self, partner: PartnerNo, amount: i64, state: State) {
        self.rows += 1;
        *self.partners.entry(partner).or_default().rows.of(state) += i128::from(amount);
    }

    /// Says what is off, in plain words.
    pub fn find(&mut self, text: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding(text));
        }
    }

    /// Postings and rows seen so far.
    pub fn seen(&self) -> (u64, u64) {
        (self.postings, self.rows)
    }

    /// Compares with what the store says, and gives everything found.
    pub fn finish(mut self, ledgers: &[Ledger], settlement: i64) -> Vec<Finding> {
        let mut total = self.settlement;
        for ledger in ledgers {
            let sums = self.partners.remove(&ledger.partner).unwrap_or_default();
            let partner = ledger.partner.0;
            let pairs = [
                ("available", ledger.available.0, sums.available),
                ("held", ledger.held.0, sums.held),
                ("suspense", ledger.suspense.0, sums.suspense),
                ("funded", ledger.funded.0, sums.funded),
            ];
            for (name, stored, folded) in pairs {
                if i128::from(stored) != folded {
                    self.find(format!(
                        "partner {partner}: {name} is stored as {stored}, its postings give {folded}"
                    ));
                }
            }
            self.compare_rows(partner, &sums);
            total += sums.available + sums.held + sums.suspense;
        }
        let orphans: Vec<i64> = self.partners.keys().map(|p| p.0).collect();
        for partner in orphans {
            self.find(format!("partner {partner}: postings without a ledger"));
        }
        if self.settlement != i128::from(settlement) {
            let folded = self.settlement;
            self.find(format!("settlement is stored as {settlement}, the postings give {folded}"));
        }
        if total != 0 {
            self.find(format!("the sum of all accounts is {total}, not 0"));
        }
        self.findings
    }

    /// A partner's rows, by their states, against what its postings say of them.
    fn compare_rows(&mut self, partner: i64, Sums { held, rows, posted, .. }: &Sums) {
        if *held != rows.holding {
            self.find(format!(
                "partner {partner}: held is {held}, its payouts that hold sum to {}",
                rows.holding
            ));
        }
        let steps = [
            ("settled", posted.settled, "settled or returned", rows.settled + rows.returned),
            ("refused", posted.refused, "failed", rows.failed),
            ("returned", posted.returned, "returned", rows.returned),
            ("canceled", posted.canceled, "canceled", rows.canceled),
        ];
        for (step, folded, states, sum) in steps {
            if folded != sum {
                self.find(format!(
                    "partner {partner}: {folded} were {step} by its postings, its payouts that \
                     are {states} sum to {sum}"
                ));
            }
        }
    }
}

/// The strictest reading of a whole history, for stores small enough to hold in memory: every
/// payout is held once and given back or settled at most once, and returned only after it settled.
pub fn journal_per_payout(
    postings: &[Posting],
    payouts: &[(PayoutNo, GroupNo, i64, State)],
) -> Vec<Finding> {
    let mut held: HashMap<PayoutNo, Vec<Entry>> = HashMap::new();
    let mut group_canceled: HashMap<GroupNo, i64> = HashMap::new();
    for posting in postings {
        match posting.subject {
            Subject::Payout(no) => held.entry(no).or_default().push(posting.entry),
            Subject::Group(no) => *group_canceled.entry(no).or_default() += posting.amount.0,
            Subject::Fund => {}
        }
    }
    let mut findings = Vec::new();
    for (no, group, amount, state) in payouts {
        let steps = held.remove(no).unwrap_or_default();
        let expected: &[Entry] = match state {
            State::Requested | State::Executing | State::Sending | State::Unknown => &[Entry::Hold],
            State::Settled => &[Entry::Hold, Entry::Settle],
            State::Failed => &[Entry::Hold, Entry::Refuse],
            State::Returned => &[Entry::Hold, Entry::Settle, Entry::Return],
            State::Canceled => &[Entry::Hold, Entry::Cancel],
        };
        let by_group = *state == State::Canceled && steps == [Entry::Hold];
        if by_group {
            *group_canceled.entry(*group).or_default() -= amount;
        } else if steps != expected {
            findings.push(Finding(format!("payout {} is {state:?} but has {steps:?}", no.0)));
        }
    }
    findings.extend(held.keys().map(|no| Finding(format!("postings without payout {}", no.0))));
    let off = group_canceled.iter().filter(|(_, left)| **left != 0);
    findings
        .extend(off.map(|(no, left)| Finding(format!("group {} canceled {left} too much", no.0))));
    findings
}

#[cfg(test)]
mod tests {
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
            &["partner 4: available fell to -10 at 19700101090000000"],
        );
        check(
            |b| {
                let subject = Subject::Payout(PayoutNo(1));
                b.postings.push((posting(OTHER, Entry::Settle, 5, subject), 0));
                b.postings.push((posting(OTHER, Entry::Fund, 5, Subject::Fund), 0));
                b.ledgers[1] = ledger(OTHER, 45, -5, 45);
            },
            &[
                "partner 4: held fell to -5 at 19700101090000000",
                "partner 4: held fell to -5 at 19700101090000000",
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
}
