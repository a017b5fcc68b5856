//! `POST /v2.0/transfer/deposit/acnt_num`: pays (openbanking 6).

use super::form::{AH20, fits, is_bank, is_digits, is_tran_id};
use super::json::Node;
use super::message::{Got, Outgoing, Unfit, json};
use super::original::Original;
use super::reply::{
    AT_THE_BANK, DONE, ENTRY_FAILED, Opened, contradicts, echoes_if_there, open, undecided,
};
use super::settings::Settings;
use crate::port::Payee;
use ichae_domain::bank::{Answer, BankClass, BankCode, Why};
use ichae_domain::money::{AMOUNT_DIGITS_MAX, Won};
use ichae_domain::text::ACCOUNT_NUM_MAX;
use ichae_domain::time::Time;
use ichae_domain::view::Deposit;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

pub const PATH: &str = "/v2.0/transfer/deposit/acnt_num";

/// What an answer has to be about.
#[derive(Clone, Debug)]
pub struct Sent {
    pub original: Original,
    pub account: SecretString,
}

impl Sent {
    pub fn new(settings: &Settings, deposit: &Deposit, to: &Payee) -> Sent {
        let original = Original::new(&settings.institution, deposit, settings.trust_dates);
        Sent { original, account: to.account.number.clone() }
    }
}

#[derive(Serialize)]
struct Request<'a> {
    cntr_account_type: &'a str,
    cntr_account_num: &'a str,
    wd_pass_phrase: &'a str,
    wd_print_content: &'a str,
    name_check_option: &'a str,
    tran_dtime: &'a str,
    req_cnt: &'a str,
    req_list: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    tran_no: &'a str,
    bank_tran_id: &'a str,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    recv_bank_tran_id: Option<&'a str>,
}

/// Writes the request. `checked` is the receiver check that went before.
///
/// # Errors
/// [`Unfit`] with the field that has no form in this message.
pub fn build(
    settings: &Settings,
    deposit: &Deposit,
    to: &Payee,
    checked: Option<&str>,
    now: Time,
) -> Result<Outgoing, Unfit> {
    let bank_tran_id = deposit.bank_no.text(&settings.institution);
    payee_fits(to, deposit.amount)?;
    Unfit::unless(is_tran_id(&bank_tran_id), "bank_tran_id")?;
    Unfit::unless(checked.is_none_or(is_tran_id), "recv_bank_tran_id")?;
    let entry = Entry {
        tran_no: "1",
        bank_tran_id: &bank_tran_id,
        bank_code_std: &to.bank,
        account_num: to.account.number.expose_secret(),
        account_holder_name: to.account.holder.expose_secret(),
        print_content: &to.print,
        tran_amt: &deposit.amount.to_string(),
        req_client_name: &settings.client_name,
        req_client_bank_code: &settings.client_bank,
        req_client_account_num: settings.client_account.expose_secret(),
        req_client_num: &settings.client_number,
        transfer_purpose: &settings.transfer_purpose,
        recv_bank_tran_id: checked,
    };
    let request = Request {
        cntr_account_type: settings.contract_kind.letter(),
        cntr_account_num: settings.contract_account.expose_secret(),
        wd_pass_phrase: settings.pass_phrase.expose_secret(),
        wd_print_content: &settings.print,
        name_check_option: if settings.name_check { "on" } else { "off" },
        tran_dtime: &seoul_14(now),
        req_cnt: "1",
        req_list: [entry],
    };
    json(PATH, &request)
}

/// Whether the receiver and the amount can be written.
pub(super) fn payee_fits(to: &Payee, amount: Won) -> Result<(), Unfit> {
    let number = to.account.number.expose_secret();
    Unfit::unless(is_bank(&to.bank), "bank_code_std")?;
    Unfit::unless(is_digits(number, ACCOUNT_NUM_MAX), "account_num")?;
    Unfit::unless(fits(to.account.holder.expose_secret(), AH20), "account_holder_name")?;
    Unfit::unless(fits(&to.print, AH20), "print_content")?;
    let digits = amount.to_string();
    let positive = amount > Won::ZERO && is_digits(&digits, AMOUNT_DIGITS_MAX);
    Unfit::unless(positive, "tran_amt")
}

/// `tran_dtime`: `yyyyMMddHHmmss` in Seoul.
pub(super) fn seoul_14(now: Time) -> String {
    let mut text = now.seoul_17();
    text.truncate(14);
    text
}

/// Reads the answer (openbanking 7.1). Whatever is not provably settled, refused or not sent is
/// unknown.
pub fn read(sent: &Sent, got: &Got) -> Answer {
    decide(sent, got).unwrap_or_else(Answer::Unknown)
}

fn decide(sent: &Sent, got: &Got) -> Result<Answer, Why> {
    let (outer, node) = match open(got)? {
        Opened::NotSent => return Ok(Answer::NotSent),
        Opened::Gateway(code) => return by_class(code, sent),
        Opened::Body(outer, node) => (outer, node),
    };
    let entry = match node.entries()? {
        None | Some([]) => None,
        Some([entry]) => Some(entry),
        // One was sent, so an answer about more is about something else too.
        Some(_) => return Err(Why::Mismatch),
    };
    let bank = entry.map(Node::bank_code).transpose()?.flatten();
    match (outer, entry, bank) {
        (DONE, Some(entry), Some(BankCode::OK)) => {
            let settled = sent.original.settled(entry, "bank_code_sub")?;
            let account = sent.account.expose_secret();
            echoes_if_there(entry, "account_num", account).map(|()| settled)
        }
        (DONE, _, Some(code)) => Err(undecided(code)),
        (DONE, _, None) => Err(Why::Unreadable),
        (AT_THE_BANK | ENTRY_FAILED, Some(entry), Some(code)) => by_bank(outer, code, entry, sent),
        (AT_THE_BANK | ENTRY_FAILED, ..) => Err(undecided(outer)),
        _ if contradicts(bank) => Err(undecided(outer)),
        // A refused token beside a transfer: whoever names the transfer has seen it.
        (_, Some(_), _) if outer.class() == BankClass::NotSent => Err(undecided(outer)),
        _ => by_class(outer, sent),
    }
}

/// A bank's code under "an error at the bank" or "an entry failed".
fn by_bank(outer: BankCode, code: BankCode, entry: &Node, sent: &Sent) -> Result<Answer, Why> {
    match code.class() {
        // An error outside and "done" inside: one of them is wrong.
        BankClass::Settled => Err(undecided(outer)),
        BankClass::Unknown | BankClass::NotSent => Err(undecided(code)),
        BankClass::OwnSide => {
            sent.original.is_refused_by(entry)?;
            Ok(Answer::OwnSide { code })
        }
        BankClass::Refused => {
            sent.original.is_refused_by(entry)?;
            Ok(Answer::Refused { code, day: sent.original.refused_day(entry) })
        }
    }
}

/// The centre's own code, by the class in its table.
fn by_class(code: BankCode, sent: &Sent) -> Result<Answer, Why> {
    match code.class() {
        BankClass::Refused => Ok(Answer::Refused { code, day: sent.original.day }),
        BankClass::OwnSide => Ok(Answer::OwnSide { code }),
        BankClass::NotSent => Ok(Answer::NotSent),
        BankClass::Settled | BankClass::Unknown => Err(undecided(code)),
    }
}
