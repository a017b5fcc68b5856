//! A field and the code that it is refused with.

use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use std::borrow::Cow;

/// Text, or nothing; `wrong` for another JSON type.
pub fn text<'f>(
    fields: &'f Fields,
    name: &'static str,
    wrong: Code,
) -> Result<Option<&'f str>, Refusal> {
    fields.text(name).map_err(|_| wrong.into())
}

/// Text or a whole number, or nothing; `wrong` for another JSON type.
pub fn number<'f>(
    fields: &'f Fields,
    name: &'static str,
    wrong: Code,
) -> Result<Option<Cow<'f, str>>, Refusal> {
    fields.number(name).map_err(|_| wrong.into())
}

/// Text that has to be there; `wrong` where it is not.
pub fn required<'f>(
    fields: &'f Fields,
    name: &'static str,
    wrong: Code,
) -> Result<&'f str, Refusal> {
    text(fields, name, wrong)?.ok_or(wrong.into())
}

/// Text that may be missing and has to be of its form where it is not.
pub fn optional(
    fields: &Fields,
    name: &'static str,
    wrong: Code,
    form: fn(&str) -> bool,
) -> Result<Option<String>, Refusal> {
    match text(fields, name, wrong)? {
        Some(text) if !form(text) => Err(wrong.into()),
        other => Ok(other.map(str::to_owned)),
    }
}
