//! `POST /v2.0/inquiry/receive`: whether a deposit to this receiver would be taken (openbanking 5).
//! Moves no money.

use super::deposit::payee_fits;
use super::form::is_tran_id;
use super::message::{Got, Outgoing, Unfit, json};
use super::reply::{AboutAccount, about_account, amount};
use super::settings::Settings;
use crate::port::Payee;
use ichae_domain::bank::{BankClass, BankCode};
use ichae_domain::money::Won;
use secrecy::ExposeSecret as _;
use serde::Serialize;

pub const PATH: &str = "/v2.0/inquiry/receive";

/// What an answer has to be about.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Twenty characters: the check's own.
    pub bank_tran_id: String,
    pub amount: Won,
}

/// What the check said. No deposit was sent, whichever it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checked {
    Passed,
    Refused(BankCode),
    /// Trouble on our own side (decision M3).
    OwnSide(BankCode),
    /// Nothing is known; it may be asked again.
    NoAnswer,
}

#[derive(Serialize)]
struct Request<'a> {
    bank_tran_id: &'a str,
    cntr_account_type: &'a str,
    cntr_account_num: &'a str,
    bank_code_std: &'a str,
    account_num: &'a str,
    account_holder_name: &'a str,
    print_content: &'a str,
    tran_amt: &'a str,
    req_client_name: &'a str,
    req_client_bank_code: &'a str,
    req_client_account_num: &'a str,
    req_client_num: &'a str,
    transfer_purpose: &'a str,
}

/// Writes the request: the fields of the public lists (openbanking 5), which know no `tran_dtime`.
///
/// # Errors
/// [`Unfit`] with the field that has no form in this message.
pub fn build(settings: &Settings, sent: &Sent, to: &Payee) -> Result<Outgoing, Unfit> {
    payee_fits(to, sent.amount)?;
    Unfit::unless(is_tran_id(&sent.bank_tran_id), "bank_tran_id")?;
    let request = Request {
        bank_tran_id: &sent.bank_tran_id,
        cntr_account_type: settings.contract_kind.letter(),
        cntr_account_num: settings.contract_account.expose_secret(),
        bank_code_std: &to.bank,
        account_num: to.account.number.expose_secret(),
        account_holder_name: to.account.holder.expose_secret(),
        print_content: &to.print,
        tran_amt: &sent.amount.to_string(),
        req_client_name: &settings.client_name,
        req_client_bank_code: &settings.client_bank,
        req_client_account_num: settings.client_account.expose_secret(),
        req_client_num: &settings.client_number,
        transfer_purpose: &settings.transfer_purpose,
    };
    json(PATH, &request)
}

/// Reads the answer. An amount that is not the one that was asked about is no answer.
pub fn read(sent: &Sent, got: &Got) -> Checked {
    match about_account(got, &sent.bank_tran_id) {
        AboutAccount::Fits(node) => match amount(&node) {
            Ok(None) => Checked::Passed,
            Ok(Some(won)) if won == sent.amount.0 => Checked::Passed,
            _ => Checked::NoAnswer,
        },
        AboutAccount::Code(code) => match code.class() {
            BankClass::Refused => Checked::Refused(code),
            BankClass::OwnSide => Checked::OwnSide(code),
            BankClass::Settled | BankClass::NotSent | BankClass::Unknown => Checked::NoAnswer,
        },
        AboutAccount::Nothing => Checked::NoAnswer,
    }
}
