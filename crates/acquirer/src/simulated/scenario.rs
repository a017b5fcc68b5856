//! The scenario cards and accounts: one table of numbers and what the acquirer does with them.
//!
//! It is what users find in the docs, so they are generated from it or checked against it.

use ichae_domain::billing::{Method, Reason};
use std::fmt::Write as _;

/// What the simulated acquirer does with a card or an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    Plain,
    /// The payment is answered with this code; what that means is the code's class. It captures
    /// nothing.
    PayRefused(Reason),
    /// The registration is refused, and so is a payment that comes all the same.
    RegistrationRefused(Reason),
    CapturedAnswerLost,
    NotCapturedAnswerLost,
    CapturedKnownLate,
    RefundRefused,
    RefundAnswerLost,
    ReceiptRefused,
    Slow,
}

/// One row of the table.
#[derive(Debug)]
pub struct ScenarioEntry {
    /// The card number, where `CCCC` stands for any four digits but 0000; `None` where only accounts
    /// have the scenario.
    pub card: Option<&'static str>,
    /// The account number, likewise. The last row has neither: it is every other number.
    pub account: Option<&'static str>,
    pub ko: &'static str,
    pub en: &'static str,
    /// What tokens keep of the row; never given to another one.
    kind: u32,
    make: fn(Reason) -> Scenario,
}

/// Room for an institution's code below the kind of a scenario.
const CODES: u32 = 10_000;

/// Every scenario, in the order of the docs.
pub const SCENARIOS: &[ScenarioEntry] = &[
    ScenarioEntry {
        card: Some("990000000000CCCC"),
        account: Some("99000000CCCC"),
        ko: "등록은 정상, 결제는 기관 응답코드 CCCC로 거절 (목록에 없거나 확정적이지 않은 코드는 결과 미확정)",
        en: "registers; payments are refused with institution code CCCC (a code that does not decide leaves the outcome unknown)",
        kind: 1,
        make: Scenario::PayRefused,
    },
    ScenarioEntry {
        card: Some("990000010000CCCC"),
        account: Some("99000001CCCC"),
        ko: "등록이 기관 응답코드 CCCC로 거절",
        en: "the registration is refused with institution code CCCC",
        kind: 2,
        make: Scenario::RegistrationRefused,
    },
    ScenarioEntry {
        card: Some("9900000200000001"),
        account: Some("990000020001"),
        ko: "결제되었으나 응답이 유실, 결과조회는 바로 정상(0000)",
        en: "captured, but the answer is lost; the inquiry says done (0000) at once",
        kind: 3,
        make: |_| Scenario::CapturedAnswerLost,
    },
    ScenarioEntry {
        card: Some("9900000200000002"),
        account: Some("990000020002"),
        ko: "결제되지 않았고 응답이 유실, 결과조회는 거절(3112)",
        en: "not captured, and the answer is lost; the inquiry says refused (3112)",
        kind: 4,
        make: |_| Scenario::NotCapturedAnswerLost,
    },
    ScenarioEntry {
        card: Some("9900000200000003"),
        account: Some("990000020003"),
        ko: "결제되었으나 응답이 유실, 결과조회는 두 번 거래 없음, 세 번째에 정상(0000)",
        en: "captured, but the answer is lost; two inquiries know no such payment, the third says done (0000)",
        kind: 5,
        make: |_| Scenario::CapturedKnownLate,
    },
    ScenarioEntry {
        card: Some("9900000200000011"),
        account: Some("990000020011"),
        ko: "결제 성공, 환불은 거절(1116)",
        en: "pays; a refund is refused (1116)",
        kind: 6,
        make: |_| Scenario::RefundRefused,
    },
    ScenarioEntry {
        card: Some("9900000200000012"),
        account: Some("990000020012"),
        ko: "결제 성공, 환불은 되었으나 응답이 유실, 결과조회는 정상(0000)",
        en: "pays; a refund is done, but its answer is lost; the inquiry says done (0000)",
        kind: 7,
        make: |_| Scenario::RefundAnswerLost,
    },
    ScenarioEntry {
        card: None,
        account: Some("990000020021"),
        ko: "결제 성공, 현금영수증 발행은 거절(1101)",
        en: "pays; the cash receipt is refused (1101), the money moves all the same",
        kind: 8,
        make: |_| Scenario::ReceiptRefused,
    },
    ScenarioEntry {
        card: Some("9900000200000030"),
        account: Some("990000020030"),
        ko: "5초 뒤 결제 성공",
        en: "approved after 5 s",
        kind: 9,
        make: |_| Scenario::Slow,
    },
    ScenarioEntry {
        card: None,
        account: None,
        ko: "바로 결제 성공",
        en: "approved at once",
        kind: 0,
        make: |_| Scenario::Plain,
    },
];

/// The scenario that a card or account number selects.
pub fn scenario(method: Method, number: &str) -> Scenario {
    SCENARIOS
        .iter()
        .find_map(|entry| Some((entry.make)(code_in(entry.number(method)?, number)?)))
        .unwrap_or(Scenario::Plain)
}

/// The code that a number has in the place of `CCCC`, 0000 where the pattern has no such place;
/// `None` where the number is another one.
fn code_in(pattern: &str, number: &str) -> Option<Reason> {
    let Some(prefix) = pattern.strip_suffix("CCCC") else {
        return (pattern == number).then_some(Reason::OK);
    };
    // "Refused with 0000" would be a contradiction: such a number is like any other.
    Reason::find(number.strip_prefix(prefix)?).filter(|code| *code != Reason::OK)
}

/// The table in Markdown, both languages, for the docs.
pub fn markdown() -> String {
    let mut text = String::from("| card | account | 설명 | what happens |\n|---|---|---|---|\n");
    for entry in SCENARIOS {
        let other = match (entry.card, entry.account) {
            (None, None) => "any other",
            _ => "-",
        };
        let shown = |number: Option<&str>| number.map_or(other.to_owned(), |n| format!("`{n}`"));
        let (card, account) = (shown(entry.card), shown(entry.account));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {card} | {account} | {} | {} |", entry.ko, entry.en);
    }
    text
}

impl ScenarioEntry {
    /// The number of that method.
    pub fn number(&self, method: Method) -> Option<&'static str> {
        match method {
            Method::Card => self.card,
            Method::Account => self.account,
        }
    }
}

impl Scenario {
    /// What a token keeps in the place of the number: kind times 10,000, plus the code.
    pub fn number(self) -> u32 {
        let code = self.code();
        let entry = SCENARIOS.iter().find(|entry| (entry.make)(code) == self);
        entry.map_or(0, |entry| entry.kind) * CODES + u32::from(code.0)
    }

    /// `None` where no row of the table has this number.
    pub fn from_number(number: u32) -> Option<Scenario> {
        let code = Reason(u16::try_from(number % CODES).ok()?);
        let entry = SCENARIOS.iter().find(|entry| entry.kind == number / CODES)?;
        let found = (entry.make)(code);
        (found.code() == code).then_some(found)
    }

    fn code(self) -> Reason {
        match self {
            Scenario::PayRefused(code) | Scenario::RegistrationRefused(code) => code,
            Scenario::Plain
            | Scenario::CapturedAnswerLost
            | Scenario::NotCapturedAnswerLost
            | Scenario::CapturedKnownLate
            | Scenario::RefundRefused
            | Scenario::RefundAnswerLost
            | Scenario::ReceiptRefused
            | Scenario::Slow => Reason::OK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_selects_its_scenario() {
        use Method::{Account, Card};
        let table = [
            (Card, "9900000000003112", Scenario::PayRefused(Reason(3112))),
            (Card, "9900000000000001", Scenario::PayRefused(Reason(1))),
            (Card, "9900000000000000", Scenario::Plain),
            (Card, "9900000100003110", Scenario::RegistrationRefused(Reason(3110))),
            (Card, "9900000200000001", Scenario::CapturedAnswerLost),
            (Card, "9900000200000002", Scenario::NotCapturedAnswerLost),
            (Card, "9900000200000003", Scenario::CapturedKnownLate),
            (Card, "9900000200000004", Scenario::Plain),
            (Card, "9900000200000011", Scenario::RefundRefused),
            (Card, "9900000200000012", Scenario::RefundAnswerLost),
            (Card, "9900000200000021", Scenario::Plain),
            (Card, "9900000200000030", Scenario::Slow),
            (Card, "990000003112", Scenario::Plain),
            (Card, "99000000000031120", Scenario::Plain),
            (Card, "990000000000+112", Scenario::Plain),
            (Card, "", Scenario::Plain),
            (Account, "990000003112", Scenario::PayRefused(Reason(3112))),
            (Account, "990000013226", Scenario::RegistrationRefused(Reason(3226))),
            (Account, "990000020001", Scenario::CapturedAnswerLost),
            (Account, "990000020021", Scenario::ReceiptRefused),
            (Account, "990000020030", Scenario::Slow),
            (Account, "9900000000003112", Scenario::Plain),
            (Account, "99000000３１１２", Scenario::Plain),
        ];
        for (method, number, expected) in table {
            assert_eq!(scenario(method, number), expected, "{method:?} {number}");
        }
    }

    #[test]
    fn every_scenario_survives_its_number_and_no_two_share_one() {
        let mut seen = std::collections::HashSet::new();
        for entry in SCENARIOS {
            let made = (entry.make)(Reason(3112));
            assert_eq!(Scenario::from_number(made.number()), Some(made));
            assert!(made.number() < 100_000_000, "eight digits of a token");
            assert!(seen.insert(entry.kind), "{made:?}");
        }
        for nothing in [3_112, 30_001, 990_000] {
            assert_eq!(Scenario::from_number(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn each_row_has_its_line_of_documentation() {
        let text = markdown();
        assert_eq!(text.lines().count(), SCENARIOS.len() + 2);
        for ScenarioEntry { card, account, ko, en, .. } in SCENARIOS {
            let line = text.lines().find(|line| line.contains(en)).unwrap();
            let other = if account.is_none() { "any other" } else { "-" };
            assert!(line.contains(ko) && line.contains(account.unwrap_or(other)));
            assert!(line.contains(card.unwrap_or(other)));
            assert!(!ko.is_empty() && !ko.contains('|') && !en.contains('|'));
            assert!(card.is_none_or(|n| n.len() == 16) && account.is_none_or(|n| n.len() == 12));
        }
    }
}
