//! The scenario accounts: one table of numbers and what the bank does with them.
//!
//! It is what users find in the docs, so they are generated from it or checked against it.

use ichae_domain::bank::BankCode;
use std::fmt::Write as _;

/// What the simulated bank does with an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    Plain,
    /// The deposit is answered with this code; what that means is the code's class.
    DepositRefused(BankCode),
    /// The account check is refused, and so is a deposit that comes all the same.
    CheckRefused(BankCode),
    PaidAnswerLost,
    UnpaidAnswerLost,
    Processing,
    Returned,
    Slow,
}

/// One row of the table.
#[derive(Debug)]
pub struct ScenarioEntry {
    /// The account number, where `CCC` stands for any three digits but 000. The last row has
    /// none: it is every other number.
    pub account: Option<&'static str>,
    pub ko: &'static str,
    pub en: &'static str,
    /// What a journal keeps of the row; never given to another one.
    kind: i64,
    make: fn(BankCode) -> Scenario,
}

/// Room for a bank code below the kind of a scenario.
const CODES: i64 = 1_000;

/// Every scenario, in the order of the docs.
pub const SCENARIOS: &[ScenarioEntry] = &[
    ScenarioEntry {
        account: Some("9900000CCC"),
        ko: "계좌 확인은 정상, 입금은 은행 응답코드 CCC로 거절 (452~456은 이체 일시정지, 목록에 없는 코드는 결과 미확정)",
        en: "the account check succeeds, the deposit is refused with bank code CCC (452 to 456 pause the rail, a code that does not decide leaves the outcome unknown)",
        kind: 1,
        make: Scenario::DepositRefused,
    },
    ScenarioEntry {
        account: Some("9900001CCC"),
        ko: "계좌 확인이 은행 응답코드 CCC로 거절",
        en: "the account check is refused with bank code CCC",
        kind: 2,
        make: Scenario::CheckRefused,
    },
    ScenarioEntry {
        account: Some("9900002804"),
        ko: "입금되었으나 응답이 유실, 결과조회는 정상(000)",
        en: "paid, but the answer is lost; the inquiry says 000",
        kind: 3,
        make: |_| Scenario::PaidAnswerLost,
    },
    ScenarioEntry {
        account: Some("9900002803"),
        ko: "입금되지 않았고 응답이 유실, 결과조회는 거절(499)",
        en: "not paid, and the answer is lost; the inquiry says refused (499)",
        kind: 4,
        make: |_| Scenario::UnpaidAnswerLost,
    },
    ScenarioEntry {
        account: Some("9900002400"),
        ko: "입금 처리 중(400)으로 응답, 세 번째 결과조회에서 정상(000)",
        en: "answered \"processing\" (400); the third inquiry says 000",
        kind: 5,
        make: |_| Scenario::Processing,
    },
    ScenarioEntry {
        account: Some("9900003000"),
        ko: "입금 성공, 5초 뒤 입금 반환",
        en: "settled, then returned 5 s later",
        kind: 6,
        make: |_| Scenario::Returned,
    },
    ScenarioEntry {
        account: Some("9900004000"),
        ko: "5초 뒤 입금 성공",
        en: "settled after 5 s",
        kind: 7,
        make: |_| Scenario::Slow,
    },
    ScenarioEntry {
        account: None,
        ko: "바로 입금 성공, 예금주는 홍길동",
        en: "settled at once; the holder is 홍길동",
        kind: 0,
        make: |_| Scenario::Plain,
    },
];

/// The scenario that an account number selects.
pub fn scenario(account_number: &str) -> Scenario {
    SCENARIOS
        .iter()
        .find_map(|entry| Some((entry.make)(code_in(entry.account?, account_number)?)))
        .unwrap_or(Scenario::Plain)
}

/// The code that a number has in the place of `CCC`, 000 where the pattern has no such place;
/// `None` where the number is another one.
fn code_in(pattern: &str, number: &str) -> Option<BankCode> {
    let Some(prefix) = pattern.strip_suffix("CCC") else {
        return (pattern == number).then_some(BankCode::OK);
    };
    let digits = number.strip_prefix(prefix)?;
    let three = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    // "Refused with 000" would be a contradiction: such a number is like any other.
    three.then_some(BankCode(digits.parse().ok()?)).filter(|code| *code != BankCode::OK)
}

/// The table in Markdown, both languages, for the docs.
pub fn markdown() -> String {
    let mut text = String::from("| account number | 설명 | what happens |\n|---|---|---|\n");
    for ScenarioEntry { account, ko, en, .. } in SCENARIOS {
        let account = account.map_or("any other".to_owned(), |number| format!("`{number}`"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {account} | {ko} | {en} |");
    }
    text
}

impl Scenario {
    /// What a journal keeps in the place of the account number: kind times 1,000, plus the code.
    pub fn number(self) -> i64 {
        let code = self.code();
        let entry = SCENARIOS.iter().find(|entry| (entry.make)(code) == self);
        entry.map_or(0, |entry| entry.kind) * CODES + i64::from(code.0)
    }

    /// `None` where no row of the table has this number.
    pub fn from_number(number: i64) -> Option<Scenario> {
        let code = BankCode(u16::try_from(number.rem_euclid(CODES)).ok()?);
        let entry = SCENARIOS.iter().find(|e| e.kind == number.div_euclid(CODES))?;
        let found = (entry.make)(code);
        (found.code() == code).then_some(found)
    }

    fn code(self) -> BankCode {
        match self {
            Scenario::DepositRefused(code) | Scenario::CheckRefused(code) => code,
            Scenario::Plain
            | Scenario::PaidAnswerLost
            | Scenario::UnpaidAnswerLost
            | Scenario::Processing
            | Scenario::Returned
            | Scenario::Slow => BankCode::OK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_selects_its_scenario() {
        let table = [
            ("9900000415", Scenario::DepositRefused(BankCode(415))),
            ("9900000453", Scenario::DepositRefused(BankCode(453))),
            ("9900000001", Scenario::DepositRefused(BankCode(1))),
            ("9900000000", Scenario::Plain),
            ("9900001412", Scenario::CheckRefused(BankCode(412))),
            ("9900001000", Scenario::Plain),
            ("9900002804", Scenario::PaidAnswerLost),
            ("9900002803", Scenario::UnpaidAnswerLost),
            ("9900002400", Scenario::Processing),
            ("9900002401", Scenario::Plain),
            ("9900003000", Scenario::Returned),
            ("9900004000", Scenario::Slow),
            ("99000004150", Scenario::Plain),
            ("990000041", Scenario::Plain),
            ("99000004１", Scenario::Plain),
            ("9900000+15", Scenario::Plain),
            ("1234567890123456", Scenario::Plain),
            ("", Scenario::Plain),
        ];
        for (account, expected) in table {
            assert_eq!(scenario(account), expected, "{account}");
        }
    }

    #[test]
    fn every_scenario_survives_its_number_and_no_two_share_one() {
        let mut seen = std::collections::HashSet::new();
        for entry in SCENARIOS {
            let made = (entry.make)(BankCode(415));
            assert_eq!(Scenario::from_number(made.number()), Some(made));
            assert!(seen.insert(entry.kind), "{made:?}");
        }
        for nothing in [-1, 415, 3_001, 99_000] {
            assert_eq!(Scenario::from_number(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn each_row_has_its_line_of_documentation() {
        let text = markdown();
        assert_eq!(text.lines().count(), SCENARIOS.len() + 2);
        for ScenarioEntry { account, ko, en, .. } in SCENARIOS {
            let line = text.lines().find(|line| line.contains(en)).unwrap();
            assert!(line.contains(ko) && line.contains(account.unwrap_or("any other")));
            assert!(!ko.is_empty() && !ko.contains('|') && !en.contains('|'));
        }
    }

    #[test]
    fn the_reference_names_every_scenario_account() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/decisions.md");
        let reference = std::fs::read_to_string(path).unwrap();
        for account in SCENARIOS.iter().filter_map(|entry| entry.account) {
            assert!(reference.contains(&format!("| `{account}`")), "{account}");
        }
    }
}
