//! Fields that several calls have, and what each is refused with: a code, and the field's name.

use crate::json::Fields;
use ichae_domain::billing::{Month, month_of};
use ichae_domain::code::Code;
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use ichae_domain::time::Day;
use secrecy::SecretString;
use std::borrow::Cow;

pub const OID_MAX: usize = 255;
pub const PAYER_NO_MAX: usize = 20;
pub const NAME_MAX: usize = 100;
pub const PHONE_MAX: usize = 20;
pub const EMAIL_MAX: usize = 100;

/// Text, or nothing.
pub fn text<'f>(
    fields: &'f Fields,
    name: &'static str,
    code: Code,
) -> Result<Option<&'f str>, Refusal> {
    fields.text(name).map_err(|_| Refusal::field(code, name))
}

/// Text or a whole number, or nothing.
pub fn number<'f>(
    fields: &'f Fields,
    name: &'static str,
    code: Code,
) -> Result<Option<Cow<'f, str>>, Refusal> {
    fields.number(name).map_err(|_| Refusal::field(code, name))
}

/// Whether a flag is set: `Y` sets it, and nothing else does.
pub fn is_yes(fields: &Fields, name: &str) -> bool {
    fields.text(name) == Ok(Some("Y"))
}

/// Whether a payment is looked up. The documents' own samples send the second name.
pub fn is_check(fields: &Fields) -> bool {
    is_yes(fields, "PCD_PAYCHK_FLAG") || is_yes(fields, "PCD_PAYCHECK_FLAG")
}

/// A flag that has to be set.
pub fn set(fields: &Fields, name: &'static str, code: Code) -> Result<(), Refusal> {
    is_yes(fields, name).then_some(()).ok_or(Refusal::field(code, name))
}

/// `Y`, `N` or nothing.
pub fn yes_or_no(fields: &Fields, name: &'static str, code: Code) -> Result<Option<bool>, Refusal> {
    match text(fields, name, code)? {
        None => Ok(None),
        Some("Y") => Ok(Some(true)),
        Some("N") => Ok(Some(false)),
        Some(_) => Err(Refusal::field(code, name)),
    }
}

/// Text of at most `max` characters, normalised and with nothing hidden in it; `None` where absent.
pub fn clean(
    fields: &Fields,
    name: &'static str,
    max: usize,
    code: Code,
) -> Result<Option<String>, Refusal> {
    let Some(said) = text(fields, name, code)? else { return Ok(None) };
    let fits = text::clean(said).filter(|text| text.chars().count() <= max);
    fits.map(Some).ok_or(Refusal::field(code, name))
}

/// The same, sealed at rest; empty where absent.
pub fn sealed(
    fields: &Fields,
    name: &'static str,
    max: usize,
    code: Code,
) -> Result<SecretString, Refusal> {
    Ok(clean(fields, name, max, code)?.unwrap_or_default().into())
}

/// Text or a whole number that has to be of a form where it is there; empty where absent.
pub fn formed(
    fields: &Fields,
    name: &'static str,
    code: Code,
    form: impl Fn(&str) -> bool,
) -> Result<SecretString, Refusal> {
    match number(fields, name, code)? {
        Some(text) if !form(&text) => Err(Refusal::field(code, name)),
        text => Ok(text.unwrap_or_default().into_owned().into()),
    }
}

/// `PCD_PAYER_NO`: up to 20 digits and letters.
pub fn payer_no(fields: &Fields, code: Code) -> Result<SecretString, Refusal> {
    formed(fields, "PCD_PAYER_NO", code, |text| {
        text.len() <= PAYER_NO_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// `PCD_PAYER_HP`: up to 20 digits and dashes.
pub fn phone(fields: &Fields, code: Code) -> Result<SecretString, Refusal> {
    formed(fields, "PCD_PAYER_HP", code, |text| {
        text.len() <= PHONE_MAX && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    })
}

/// `PCD_PAY_OID`, where there is one.
pub fn oid(fields: &Fields, code: Code) -> Result<Option<String>, Refusal> {
    clean(fields, "PCD_PAY_OID", OID_MAX, code)
}

/// `PCD_PAY_OID`, which has to be there.
pub fn required_oid(fields: &Fields, code: Code) -> Result<String, Refusal> {
    oid(fields, code)?.ok_or(Refusal::field(code, "PCD_PAY_OID"))
}

/// `PCD_PAY_DATE`: the Seoul day of the payment.
pub fn pay_date(fields: &Fields, code: Code) -> Result<Day, Refusal> {
    let text = number(fields, "PCD_PAY_DATE", code)?;
    let day = text.and_then(|text| Day::parse(&text));
    day.ok_or(Refusal::field(code, "PCD_PAY_DATE"))
}

/// An amount of at least one won, or nothing.
pub fn amount(fields: &Fields, name: &'static str, code: Code) -> Result<Option<Won>, Refusal> {
    let Some(text) = number(fields, name, code)? else { return Ok(None) };
    Won::parse(&text).map(Some).ok_or(Refusal::field(code, name))
}

/// A part of an amount, which may be zero, or nothing.
pub fn part(fields: &Fields, name: &'static str, code: Code) -> Result<Option<Won>, Refusal> {
    match number(fields, name, code)?.as_deref() {
        Some("0") => Ok(Some(Won::ZERO)),
        _ => amount(fields, name, code),
    }
}

/// The month of `PCD_PAY_YEAR` and `PCD_PAY_MONTH`, each refused with a code of its own.
pub fn month(fields: &Fields, year: Refusal, month: Refusal) -> Result<Month, Refusal> {
    let said = |name, wrong: &Refusal| fields.number(name).map_err(|_| wrong.clone());
    let (said_year, said_month) = (said("PCD_PAY_YEAR", &year)?, said("PCD_PAY_MONTH", &month)?);
    month_of(&said_year.unwrap_or_default(), &said_month.unwrap_or_default())
        .map_err(|is_month| if is_month { month } else { year })
}

/// The month that a call about an earlier payment names: only where `PCD_REGULER_FLAG` is set, and
/// where either half of it is there.
pub fn earlier_month(fields: &Fields, code: Code) -> Result<Option<Month>, Refusal> {
    if yes_or_no(fields, "PCD_REGULER_FLAG", code)? != Some(true) {
        return Ok(None);
    }
    let absent = |name| fields.number(name) == Ok(None);
    if absent("PCD_PAY_YEAR") && absent("PCD_PAY_MONTH") {
        return Ok(None);
    }
    let wrong = |name| Refusal::field(code, name);
    month(fields, wrong("PCD_PAY_YEAR"), wrong("PCD_PAY_MONTH")).map(Some)
}
