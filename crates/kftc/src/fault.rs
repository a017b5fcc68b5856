//! The faults: one table of what can go wrong, by name.

use serde::Deserialize;
use std::fmt::Write as _;

/// When a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strikes {
    /// At a deposit. One at most strikes each call.
    Deposit,
    /// At inquiries about that deposit. Any number of them may be set for each deposit.
    Inquiry,
}

/// One row of the table.
#[derive(Debug)]
pub struct FaultEntry {
    pub fault: Fault,
    pub name: &'static str,
    pub strikes: Strikes,
    pub text: &'static str,
}

macro_rules! faults {
    ($($fault:ident $name:literal $strikes:ident $text:literal;)*) => {
        /// A way to go wrong.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
        #[serde(try_from = "String")]
        pub enum Fault {
            $(#[doc = $text] $fault,)*
        }

        /// Every fault. All are off unless a plan says otherwise.
        pub const FAULTS: &[FaultEntry] = &[$(FaultEntry {
            fault: Fault::$fault, name: $name, strikes: Strikes::$strikes, text: $text,
        },)*];
    };
}

faults! {
    TokenExpiry "token-expiry" Deposit "the token dies early: O0003 for it from now on, not paid; the number is not known afterwards";
    DropBefore "drop-before" Deposit "not paid, the connection is closed without an answer; the number is not known afterwards";
    Http503Before "http-503-before" Deposit "not paid, HTTP 503 without JSON; the number is not known afterwards";
    Maintenance "maintenance" Deposit "this and every other call is answered A0020 (in a deposit's item 114) for `maintenance_ms`; the number is not known afterwards";
    Refused "refused" Deposit "refused with one of `refused_codes`";
    OwnSide "own-side" Deposit "refused with 453: the institution's own account has too little";
    Processing "processing" Deposit "answered 400, paid only after `processing_ms`; until then inquiries say 400";
    LatePay "late-pay" Deposit "paid only after `late_pay_ms`, and answered then; until then inquiries say 400";
    Delay "delay" Deposit "paid at once, answered after `delay_ms`; until then inquiries say 400";
    PayThenDrop "pay-then-drop" Deposit "paid, then the connection is closed without an answer";
    Reset "reset" Deposit "paid, then the connection is reset (RST)";
    Http500AfterPaying "http-500-after-paying" Deposit "paid, then HTTP 500 without JSON";
    Garbage "garbage" Deposit "paid, then HTTP 200 with bytes that are no JSON";
    Truncated "truncated" Deposit "paid, then half of the body under the full length, and the end of the connection";
    DuplicateAnswer "duplicate-answer" Deposit "paid, then the answer's item twice, or the whole body twice";
    WrongEcho "wrong-echo" Deposit "paid, but the answer shows another `bank_tran_id`, amount or account";
    WrongDate "wrong-date" Deposit "paid, answered and journaled under the day after";
    LateReturn "late-return" Deposit "paid, and returned after `late_return_ms`";
    InquiryLost "inquiry-lost" Inquiry "the connection of the first `inquiries` inquiries is closed without an answer";
    InquiryWrong "inquiry-wrong" Inquiry "the first `inquiries` inquiries are answered A0003 without a list";
    InquiryNoHistory "inquiry-no-history" Inquiry "the first `inquiries` inquiries do not find the deposit (A0018), although it is there";
}

impl Fault {
    fn entry(self) -> Option<&'static FaultEntry> {
        FAULTS.iter().find(|entry| entry.fault == self)
    }

    /// As plans and journals write it.
    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }

    pub fn strikes_inquiries(self) -> bool {
        self.entry().is_some_and(|entry| entry.strikes == Strikes::Inquiry)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// A text that lists the names there are.
    pub fn find(name: &str) -> Result<Fault, String> {
        let found = FAULTS.iter().find(|entry| entry.name == name);
        found.map(|entry| entry.fault).ok_or_else(|| {
            let names: Vec<&str> = FAULTS.iter().map(|entry| entry.name).collect();
            format!("no fault is called `{name}`; there are {}", names.join(", "))
        })
    }
}

impl TryFrom<String> for Fault {
    type Error = String;

    fn try_from(name: String) -> Result<Fault, String> {
        Fault::find(&name)
    }
}

/// The table in Markdown, for the docs.
pub fn markdown() -> String {
    let mut text = String::from("| fault | what happens |\n|---|---|\n");
    for FaultEntry { name, text: what, .. } in FAULTS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{name}` | {what} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_fault_and_any_other_text_is_told_the_names() {
        for entry in FAULTS {
            assert_eq!(Fault::find(entry.name), Ok(entry.fault));
            assert_eq!(entry.fault.name(), entry.name);
        }
        let error = Fault::find("reste").unwrap_err();
        assert!(error.contains("reste") && error.contains("late-return"), "{error}");
    }

    #[test]
    fn the_guide_has_a_line_for_each_fault() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/bank-simulator.md");
        let guide = std::fs::read_to_string(path).unwrap();
        for line in markdown().lines().chain(crate::plan::markdown().lines()) {
            assert!(guide.contains(line), "the guide lacks: {line}");
        }
    }
}
