//! The vocabularies: six classes of findings, their kinds, what to do, why a line is unreadable.

use ichae_domain::time::Day;

macro_rules! classes {
    ($($class:ident $name:literal $ko:literal $en:literal $action:literal;)*) => {
        /// The six classes of findings (figure 7), in the order of a report.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
        pub enum Class { $($class,)* }

        impl Class {
            pub const ALL: &[Class] = &[$(Class::$class,)*];

            /// As reports and JSON show it.
            pub fn name(self) -> &'static str {
                match self { $(Class::$class => $name,)* }
            }

            pub fn ko(self) -> &'static str {
                match self { $(Class::$class => $ko,)* }
            }

            pub fn en(self) -> &'static str {
                match self { $(Class::$class => $en,)* }
            }

            /// What an operator should do.
            pub fn action(self) -> &'static str {
                match self { $(Class::$class => $action,)* }
            }
        }
    };
}

classes! {
    MissingThere "missing_there" "은행 내역에 없음" "Settled here, and not in the file." "Look into the statements of the days before and after; then ask the bank with the id.";
    MissingHere "missing_here" "허브 내역에 없음" "In the file as paid, and not known or never sent here." "Pause the rail if it was never sent; look for a double under another number; then ask the bank.";
    Amount "amount" "금액 불일치" "The amounts differ." "Ask the bank which amount moved; correct nothing before it has answered.";
    Doubled "doubled" "중복 지급" "One id is paid twice or more in the file." "Ask the bank whether money moved twice, and claim back what did.";
    Shifted "shifted" "기준일 이동" "The bank booked it on another day." "Nothing over the cut-off; ask the bank where the days are further apart.";
    Status "status" "상태 불일치" "The bank says another outcome." "Follow the proposal of the finding: resolve, return, correct or ask.";
}

macro_rules! kinds {
    ($($kind:ident $class:ident $name:literal $ko:literal $en:literal;)*) => {
        /// What exactly was found, below its class.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            pub fn class(self) -> Class {
                match self { $(Kind::$kind => Class::$class,)* }
            }

            /// As reports and JSON show it.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            pub fn ko(self) -> &'static str {
                match self { $(Kind::$kind => $ko,)* }
            }

            pub fn en(self) -> &'static str {
                match self { $(Kind::$kind => $en,)* }
            }
        }
    };
}

kinds! {
    Absent MissingThere "absent" "허브는 완료, 은행 내역 없음" "settled here, no line there";
    NoSuchNumber MissingHere "no_such_number" "허브에 없는 거래번호" "paid under a number that is not among the hub's rows";
    Foreign MissingHere "foreign" "다른 이용기관의 거래번호" "the number of another institution";
    NeverSent MissingHere "never_sent" "허브에서 전송하지 않은 건" "paid there, never sent here";
    ReturnedUnknown MissingHere "returned_unknown" "허브에 없는 거래의 반환" "returned under a number that is not among the hub's rows";
    Amount Amount "amount" "금액 불일치" "the amounts differ";
    PaidAgain Doubled "paid_again" "같은 번호로 두 번 이상 지급" "paid twice or more under one number";
    OverCutOff Shifted "over_cut_off" "기준시각을 넘긴 거래일" "booked on the other side of the cut-off";
    DaysApart Shifted "days_apart" "거래일 차이가 허용 범위 초과" "the days are further apart than the tolerance";
    PaidHereFailed Status "paid_here_failed" "은행은 지급, 허브는 실패" "paid there, failed here";
    PaidHereCanceled Status "paid_here_canceled" "은행은 지급, 허브는 취소" "paid there, canceled here";
    WouldSettle Status "would_settle" "은행은 지급, 허브는 미확정" "paid there, not known here: would settle";
    WouldFail Status "would_fail" "은행은 거절, 허브는 미확정" "refused there, not known here: would fail";
    RefusedHereSettled Status "refused_here_settled" "은행은 거절, 허브는 완료" "refused there, settled here";
    ReturnedHereSettled Status "returned_here_settled" "은행은 반환, 허브는 완료" "returned there, settled here";
    ReturnedHereOpen Status "returned_here_open" "은행은 반환, 허브는 미확정" "returned there, not known here: would settle, then return";
    BackHereFailed Status "back_here_failed" "은행은 반환, 허브는 실패 또는 취소" "paid and returned there, failed or canceled here: the money agrees";
}

/// What a line of the file says of its payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Word {
    Refused,
    Returned,
    Paid,
}

impl Word {
    pub fn name(self) -> &'static str {
        match self {
            Word::Refused => "refused",
            Word::Returned => "returned",
            Word::Paid => "paid",
        }
    }
}

/// How an unknown payout would end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Settled,
    Failed,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Settled => "settled",
            Outcome::Failed => "failed",
        }
    }
}

/// The line that a resolution rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evidence {
    pub line: u32,
    /// The bank's business date in that line.
    pub day: Day,
}

/// What could be done about a finding. A proposal only: nothing here changes anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proposal {
    /// End an unknown payout by the bank's word in the file.
    Resolve(Outcome, Evidence),
    /// Record the bank's return of a settled payout.
    Return,
    /// Failed or canceled here and paid there: the ledger needs a correction.
    Correct,
    AskBank,
    /// Look for a second payment of the same payout under another number.
    LookForDouble,
    /// The money agrees.
    None,
}

impl Proposal {
    /// As reports and JSON show it.
    pub fn name(self) -> &'static str {
        match self {
            Proposal::Resolve(..) => "resolve",
            Proposal::Return => "return",
            Proposal::Correct => "correct",
            Proposal::AskBank => "ask_bank",
            Proposal::LookForDouble => "look_for_double",
            Proposal::None => "none",
        }
    }
}

macro_rules! whys {
    ($($why:ident $name:literal $en:literal;)*) => {
        /// Why a line cannot be read.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Why { $($why,)* }

        impl Why {
            /// As JSON shows it.
            pub fn name(self) -> &'static str {
                match self { $(Why::$why => $name,)* }
            }

            pub fn en(self) -> &'static str {
                match self { $(Why::$why => $en,)* }
            }
        }
    };
}

whys! {
    TooLong "too_long" "longer than 64 KiB";
    Quote "quote" "a quote is not closed in its line";
    Columns "columns" "more columns than the first line has";
    Missing "missing" "the column is missing or empty";
    Id "id" "not a bank_tran_id: ten of A-Z and 0-9, U, nine of A-Z and 0-9";
    Date "date" "not a day as yyyymmdd, yyyy-mm-dd, yyyy/mm/dd or yyyy.mm.dd";
    Amount "amount" "not whole won: 1 to 12 digits, above zero, commas only between thousands";
    Status "status" "none of the map's words";
    Balance "balance" "not whole won: digits, commas only between thousands, at most one minus before them";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_class_has_both_texts_and_a_kind() {
        assert_eq!(Class::ALL.len(), 6);
        for class in Class::ALL {
            assert!(class.ko().chars().any(|c| ('가'..='힣').contains(&c)), "{class:?}");
            assert!(class.en().ends_with('.') && class.action().ends_with('.'), "{class:?}");
            assert!(Kind::ALL.iter().any(|kind| kind.class() == *class), "{class:?}");
        }
        let names: HashSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.ko().chars().any(|c| ('가'..='힣').contains(&c)), "{kind:?}");
            assert!(kind.en().is_ascii() && !kind.en().is_empty(), "{kind:?}");
        }
    }
}
