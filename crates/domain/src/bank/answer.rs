//! What a rail reads from a bank's bytes, or from their absence.

use super::{BankClass, BankCode};
use crate::time::Day;

macro_rules! reasons {
    ($($name:ident $number:literal $text:literal;)*) => {
        /// Why an outcome is not known.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Why {
            $(#[doc = $text] $name,)*
            /// The bank's answer has a code that does not decide.
            Undecided(BankCode),
        }

        impl Why {
            /// What stores keep: negative where no code is part of it.
            pub fn number(self) -> i64 {
                match self {
                    $(Why::$name => $number,)*
                    Why::Undecided(code) => i64::from(code.0),
                }
            }

            pub fn from_number(number: i64) -> Option<Why> {
                match number {
                    $($number => Some(Why::$name),)*
                    code => u16::try_from(code).ok().map(|code| Why::Undecided(BankCode(code))),
                }
            }

            /// For people, in the event log and in lists.
            pub fn text(self) -> String {
                match self {
                    $(Why::$name => $text.to_owned(),)*
                    Why::Undecided(code) => format!("code {} does not decide", code.text()),
                }
            }
        }

        #[cfg(test)]
        const PLAIN: &[Why] = &[$(Why::$name,)*];
    };
}

reasons! {
    TimedOut -1 "no answer within the time-out";
    Lost -2 "the connection was lost after the request could have left";
    Processing -3 "the bank is processing it";
    Restarted -4 "the process ended between the intent and the answer";
    Restored -5 "it may have been sent in a time that the store has lost";
    NoHistory -6 "the bank knows no such transfer; it may not know it yet";
    Mismatch -7 "the answer was about another transfer: its id, amount or account differs";
    Unreadable -8 "the answer could not be read";
    Faulted -9 "the centre answered with an HTTP error";
}

impl Why {
    /// Whether asking again may go on for ever without an end, so that a person has to look
    /// (openbanking 7.2: 701, 813, "no history", trouble on our side).
    pub fn needs_person(self) -> bool {
        match self {
            Why::NoHistory => true,
            Why::Undecided(code) => {
                matches!(code.0, 701 | 813) || code.class() == BankClass::OwnSide
            }
            Why::TimedOut
            | Why::Lost
            | Why::Processing
            | Why::Restarted
            | Why::Restored
            | Why::Mismatch
            | Why::Unreadable
            | Why::Faulted => false,
        }
    }
}

/// What a rail read from a deposit or an inquiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Settled {
        day: Day,
        bank_code_sub: u32,
    },
    Refused {
        code: BankCode,
        day: Day,
    },
    OwnSide {
        code: BankCode,
    },
    /// Provably not sent: the connection failed before a byte left, or the gateway refused our token.
    NotSent,
    Unknown(Why),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_its_number() {
        let codes = [BankCode(0), BankCode(701), BankCode::find("A0326").unwrap()];
        let all = PLAIN.iter().copied().chain(codes.map(Why::Undecided));
        for why in all {
            assert_eq!(Why::from_number(why.number()), Some(why));
            assert!(!why.text().is_empty());
        }
        assert_eq!(Why::from_number(-100), None);
    }

    #[test]
    fn a_person_is_called_for_what_asking_again_may_never_end() {
        let called = |code: &str| Why::Undecided(BankCode::find(code).unwrap()).needs_person();
        assert!(Why::NoHistory.needs_person() && called("701") && called("813") && called("453"));
        assert!(!called("400") && !called("A0007") && !Why::TimedOut.needs_person());
    }
}
