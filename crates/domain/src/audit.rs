//! The invariants of a whole ledger, recomputed from the postings with code of its own.
//!
//! Nothing here calls the code that made the balances. `ichae check`, the simulator and the
//! property tests feed it rows in order and ask for its findings (figures 3 and 4).

mod billing;

use self::billing::Billing;
use crate::billing::{TradeKind, TradeState};
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
    billing: Billing,
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
                Account::Captured => sums.billing.captured += signed,
                Account::Refunding => sums.billing.refunding += signed,
                Account::Receivable => sums.billing.receivable += signed,
                Account::Settlement => self.settlement += signed,
            }
        }
        // Whichever of the states that hold a row was counted in, its sum is the same one.
        let (held, counted) = (State::Requested, i128::from(counted));
        match posting.entry {
            Entry::Fund | Entry::SettleCapture | Entry::RefundBackToAvailable => {
                sums.funded += amount;
            }
            Entry::TakeBack | Entry::RefundFromAvailable => sums.funded -= amount,
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
            Entry::Return | Entry::ReturnOwed => {
                sums.posted.returned += amount;
                sums.rows.step(State::Settled, State::Returned, counted);
            }
            // It counts as settled from then on; what it had given back stays owed in suspense.
            Entry::Correct => {
                sums.posted.refused -= amount;
                sums.posted.settled += amount;
                sums.rows.step(State::Failed, State::Settled, counted);
            }
            Entry::Recover
            | Entry::WriteOff
            | Entry::Capture
            | Entry::AcquirerPaid
            | Entry::RefundFromCaptured
            | Entry::Refund
            | Entry::RefundBackToCaptured => {}
        }
        sums.billing.posting(posting.entry, amount, counted);
        let off = [
            ("available", sums.available, sums.available < 0),
            ("held", sums.held, sums.held < 0),
            ("suspense", sums.suspense, sums.suspense > 0),
            ("captured", sums.billing.captured, sums.billing.captured < 0),
            ("refunding", sums.billing.refunding, sums.billing.refunding < 0),
        ];
        if let Some((account, balance, _)) = off.into_iter().find(|(.., off)| *off) {
            let partner = posting.partner.0;
            self.find(format!(
                "partner {partner}: {account} came to {balance} at {:?}",
                posting.at
            ));
        }
    }

    /// One payout, in the state that it had when its slice was read.
    pub fn row(&mut self, partner: PartnerNo, amount: i64, state: State) {
        self.rows += 1;
        *self.partners.entry(partner).or_default().rows.of(state) += i128::from(amount);
    }

    /// One call to the acquirer, in the state that it had when its slice was read.
    pub fn trade(&mut self, partner: PartnerNo, kind: TradeKind, state: TradeState, amount: i64) {
        let sums = self.partners.entry(partner).or_default();
        sums.billing.trade(kind, state, i128::from(amount));
    }

    /// What a partner's payments still bring, and what its refunds under way may take, by their rows at
    /// the end.
    pub fn open_billing(&mut self, partner: PartnerNo, unsettled: i64, refunding: i64) {
        let sums = self.partners.entry(partner).or_default();
        sums.billing.open(i128::from(unsettled), i128::from(refunding));
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
            for finding in sums.billing.compare(ledger) {
                self.find(finding.0);
            }
            let billing = sums.billing.captured + sums.billing.refunding + sums.billing.receivable;
            total += sums.available + sums.held + sums.suspense + billing;
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
            Subject::Fund | Subject::Trade(_) | Subject::Settling(_) => {}
        }
    }
    let mut findings = Vec::new();
    for (no, group, amount, state) in payouts {
        let steps = held.remove(no).unwrap_or_default();
        let expected: &[Entry] = match state {
            State::Requested | State::Executing | State::Sending | State::Unknown => &[Entry::Hold],
            State::Settled if steps.contains(&Entry::Correct) => {
                &[Entry::Hold, Entry::Refuse, Entry::Correct]
            }
            State::Settled => &[Entry::Hold, Entry::Settle],
            State::Failed => &[Entry::Hold, Entry::Refuse],
            State::Returned if steps.contains(&Entry::Correct) => {
                match steps.contains(&Entry::ReturnOwed) {
                    true => &[Entry::Hold, Entry::Refuse, Entry::Correct, Entry::ReturnOwed],
                    false => &[Entry::Hold, Entry::Refuse, Entry::Correct, Entry::Return],
                }
            }
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
mod tests;
