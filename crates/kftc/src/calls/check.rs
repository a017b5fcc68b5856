//! POST /v2.0/inquiry/real_name and /v2.0/inquiry/receive (openbanking 4 and 5). Neither moves
//! money, and neither leaves a trace in the journal.

use super::{
    INSTITUTION_NAME, NO_BRANCH, TEST_BANK, TEST_BANK_NAME, TRAN_ID, bank_name, check_bank, masked,
    one_of, who_says,
};
use crate::answer::{self, Body};
use crate::deal::OUTSIDE_HOURS;
use crate::form::{Bad, Field, Form, Kind, json, may, must};
use crate::route::Centre;
use hyper::Response;
use ichae_domain::time::Time;
use ichae_rail::simulated::bank::HOLDER;
use ichae_rail::simulated::scenario::{Scenario, scenario};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

const REAL_NAME: &[Field] = &[
    must("bank_tran_id", TRAN_ID),
    must("bank_code_std", Kind::Number(3)),
    must("account_num", Kind::Digits(16)),
    may("account_seq", Kind::Digits(3)),
    must("account_holder_info_type", Kind::OneOf(&[" ", "1", "2", "3", "4", "5", "6", "E", "N"])),
    may("account_holder_info", Kind::Plain(13)),
    must("tran_dtime", Kind::Moment),
];

const RECEIVE: &[Field] = &[
    must("bank_tran_id", TRAN_ID),
    must("cntr_account_type", Kind::OneOf(&["N", "C"])),
    must("cntr_account_num", Kind::Digits(16)),
    must("bank_code_std", Kind::Number(3)),
    must("account_num", Kind::Digits(16)),
    may("account_seq", Kind::Digits(3)),
    may("account_holder_name", Kind::Text(20)),
    must("print_content", Kind::Text(20)),
    must("tran_amt", Kind::Amount),
    must("req_client_name", Kind::Text(20)),
    may("req_client_bank_code", Kind::Number(3)),
    may("req_client_account_num", Kind::Digits(16)),
    may("req_client_fintech_use_num", Kind::Plain(24)),
    must("req_client_num", Kind::Plain(20)),
    must("transfer_purpose", super::deposit::PURPOSES),
    may("sub_frnc_name", Kind::Text(40)),
    may("sub_frnc_num", Kind::Plain(20)),
    may("sub_frnc_business_num", Kind::Digits(10)),
    may("cms_num", Kind::Plain(32)),
    // Not in the reference's list; taken, since every other call has it.
    may("tran_dtime", Kind::Moment),
];

/// Says whose an account is.
pub fn real_name(centre: &Centre, body: &[u8], now: Time) -> Response<Body> {
    let form = match read(centre, body, REAL_NAME) {
        Ok(form) => form,
        Err(Bad(what)) => return answer::code_about(now, "A0004", &what),
    };
    if let Some(code) = info_refused(&form) {
        return answer::code(now, code);
    }
    let (rsp_code, code) = verdict(centre, &form, now);
    let mut out = said(&form, rsp_code, code, now);
    form.echo(&["account_num", "account_seq", "account_holder_info_type"], &mut out);
    form.echo(&["account_holder_info"], &mut out);
    put(&mut out, "account_holder_name", if code == 0 { HOLDER } else { "" });
    put(&mut out, "account_type", if code == 0 { "1" } else { "" });
    answer::json(&Value::Object(out))
}

/// Says whether an account can be paid to.
pub fn receive(centre: &Centre, body: &[u8], now: Time) -> Response<Body> {
    let client = ["req_client_bank_code", "req_client_account_num"];
    let form = read(centre, body, RECEIVE)
        .and_then(|form| one_of(&form, &client, "req_client_fintech_use_num").map(|()| form));
    let form = match form {
        Ok(form) => form,
        Err(Bad(what)) => return answer::code_about(now, "A0004", &what),
    };
    let contract = centre.settings.contract_account.expose_secret();
    if form.text("cntr_account_num") != contract {
        return answer::code(now, "A0322");
    }
    let (rsp_code, code) = verdict(centre, &form, now);
    let mut out = said(&form, rsp_code, code, now);
    form.echo(&["account_num", "account_seq", "print_content", "tran_amt", "cms_num"], &mut out);
    put(&mut out, "account_num_masked", &masked(form.text("account_num")));
    put(&mut out, "account_holder_name", if code == 0 { HOLDER } else { "" });
    put(&mut out, "wd_bank_code_std", TEST_BANK);
    put(&mut out, "wd_bank_name", TEST_BANK_NAME);
    put(&mut out, "wd_account_num", contract);
    put(&mut out, "wd_account_holder_name", INSTITUTION_NAME);
    answer::json(&Value::Object(out))
}

fn read(centre: &Centre, body: &[u8], fields: &[Field]) -> Result<Form, Bad> {
    let form = Form::read(json(body)?, fields)?;
    form.check_tran_id("bank_tran_id", &centre.settings.institution)?;
    check_bank(&form)?;
    Ok(form)
}

/// A birth date is six digits, a business number ten; other numbers may not be sent (A0320).
fn info_refused(form: &Form) -> Option<&'static str> {
    let info = form.text("account_holder_info");
    let digits = info.bytes().all(|b| b.is_ascii_digit());
    let fits = match form.text("account_holder_info_type") {
        " " => digits && info.len() == 6,
        "6" => digits && info.len() == 10,
        "N" => true,
        _ => return Some("A0320"),
    };
    (!fits).then_some("A0321")
}

/// The centre's code, and the bank's.
fn verdict(centre: &Centre, form: &Form, now: Time) -> (&'static str, u16) {
    if centre.gate.shut(now).is_some() {
        return ("A0020", OUTSIDE_HOURS);
    }
    match scenario(form.text("account_num")) {
        Scenario::CheckRefused(code) => ("A0002", code.0),
        _ => ("A0000", 0),
    }
}

/// What both calls answer.
fn said(form: &Form, rsp_code: &str, code: u16, now: Time) -> Map<String, Value> {
    let (mut out, bank) = (answer::head(now, rsp_code), form.text("bank_code_std"));
    let text = format!("{code:03}");
    form.echo(&["bank_tran_id"], &mut out);
    put(&mut out, "bank_tran_date", &now.day().to_string());
    put(&mut out, "bank_code_tran", who_says(code, bank));
    put(&mut out, "bank_rsp_code", &text);
    put(&mut out, "bank_rsp_message", if code == 0 { "" } else { answer::message(&text) });
    put(&mut out, "bank_code_std", bank);
    put(&mut out, "bank_code_sub", NO_BRANCH);
    put(&mut out, "bank_name", bank_name(bank).unwrap_or_default());
    put(&mut out, "savings_bank_name", "");
    out
}

fn put(out: &mut Map<String, Value>, name: &str, value: &str) {
    out.insert(name.to_owned(), value.into());
}
