//! Double entry, append only. A posting is one row with both legs, so every journal balances by
//! construction, and a payout costs one row a step.

use crate::ident::{GroupNo, PartnerNo, PayoutNo, TradeNo};
use crate::money::Won;
use crate::time::{Day, Time};

/// The accounts. A partner has its own of each but the last; the settlement account is the rail's, and
/// what all partners have in receivable is what the acquirer owes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What a partner can spend.
    Available = 1,
    /// What is requested, under way or unknown.
    Held = 2,
    /// What a partner owes after corrections, as a balance below zero: a payout that had failed and
    /// given its amount back was paid after all (decision H13).
    Suspense = 3,
    /// What payers paid and the acquirer has not paid out yet.
    Captured = 4,
    /// What refunds under way or unknown may take.
    Refunding = 5,
    /// The counter-side of what the acquirer owes for this partner: minus that.
    Receivable = 6,
    /// The counter-side of money at the bank; its balance is minus what all partners have.
    Settlement = 10,
}

impl Account {
    pub fn from_number(number: i64) -> Option<Account> {
        use Account::*;
        let all = [Available, Held, Suspense, Captured, Refunding, Receivable, Settlement];
        all.into_iter().find(|a| *a as i64 == number)
    }
}

/// Why money moved. The accounts follow from it: nothing else may be posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Entry {
    Fund = 1,
    TakeBack = 2,
    Hold = 3,
    Settle = 4,
    /// Refused by the bank or not executable.
    Refuse = 5,
    /// Cancelled by the partner or an operator; for an ALL one posting for the group's sum.
    Cancel = 6,
    Return = 7,
    /// A failed payout was paid after all: owed in suspense, never taken from what is available.
    Correct = 8,
    /// Takes what is owed from what is available, once operators decide so.
    Recover = 9,
    /// The house pays what is owed.
    WriteOff = 10,
    /// A corrected payout came back before what is owed for it was recovered.
    ReturnOwed = 11,
    /// A payer paid.
    Capture = 12,
    /// The acquirer's payment reaches what the partner can spend.
    SettleCapture = 13,
    /// What the acquirer paid into the settlement account.
    AcquirerPaid = 14,
    /// Set aside for a refund: first what was captured, then what is available.
    RefundFromCaptured = 15,
    RefundFromAvailable = 16,
    Refund = 17,
    /// A refund was refused: back to where it came from.
    RefundBackToCaptured = 18,
    RefundBackToAvailable = 19,
}

impl Entry {
    pub const ALL: [Entry; 19] = [
        Entry::Fund,
        Entry::TakeBack,
        Entry::Hold,
        Entry::Settle,
        Entry::Refuse,
        Entry::Cancel,
        Entry::Return,
        Entry::Correct,
        Entry::Recover,
        Entry::WriteOff,
        Entry::ReturnOwed,
        Entry::Capture,
        Entry::SettleCapture,
        Entry::AcquirerPaid,
        Entry::RefundFromCaptured,
        Entry::RefundFromAvailable,
        Entry::Refund,
        Entry::RefundBackToCaptured,
        Entry::RefundBackToAvailable,
    ];

    pub fn from_number(number: i64) -> Option<Entry> {
        Entry::ALL.into_iter().find(|e| *e as i64 == number)
    }

    /// (debit, credit): the amount leaves the first and reaches the second.
    pub fn legs(self) -> (Account, Account) {
        use Account::*;
        match self {
            Entry::Fund | Entry::Return => (Settlement, Available),
            Entry::TakeBack => (Available, Settlement),
            Entry::Hold => (Available, Held),
            Entry::Settle => (Held, Settlement),
            Entry::Refuse | Entry::Cancel => (Held, Available),
            Entry::Correct => (Suspense, Settlement),
            Entry::Recover => (Available, Suspense),
            Entry::WriteOff | Entry::ReturnOwed => (Settlement, Suspense),
            Entry::Capture => (Receivable, Captured),
            Entry::SettleCapture => (Captured, Available),
            Entry::AcquirerPaid => (Settlement, Receivable),
            Entry::RefundFromCaptured => (Captured, Refunding),
            Entry::RefundFromAvailable => (Available, Refunding),
            Entry::Refund => (Refunding, Receivable),
            Entry::RefundBackToCaptured => (Refunding, Captured),
            Entry::RefundBackToAvailable => (Refunding, Available),
        }
    }
}

/// What a posting is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    Fund,
    Payout(PayoutNo),
    Group(GroupNo),
    /// A call to the acquirer.
    Trade(TradeNo),
    /// Payments up to this day that the acquirer paid out.
    Settling(Day),
}

/// One journal line. Never updated, never deleted, chained per partner under a key by the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    pub partner: PartnerNo,
    pub entry: Entry,
    pub amount: Won,
    pub subject: Subject,
    pub at: Time,
}

/// A partner's balances and its open group: the row that every one of its commands reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    pub partner: PartnerNo,
    pub available: Won,
    pub held: Won,
    pub suspense: Won,
    /// Funded less taken back, and what of payments came to be available: `total_account_amt`
    /// (decision H8).
    pub funded: Won,
    pub captured: Won,
    pub refunding: Won,
    pub receivable: Won,
    /// What payments still bring once the acquirer pays them: captured of it belongs to the partner, the
    /// rest was spent on refunds of payments that had been paid out before.
    pub unsettled: Won,
    pub open_group: Option<GroupNo>,
}

impl Ledger {
    pub fn new(partner: PartnerNo) -> Ledger {
        Ledger {
            partner,
            available: Won::ZERO,
            held: Won::ZERO,
            suspense: Won::ZERO,
            funded: Won::ZERO,
            captured: Won::ZERO,
            refunding: Won::ZERO,
            receivable: Won::ZERO,
            unsettled: Won::ZERO,
            open_group: None,
        }
    }

    /// Moves the amount of one entry. `None`, with nothing moved, where an account of the partner
    /// would leave its side of zero or a sum its range. Suspense is what is owed: never above zero;
    /// the others never fall below.
    #[must_use]
    pub fn post(&self, entry: Entry, amount: Won) -> Option<Ledger> {
        let mut next = self.clone();
        let (debit, credit) = entry.legs();
        if let Some(balance) = next.balance_mut(debit) {
            *balance = balance.minus(amount)?;
        }
        if let Some(balance) = next.balance_mut(credit) {
            *balance = balance.plus(amount)?;
        }
        let spendable = [next.available, next.held, next.captured, next.refunding];
        if spendable.into_iter().any(Won::is_negative) || next.suspense > Won::ZERO {
            return None;
        }
        match entry {
            Entry::Fund | Entry::SettleCapture | Entry::RefundBackToAvailable => {
                next.funded = next.funded.plus(amount)?;
            }
            Entry::TakeBack | Entry::RefundFromAvailable => {
                next.funded = next.funded.minus(amount)?;
            }
            Entry::Hold
            | Entry::Settle
            | Entry::Refuse
            | Entry::Cancel
            | Entry::Return
            | Entry::Correct
            | Entry::Recover
            | Entry::WriteOff
            | Entry::ReturnOwed
            | Entry::Capture
            | Entry::AcquirerPaid
            | Entry::RefundFromCaptured
            | Entry::Refund
            | Entry::RefundBackToCaptured => {}
        }
        Some(next)
    }

    /// `total_transfer_amt`: held, under way or sent (decision H8).
    pub fn transferred(&self) -> Won {
        Won(self.funded.0 - self.available.0)
    }

    fn balance_mut(&mut self, account: Account) -> Option<&mut Won> {
        match account {
            Account::Available => Some(&mut self.available),
            Account::Held => Some(&mut self.held),
            Account::Suspense => Some(&mut self.suspense),
            Account::Captured => Some(&mut self.captured),
            Account::Refunding => Some(&mut self.refunding),
            Account::Receivable => Some(&mut self.receivable),
            Account::Settlement => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_partner_has_plus_settlement_is_always_zero() {
        let mut ledger = Ledger::new(PartnerNo(1));
        let mut settlement = 0;
        for (entry, amount) in [
            (Entry::Fund, 1000),
            (Entry::Hold, 400),
            (Entry::Settle, 150),
            (Entry::Refuse, 50),
            (Entry::Cancel, 100),
            (Entry::Return, 150),
            (Entry::TakeBack, 300),
            (Entry::Correct, 50),
            (Entry::Recover, 20),
            (Entry::WriteOff, 30),
            (Entry::Capture, 200),
            (Entry::RefundFromCaptured, 60),
            (Entry::RefundFromAvailable, 40),
            (Entry::Refund, 70),
            (Entry::RefundBackToCaptured, 10),
            (Entry::RefundBackToAvailable, 20),
            (Entry::SettleCapture, 150),
            (Entry::AcquirerPaid, 130),
        ] {
            ledger = ledger.post(entry, Won(amount)).unwrap();
            let (debit, credit) = entry.legs();
            settlement += i64::from(credit == Account::Settlement) * amount;
            settlement -= i64::from(debit == Account::Settlement) * amount;
            let of_billing = ledger.captured.0 + ledger.refunding.0 + ledger.receivable.0;
            let total = ledger.available.0 + ledger.held.0 + ledger.suspense.0 + of_billing;
            assert_eq!(total + settlement, 0, "{entry:?}");
        }
        assert_eq!((ledger.available, ledger.held, ledger.funded), (Won(710), Won(100), Won(830)));
        let billing = (ledger.captured, ledger.refunding, ledger.receivable);
        assert_eq!(billing, (Won(0), Won(0), Won(0)));
        assert_eq!((ledger.suspense, ledger.transferred()), (Won(0), Won(120)));
    }

    #[test]
    fn no_account_of_a_partner_falls_below_zero() {
        let ledger = Ledger::new(PartnerNo(1)).post(Entry::Fund, Won(10)).unwrap();
        assert_eq!(ledger.post(Entry::Hold, Won(11)), None);
        assert_eq!(ledger.post(Entry::TakeBack, Won(11)), None);
        assert_eq!(ledger.post(Entry::Settle, Won(1)), None);
        // Nothing is owed, so nothing can be paid of it.
        assert_eq!(ledger.post(Entry::Recover, Won(1)), None);
        assert_eq!(ledger.post(Entry::WriteOff, Won(1)), None);
        let owes = ledger.post(Entry::Correct, Won(20)).unwrap();
        assert_eq!((owes.available, owes.suspense), (Won(10), Won(-20)));
        assert_eq!(owes.post(Entry::Recover, Won(11)), None, "more than is available");
        assert!(ledger.post(Entry::Hold, Won(10)).is_some());
    }
}
