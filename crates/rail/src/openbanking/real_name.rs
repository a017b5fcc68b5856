//! `POST /v2.0/inquiry/real_name`: whose account it is (openbanking 4). Moves no money.

use super::deposit::seoul_14;
use super::form::{is_bank, is_digits, is_tran_id};
use super::json::Node;
use super::message::{Got, Outgoing, Unfit, json};
use super::reply::{AboutAccount, about_account, branch, day, echoes_if_there};
use crate::port::{AccountCheck, CheckAnswer};
use ichae_domain::bank::BankClass;
use ichae_domain::key::InfoKind;
use ichae_domain::text::ACCOUNT_NUM_MAX;
use ichae_domain::time::{Day, Time};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

pub const PATH: &str = "/v2.0/inquiry/real_name";

/// What an answer has to be about.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Twenty characters: the check's own.
    pub bank_tran_id: String,
    pub account: SecretString,
    pub day: Day,
    /// Whether the answer's date is kept; else the day of asking is (openbanking 12).
    pub trust_dates: bool,
}

#[derive(Serialize)]
struct Request<'a> {
    bank_tran_id: &'a str,
    bank_code_std: &'a str,
    account_num: &'a str,
    account_holder_info_type: &'a str,
    account_holder_info: &'a str,
    tran_dtime: &'a str,
}

/// `account_holder_info_type`, and how many digits go with it: a birth date is a single space, a
/// business number a 6.
fn kind(kind: InfoKind) -> (&'static str, usize) {
    match kind {
        InfoKind::BirthDate => (" ", 6),
        InfoKind::BusinessNumber => ("6", 10),
    }
}

/// Writes the request.
///
/// # Errors
/// [`Unfit`] with the field that has no form in this message.
pub fn build(check: &AccountCheck, now: Time) -> Result<Outgoing, Unfit> {
    let (letter, length) = kind(check.info_kind);
    let (number, info) = (check.number.expose_secret(), check.info.expose_secret());
    Unfit::unless(is_tran_id(&check.bank_tran_id), "bank_tran_id")?;
    Unfit::unless(is_bank(&check.bank), "bank_code_std")?;
    Unfit::unless(is_digits(number, ACCOUNT_NUM_MAX), "account_num")?;
    Unfit::unless(info.len() == length && is_digits(info, length), "account_holder_info")?;
    let request = Request {
        bank_tran_id: &check.bank_tran_id,
        bank_code_std: &check.bank,
        account_num: number,
        account_holder_info_type: letter,
        account_holder_info: info,
        tran_dtime: &seoul_14(now),
    };
    json(PATH, &request)
}

/// Reads the answer. Whatever is neither a holder nor a refusal is "ask again".
pub fn read(sent: &Sent, got: &Got) -> CheckAnswer {
    match about_account(got, &sent.bank_tran_id) {
        AboutAccount::Fits(node) => holder(sent, &node).unwrap_or(CheckAnswer::NoAnswer),
        AboutAccount::Code(code) if code.class() == BankClass::Refused => {
            CheckAnswer::Refused(code)
        }
        AboutAccount::Code(_) | AboutAccount::Nothing => CheckAnswer::NoAnswer,
    }
}

fn holder(sent: &Sent, node: &Node) -> Option<CheckAnswer> {
    echoes_if_there(node, "account_num", sent.account.expose_secret()).ok()?;
    let name = node.text("account_holder_name").ok()??;
    let day = if sent.trust_dates { day(node)? } else { sent.day };
    let bank_code_sub = branch(node, "bank_code_sub");
    Some(CheckAnswer::Holder { name: name.into(), bank_code_sub, day })
}
