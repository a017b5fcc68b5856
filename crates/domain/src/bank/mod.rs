//! What a bank and the centre before it say: their response codes as two tables, and the answers that
//! a rail reads from them.
//!
//! A code that is not listed is Unknown, never Refused.

mod answer;
mod codes;
mod rsp;

pub use answer::{Answer, Why};
pub use codes::BANK_TABLE;
pub use rsp::RSP_TABLE;

/// What a response code means for a deposit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BankClass {
    Settled,
    Refused,
    /// Trouble on our own side: it pauses the rail, it fails no payout (decision M3).
    OwnSide,
    /// Refused before it could reach a bank, for a reason that passes: the same number goes again.
    NotSent,
    Unknown,
}

impl BankClass {
    pub fn text(self) -> &'static str {
        match self {
            BankClass::Settled => "settled",
            BankClass::Refused => "refused: the amount is given back",
            BankClass::OwnSide => "trouble on the hub's side: the rail is paused, the payout waits",
            BankClass::NotSent => "not sent: the payout waits and goes again",
            BankClass::Unknown => "unknown: the amount stays held until an inquiry is answered",
        }
    }
}

/// One row of either table.
#[derive(Debug)]
pub struct BankEntry {
    pub code: BankCode,
    pub class: BankClass,
    /// Whether it ends the billing key (decision H11).
    pub kills_key: bool,
    /// Whether it is the original's end when an inquiry's item says it (openbanking 7.2).
    pub final_in_inquiry: bool,
    pub ko: &'static str,
    pub en: &'static str,
}

/// A response code in one number: three digits of a bank as they are, a letter and four digits of the
/// centre above them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BankCode(pub u16);

/// Where the centre's letters begin; each has room for four digits.
const LETTERS: [(u8, u16); 2] = [(b'A', 10_000), (b'O', 20_000)];
const DIGITS: u16 = 10_000;

impl BankCode {
    pub const OK: BankCode = BankCode(0);

    /// The centre's code of that letter and number.
    pub const fn centre(letter: u8, digits: u16) -> Option<BankCode> {
        let mut at = 0;
        while at < LETTERS.len() {
            if LETTERS[at].0 == letter && digits < DIGITS {
                return Some(BankCode(LETTERS[at].1 + digits));
            }
            at += 1;
        }
        None
    }

    /// The code of that text, `415` or `A0326`; listed or not.
    pub fn find(text: &str) -> Option<BankCode> {
        let digits = |text: &str, length: usize| {
            let fits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| text.parse::<u16>().ok())?
        };
        match text.as_bytes().first()? {
            letter @ b'A'..=b'Z' => BankCode::centre(*letter, digits(&text[1..], 4)?),
            _ => digits(text, 3).map(BankCode),
        }
    }

    pub fn entry(self) -> Option<&'static BankEntry> {
        let table = if self.is_banks() { BANK_TABLE } else { RSP_TABLE };
        table.binary_search_by_key(&self, |e| e.code).ok().map(|at| &table[at])
    }

    /// Whether a bank said it; else the centre did.
    pub fn is_banks(self) -> bool {
        self.0 < LETTERS[0].1
    }

    pub fn class(self) -> BankClass {
        self.entry().map_or(BankClass::Unknown, |e| e.class)
    }

    pub fn kills_key(self) -> bool {
        self.entry().is_some_and(|e| e.kills_key)
    }

    pub fn final_in_inquiry(self) -> bool {
        self.entry().is_some_and(|e| e.final_in_inquiry)
    }

    /// As the wire has it: `415`, `A0326`.
    pub fn text(self) -> String {
        let letter = LETTERS.iter().rev().find(|(_, from)| self.0 >= *from);
        match letter {
            Some((letter, from)) => format!("{}{:04}", char::from(*letter), self.0 - from),
            None => format!("{:03}", self.0),
        }
    }

    /// The reason with its code in brackets, e.g. `해약 계좌(415)`.
    pub fn reason(self) -> String {
        format!("{}({})", self.entry().map_or("기타 오류", |entry| entry.ko), self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_codes_end_a_key_and_every_one_of_them_is_a_refusal() {
        let killers: Vec<u16> =
            BANK_TABLE.iter().filter(|e| e.kills_key).map(|e| e.code.0).collect();
        assert_eq!(killers, [412, 415, 416, 419, 420, 499, 815]);
        assert!(BANK_TABLE.iter().filter(|e| e.kills_key).all(|e| e.class == BankClass::Refused));
    }

    #[test]
    fn the_tables_are_sorted_and_what_they_do_not_list_is_unknown() {
        for table in [BANK_TABLE, RSP_TABLE] {
            assert!(table.windows(2).all(|w| w[0].code < w[1].code));
        }
        let listed: Vec<BankCode> =
            BANK_TABLE.iter().chain(RSP_TABLE).map(|entry| entry.code).collect();
        for code in (0..=u16::MAX).map(BankCode).filter(|code| !listed.contains(code)) {
            assert_eq!(code.class(), BankClass::Unknown);
            assert!(!code.kills_key() && !code.final_in_inquiry());
        }
    }

    #[test]
    fn only_what_decides_a_transfer_is_final_in_an_inquiry() {
        for entry in BANK_TABLE {
            let decides = matches!(entry.class, BankClass::Settled | BankClass::Refused);
            assert_eq!(entry.final_in_inquiry, decides, "{}", entry.code.text());
        }
        assert!(RSP_TABLE.iter().all(|entry| !entry.final_in_inquiry && !entry.kills_key));
    }

    #[test]
    fn what_may_have_reached_a_bank_is_unknown() {
        for code in ["A0001", "A0003", "A0006", "A0007", "A0008", "A0016", "A0017", "A0326"]
            .into_iter()
            .chain(["A0310", "A0018", "O0007", "111", "114", "400", "803", "804", "818", "819"])
            .chain(["822", "999", "701", "813", "432", "551", "A0331", "A0337", "A9999"])
        {
            assert_eq!(BankCode::find(code).unwrap().class(), BankClass::Unknown, "{code}");
        }
    }

    #[test]
    fn the_reason_carries_its_code() {
        assert_eq!(BankCode(415).reason(), "해약 계좌(415)");
        assert_eq!(BankCode(815).reason(), "예금주명 불일치(815)");
        assert_eq!(BankCode::OK.text(), "000");
        assert_eq!(BankCode(777).reason(), "기타 오류(777)");
        let name = BankCode::find("A0312").unwrap();
        assert_eq!(
            (name.text().as_str(), name.reason().as_str()),
            ("A0312", "수취인 성명 불일치(A0312)")
        );
    }

    #[test]
    fn a_text_is_a_code_or_nothing() {
        for text in
            ["", "41", "0415", "41５", "A", "A032", "A03266", "B0001", "A-001", "+15", "가나"]
        {
            assert_eq!(BankCode::find(text), None, "{text}");
        }
        for entry in BANK_TABLE.iter().chain(RSP_TABLE) {
            assert_eq!(BankCode::find(&entry.code.text()), Some(entry.code));
        }
    }
}
