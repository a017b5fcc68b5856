//! The calls of the API, one file each: their fields in, their fields out.

pub mod check;
pub mod deposit;
pub mod inquiry;
pub mod status;

use crate::form::{Bad, Form, Kind};
use ichae_domain::banks;

/// The test bed's own bank and the centre (openbanking 12, 14).
pub const TEST_BANK: &str = "097";
pub const CENTRE: &str = "098";
pub const TEST_BANK_NAME: &str = "오픈은행";
/// The holder of the contract account.
pub const INSTITUTION_NAME: &str = "이용기관";
/// No bank here has branches.
pub const NO_BRANCH: &str = "0000000";
pub const TRAN_ID: Kind = Kind::Text(20);

/// The name of a bank that can receive.
pub fn bank_name(code: &str) -> Option<&'static str> {
    if code == TEST_BANK { Some(TEST_BANK_NAME) } else { banks::name(code) }
}

/// A bank that cannot receive is a mistake in the form: our choice.
pub fn check_bank(form: &Form) -> Result<(), Bad> {
    let known = bank_name(form.text("bank_code_std"));
    known.map(drop).ok_or_else(|| Bad("bank_code_std".to_owned()))
}

/// An account number with its last three characters hidden.
pub fn masked(number: &str) -> String {
    let shown = number.len().saturating_sub(3);
    format!("{}***", number.get(..shown).unwrap_or_default())
}

/// Who says a code: the centre where it is one of its own, else the receiver's bank.
pub fn who_says(code: u16, bank: &str) -> &str {
    if code >= 800 { CENTRE } else { bank }
}

/// One of two ways to name an account: all of `pair`, or `single`.
pub fn one_of(form: &Form, pair: &[&str], single: &str) -> Result<(), Bad> {
    let has = |name: &&str| !form.text(name).is_empty();
    let (all, any) = (pair.iter().all(has), pair.iter().any(has));
    let other = has(&single);
    if (all && !other) || (!any && other) { Ok(()) } else { Err(Bad(single.to_owned())) }
}
