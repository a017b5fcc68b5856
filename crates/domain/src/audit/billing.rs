//! The half of the books that payments with billing keys make.

use super::Finding;
use crate::billing::{TradeKind, TradeState};
use crate::ledger::{Entry, Ledger};

/// One partner's sums.
#[derive(Default, Clone, Copy)]
pub(super) struct Billing {
    pub captured: i128,
    pub refunding: i128,
    pub receivable: i128,
    /// By the postings.
    posted: Ends,
    /// By the calls to the acquirer.
    rows: Ends,
    /// What payments still bring, and what refunds may take, as their rows say at the end.
    open: (i128, i128),
}

/// What was captured, and what was refunded, ever.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Ends {
    paid: i128,
    refunded: i128,
}

impl Billing {
    /// `counted` as in [`super::Audit::posting`].
    pub fn posting(&mut self, entry: Entry, amount: i128, counted: i128) {
        match entry {
            Entry::Capture => {
                self.posted.paid += amount;
                self.rows.paid += counted;
            }
            Entry::Refund => {
                self.posted.refunded += amount;
                self.rows.refunded += counted;
            }
            _ => {}
        }
    }

    pub fn trade(&mut self, kind: TradeKind, state: TradeState, amount: i128) {
        match (kind, state) {
            (TradeKind::Pay, TradeState::Done) => self.rows.paid += amount,
            (TradeKind::Refund, TradeState::Done) => self.rows.refunded += amount,
            _ => {}
        }
    }

    pub fn open(&mut self, unsettled: i128, refunding: i128) {
        self.open.0 += unsettled;
        self.open.1 += refunding;
    }

    /// What does not agree with the stored balances, or within itself.
    pub fn compare(&self, ledger: &Ledger) -> Vec<Finding> {
        let stored = |won: crate::money::Won| i128::from(won.0);
        let pairs = [
            ("captured is stored as", stored(ledger.captured), "its postings give", self.captured),
            (
                "refunding is stored as",
                stored(ledger.refunding),
                "its postings give",
                self.refunding,
            ),
            (
                "receivable is stored as",
                stored(ledger.receivable),
                "its postings give",
                self.receivable,
            ),
            ("unsettled is stored as", stored(ledger.unsettled), "its payments give", self.open.0),
            ("refunding is", self.refunding, "its refunds under way sum to", self.open.1),
            ("its postings captured", self.posted.paid, "its payments sum to", self.rows.paid),
            (
                "its postings refunded",
                self.posted.refunded,
                "its refunds sum to",
                self.rows.refunded,
            ),
        ];
        let partner = ledger.partner.0;
        let off = pairs.into_iter().filter(|(_, a, _, b)| a != b);
        let mut findings: Vec<Finding> = off
            .map(|(what, a, how, b)| Finding(format!("partner {partner}: {what} {a}, {how} {b}")))
            .collect();
        if ledger.captured > ledger.unsettled {
            findings.push(Finding(format!(
                "partner {partner}: captured is {}, but only {} is still to come",
                ledger.captured, ledger.unsettled
            )));
        }
        findings
    }
}
