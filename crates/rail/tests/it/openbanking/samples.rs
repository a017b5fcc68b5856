//! Settings, what was sent, and answers to it.

use crate::common::{AMOUNT, DAY};
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::time::Day;
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::original::Original;
use ichae_rail::openbanking::settings::{ContractKind, Settings};
use ichae_rail::openbanking::{deposit, real_name, receive};
use serde_json::{Value, json};
use std::time::Duration;

pub const INSTITUTION: &str = "M202112389";
pub const ID: &str = "M202112389U000000001";
pub const OTHER_ID: &str = "M202112389U000000002";
pub const CHECK_ID: &str = "M202112389U0000000ZZ";
pub const ACCOUNT: &str = "110123456789";
pub const SECRETS: [&str; 4] = ["a+secret/1", "2222333344445555", "F00D", "9999888877776666"];
/// Not [`DAY`], so that a test sees whose day an answer has.
pub const BANK_DAY: Day = Day(20_211_023);

pub fn settings(base_url: &str) -> Settings {
    Settings {
        base_url: base_url.to_owned(),
        client_id: "client-1".to_owned(),
        client_secret: SECRETS[0].into(),
        scope: "oob".to_owned(),
        institution: INSTITUTION.to_owned(),
        contract_account: SECRETS[1].into(),
        contract_kind: ContractKind::Account,
        pass_phrase: SECRETS[2].into(),
        print: "지급".to_owned(),
        client_name: "이체상사".to_owned(),
        client_bank: "097".to_owned(),
        client_account: SECRETS[3].into(),
        client_number: "CLIENT1".to_owned(),
        transfer_purpose: "TR".to_owned(),
        name_check: true,
        receive_check: false,
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(5),
        calls_per_second: 10_000,
        in_flight: 100,
        trust_dates: true,
    }
}

pub fn original() -> Original {
    Original { bank_tran_id: ID.to_owned(), day: DAY, amount: AMOUNT, trust_dates: true }
}

pub fn sent() -> deposit::Sent {
    deposit::Sent { original: original(), account: ACCOUNT.into() }
}

pub fn check_sent() -> real_name::Sent {
    real_name::Sent {
        bank_tran_id: ID.to_owned(),
        account: ACCOUNT.into(),
        day: DAY,
        trust_dates: true,
    }
}

pub fn receive_sent() -> receive::Sent {
    receive::Sent { bank_tran_id: ID.to_owned(), amount: AMOUNT }
}

pub fn reply(status: u16, body: impl Into<Vec<u8>>) -> Got {
    Got::Reply { status, body: body.into() }
}

pub fn ok(body: &Value) -> Got {
    reply(200, body.to_string())
}

/// A deposit's entry, or an inquiry's.
pub fn entry(bank: &str) -> Value {
    json!({
        "tran_no": "1",
        "bank_tran_id": ID,
        "bank_tran_date": "20211023",
        "bank_code_tran": "097",
        "bank_rsp_code": bank,
        "bank_rsp_message": "",
        "account_num": ACCOUNT,
        "bank_code_std": "020",
        "bank_code_sub": "0201234",
        "dps_bank_code_sub": "0201234",
        "tran_amt": "1000",
    })
}

pub fn body(rsp: &str, entries: &[Value]) -> Value {
    json!({
        "api_tran_id": "c0ffee",
        "api_tran_dtm": "20211022150040289",
        "rsp_code": rsp,
        "rsp_message": "",
        "res_cnt": entries.len().to_string(),
        "res_list": entries,
    })
}

/// The entry with one field changed, or without it.
pub fn with(mut node: Value, key: &str, value: Option<Value>) -> Value {
    let members = node.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(key.to_owned(), value),
        None => members.remove(key),
    };
    node
}

pub fn code(text: &str) -> BankCode {
    BankCode::find(text).unwrap()
}

pub fn undecided(text: &str) -> Answer {
    Answer::Unknown(Why::Undecided(code(text)))
}

pub const SETTLED: Answer = Answer::Settled { day: BANK_DAY, bank_code_sub: 201_234 };
pub const UNREADABLE: Answer = Answer::Unknown(Why::Unreadable);
pub const MISMATCH: Answer = Answer::Unknown(Why::Mismatch);
pub const PROCESSING: Answer = Answer::Unknown(Why::Processing);
pub const FAULTED: Answer = Answer::Unknown(Why::Faulted);
