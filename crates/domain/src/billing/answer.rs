//! What an acquirer says of one call, or what its silence means.

use super::Reason;

/// What it gave for a call that it carried out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Approval {
    /// Approval number of a card, at most 16 digits; empty where there is none.
    pub auth_no: String,
    /// Management number of a cash receipt, where one was issued or canceled.
    pub receipt_no: Option<String>,
    /// The receipt that was asked for with a payment, or is to go with a refund, was refused: the money
    /// moved all the same.
    pub receipt_reason: Option<Reason>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TradeAnswer {
    Done(Approval),
    Refused(Reason),
    /// It surely did not leave us.
    NotSent,
    Unknown(TradeWhy),
}

macro_rules! reasons {
    ($($name:ident $number:literal $text:literal;)*) => {
        /// Why what became of a call is not known.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum TradeWhy {
            $(#[doc = $text] $name,)*
            /// The acquirer's code does not decide.
            Undecided(Reason),
        }

        impl TradeWhy {
            /// What stores keep: negative where no code is part of it.
            pub fn number(self) -> i64 {
                match self {
                    $(TradeWhy::$name => $number,)*
                    TradeWhy::Undecided(reason) => i64::from(reason.0),
                }
            }

            pub fn from_number(number: i64) -> Option<TradeWhy> {
                match number {
                    $($number => Some(TradeWhy::$name),)*
                    code => u16::try_from(code).ok().map(|code| TradeWhy::Undecided(Reason(code))),
                }
            }

            /// For people.
            pub fn text(self) -> String {
                match self {
                    $(TradeWhy::$name => $text.to_owned(),)*
                    TradeWhy::Undecided(reason) => format!("code {} does not decide", reason.text()),
                }
            }
        }

        #[cfg(test)]
        const PLAIN: &[TradeWhy] = &[$(TradeWhy::$name,)*];
    };
}

reasons! {
    TimedOut -1 "no answer within the time-out";
    Lost -2 "the connection was lost after the request could have left";
    Restarted -4 "the process ended between the intent and the answer";
    NoHistory -6 "the acquirer knows no such call; it may not know it yet";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_its_number() {
        for why in PLAIN.iter().copied().chain([TradeWhy::Undecided(Reason(1_113))]) {
            assert_eq!(TradeWhy::from_number(why.number()), Some(why));
            assert!(!why.text().is_empty());
        }
        assert_eq!(TradeWhy::from_number(-99), None);
    }
}
