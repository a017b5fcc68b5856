//! POST /v2.0/transfer/result (openbanking 7): what became of deposits. Moves no money.

use super::{
    INSTITUTION_NAME, NO_BRANCH, TEST_BANK, TEST_BANK_NAME, TRAN_ID, bank_name, masked, who_says,
};
use crate::answer::{self, Answer, Cut};
use crate::bank::Told;
use crate::form::{Bad, Field, Form, Kind, must};
use crate::journal::write::Triple;
use crate::route::Centre;
use hyper::StatusCode;
use ichae_domain::time::{Day, Time};
use ichae_rail::simulated::bank::HOLDER;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// Deposits that one call may ask about.
const MOST: usize = 25;
const DEPOSITS: &str = "2";

const HEAD: &[Field] = &[
    must("check_type", Kind::OneOf(&["1", DEPOSITS])),
    must("tran_dtime", Kind::Moment),
    must("req_cnt", Kind::Digits(5)),
];

const ENTRY: &[Field] = &[
    must("tran_no", Kind::Digits(5)),
    must("org_bank_tran_id", TRAN_ID),
    must("org_bank_tran_date", Kind::Date),
    must("org_tran_amt", Kind::Amount),
];

/// Tells what became of deposits. Of several, those that are not known are left out of the list;
/// where none is known there is no list, and A0018 outside. Our choice.
pub async fn call(centre: &Centre, body: &[u8], at: Time) -> Answer {
    let read = Form::read_list(body, HEAD, ENTRY, MOST).and_then(|(head, list)| {
        for entry in &list {
            entry.check_tran_id("org_bank_tran_id", &centre.settings.institution)?;
        }
        Ok((head, list))
    });
    let (head, list) = match read {
        Ok(forms) => forms,
        Err(Bad(what)) => return Ok(answer::code_about(at, "A0004", &what)),
    };
    if centre.gate.shut(at).is_some() {
        return Ok(answer::code(at, "A0020"));
    }
    if head.text("check_type") != DEPOSITS {
        // There are no withdrawals here.
        return Ok(answer::code(at, "A0018"));
    }
    let asked: Vec<Triple> = list.iter().filter_map(triple).collect();
    let told = match centre.desk.ask(move |bank, now| bank.inquire(&asked, now)).await {
        Ok(Told::Items(items)) => items,
        Ok(Told::Lost) => return Err(Cut::Close),
        Ok(Told::Wrong) => return Ok(answer::code(at, "A0003")),
        Err(_) => return Ok(answer::text(StatusCode::INTERNAL_SERVER_ERROR, "the journal")),
    };
    let contract = masked(centre.settings.contract_account.expose_secret());
    let items: Vec<Value> = list
        .iter()
        .zip(told)
        .filter_map(|(entry, told)| told.map(|(bank, code)| item(entry, &bank, &code, &contract)))
        .collect();
    if items.is_empty() {
        return Ok(answer::code(at, "A0018"));
    }
    let mut out = answer::head(at, "A0000");
    out.insert("res_cnt".to_owned(), items.len().to_string().into());
    out.insert("res_list".to_owned(), items.into());
    Ok(answer::json(&Value::Object(out)))
}

fn triple(entry: &Form) -> Option<Triple> {
    Some(Triple {
        bank_tran_id: entry.text("org_bank_tran_id").to_owned(),
        day: Day::parse(entry.text("org_bank_tran_date"))?,
        amount: entry.amount("org_tran_amt"),
    })
}

/// Nothing of the receiver's account was kept, so those fields are empty.
fn item(entry: &Form, bank: &str, code: &str, contract: &str) -> Value {
    let number = code.parse().unwrap_or_default();
    json!({
        "tran_no": entry.text("tran_no"),
        "bank_tran_id": entry.text("org_bank_tran_id"),
        "bank_tran_date": entry.text("org_bank_tran_date"),
        "bank_code_tran": who_says(number, bank),
        "bank_rsp_code": code,
        "bank_rsp_message": if number == 0 { "" } else { answer::message(code) },
        "wd_bank_code_std": TEST_BANK,
        "wd_bank_code_sub": NO_BRANCH,
        "wd_bank_name": TEST_BANK_NAME,
        "wd_savings_bank_name": "",
        "wd_fintech_use_num": "",
        "wd_account_num_masked": contract,
        "wd_print_content": "",
        "wd_account_holder_name": INSTITUTION_NAME,
        "dps_bank_code_std": bank,
        "dps_bank_code_sub": NO_BRANCH,
        "dps_bank_name": bank_name(bank).unwrap_or_default(),
        "dps_savings_bank_name": "",
        "dps_fintech_use_num": "",
        "dps_account_num_masked": "",
        "dps_print_content": "",
        "dps_account_holder_name": if number == 0 { HOLDER } else { "" },
        "tran_amt": entry.text("org_tran_amt"),
    })
}
