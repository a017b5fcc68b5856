//! Registering a card or an account: it leaves no trace in the journal, for no money moves.

use super::scenario::{Scenario, scenario};
use super::token::Token;
use crate::port::{AccountDetails, CardDetails, Registration};
use ichae_domain::banks;
use ichae_domain::billing::{Method, Reason};
use secrecy::ExposeSecret as _;

/// The one card company that the documents show with its code.
pub const CARD_COMPANY: (&str, &str) = ("0200", "BC카드");

const WRONG_CARD: Reason = Reason(1149);
const WRONG_EXPIRY: Reason = Reason(1152);
const WRONG_ACCOUNT: Reason = Reason(3226);

/// Two banks are spelt another way here than where money is paid out to.
pub fn bank_name(bank: &str) -> Option<&'static str> {
    match bank {
        "011" => Some("농협"),
        "081" => Some("KEB하나은행"),
        other => banks::name(other),
    }
}

/// Looks at the number and the expiry, and at nothing else of the card: as a test environment does.
pub(super) fn card(details: &CardDetails) -> Registration {
    let number = details.number.expose_secret();
    if !is_digits(number, 13, 19) {
        return Registration::Refused(WRONG_CARD);
    }
    let (year, month) = (details.expiry_year.expose_secret(), details.expiry_month.expose_secret());
    let is_month = is_digits(month, 2, 2) && ("01"..="12").contains(&month);
    if !is_digits(year, 2, 2) || !is_month {
        return Registration::Refused(WRONG_EXPIRY);
    }
    let masked = format!("{}-****-****-{}", &number[..4], &number[number.len() - 4..]);
    done(Method::Card, number, CARD_COMPANY, masked)
}

pub(super) fn account(details: &AccountDetails) -> Registration {
    let number = details.number.expose_secret();
    let Some(name) = bank_name(&details.bank).filter(|_| is_digits(number, 10, 16)) else {
        return Registration::Refused(WRONG_ACCOUNT);
    };
    let masked = format!("{}-********-{}", &number[..3], &number[number.len() - 3..]);
    done(Method::Account, number, (&details.bank, name), masked)
}

fn done(method: Method, number: &str, org: (&str, &str), masked: String) -> Registration {
    let scenario = scenario(method, number);
    if let Scenario::RegistrationRefused(code) = scenario {
        return Registration::Refused(code);
    }
    Registration::Done {
        token: Token { method, scenario }.make(),
        org: org.0.to_owned(),
        org_name: org.1.to_owned(),
        number_masked: masked.into(),
    }
}

pub(super) fn is_digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
