//! A payout's life (decision H13).

use crate::bank::{BankCode, Why};
use crate::code::Code;
use crate::group::Mode;
use crate::ident::{BankNo, GroupNo, KeyNo, PartnerNo, PayoutNo};
use crate::money::Won;
use crate::time::{Day, Time};

/// The states, in the order of a payout's way. Numbers are what stores keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum State {
    Requested = 0,
    Executing = 1,
    Sending = 2,
    Settled = 3,
    Failed = 4,
    Unknown = 5,
    Returned = 6,
    Canceled = 7,
}

impl State {
    pub const ALL: [State; 8] = [
        State::Requested,
        State::Executing,
        State::Sending,
        State::Settled,
        State::Failed,
        State::Unknown,
        State::Returned,
        State::Canceled,
    ];

    pub fn from_number(number: i64) -> Option<State> {
        State::ALL.into_iter().find(|s| *s as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            State::Requested => "requested",
            State::Executing => "executing",
            State::Sending => "sending",
            State::Settled => "settled",
            State::Failed => "failed",
            State::Unknown => "unknown",
            State::Returned => "returned",
            State::Canceled => "canceled",
        }
    }

    /// The amount is held: requested, executing, sending, unknown.
    pub fn holds(self) -> bool {
        match self {
            State::Requested | State::Executing | State::Sending | State::Unknown => true,
            State::Settled | State::Failed | State::Returned | State::Canceled => false,
        }
    }

    /// Executed and without an outcome yet (decision H14, `pending_list`).
    pub fn under_way(self) -> bool {
        matches!(self, State::Executing | State::Sending | State::Unknown)
    }

    /// Has an outcome that a result list shows (decision H14, `res_list`).
    pub fn completed(self) -> bool {
        matches!(self, State::Settled | State::Failed | State::Returned)
    }

    /// Whether the life may go from here to `next` (decision H13).
    pub fn may_become(self, next: State) -> bool {
        use State::*;
        match self {
            // To unknown only after a restore (decision I1).
            Requested => matches!(next, Executing | Canceled | Unknown),
            Executing => matches!(next, Sending | Failed | Unknown),
            Sending => matches!(next, Settled | Failed | Unknown | Executing),
            Unknown => matches!(next, Settled | Failed | Unknown),
            Settled => matches!(next, Returned),
            // Only as an operators' correction, against suspense.
            Failed => matches!(next, Settled),
            Returned | Canceled => false,
        }
    }
}

/// A row's state: its own, else its group's, else requested. The one function for it (decision H13).
pub fn state_of(own: Option<State>, group: Mode) -> State {
    own.unwrap_or(match group {
        Mode::Open | Mode::Closed | Mode::Filling => State::Requested,
        Mode::Executing => State::Executing,
        Mode::Canceled => State::Canceled,
    })
}

/// A payout as it was requested, with its own state where it has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payout {
    pub no: PayoutNo,
    pub partner: PartnerNo,
    pub group: GroupNo,
    pub key: KeyNo,
    pub amount: Won,
    pub distinct_key: String,
    pub sub_id: Option<String>,
    /// What stands on the recipient's statement.
    pub print: String,
    /// Whether the client sent `print`; else it is the default of that day.
    pub print_sent: bool,
    pub at: Time,
    /// `None`: the group decides, see [`state_of`].
    pub own: Option<State>,
    /// Where this row's webhooks go, if its own execution named an address (TEST).
    pub webhook_url: Option<String>,
}

/// What became of an executed payout at the bank. At most one per payout: a retry after a proven
/// "not sent" keeps the same `bank_tran_id`, one after own-side trouble takes the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub payout: PayoutNo,
    pub partner: PartnerNo,
    /// Absent where it failed before a bank was asked (its key had died), and where own-side
    /// trouble used the last number up.
    pub bank_no: Option<BankNo>,
    /// Business date: ours at the intent, the bank's once it answered.
    pub day: Day,
    pub sent_at: Time,
    /// How often it left or may have left for the bank.
    pub sends: i64,
    pub bank_code: Option<BankCode>,
    pub bank_code_sub: u32,
    /// The failure's code: A0009, or R0103 for a key that had died.
    pub failure: Option<Code>,
    pub why: Option<Why>,
    pub answered_at: Option<Time>,
    /// Inquiries made so far, and when the next is due.
    pub inquiries: i64,
    pub inquire_at: Option<Time>,
    pub returned_at: Option<Time>,
    pub return_code: Option<BankCode>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lifecycle_is_exactly_the_decided_one() {
        use State::*;
        let allowed = [
            (Requested, Executing),
            (Requested, Canceled),
            (Requested, Unknown),
            (Executing, Sending),
            (Executing, Failed),
            (Executing, Unknown),
            (Sending, Settled),
            (Sending, Failed),
            (Sending, Unknown),
            (Sending, Executing),
            (Unknown, Settled),
            (Unknown, Failed),
            (Unknown, Unknown),
            (Settled, Returned),
            (Failed, Settled),
        ];
        for from in State::ALL {
            for to in State::ALL {
                assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn own_state_wins_then_the_groups_then_requested() {
        for own in State::ALL {
            for mode in Mode::ALL {
                assert_eq!(state_of(Some(own), mode), own);
            }
        }
        assert_eq!(state_of(None, Mode::Open), State::Requested);
        assert_eq!(state_of(None, Mode::Closed), State::Requested);
        assert_eq!(state_of(None, Mode::Filling), State::Requested);
        assert_eq!(state_of(None, Mode::Executing), State::Executing);
        assert_eq!(state_of(None, Mode::Canceled), State::Canceled);
    }

    #[test]
    fn an_unknown_outcome_keeps_its_hold() {
        assert!(
            State::Unknown.holds() && State::Unknown.under_way() && !State::Unknown.completed()
        );
    }
}
