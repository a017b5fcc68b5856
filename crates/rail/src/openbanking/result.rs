//! `POST /v2.0/transfer/result`: what became of deposits (openbanking 7). Moves no money.

use super::deposit::seoul_14;
use super::form::is_tran_id;
use super::json::Node;
use super::message::{Got, Outgoing, Unfit, json};
use super::original::Original;
use super::reply::{DONE, NO_SUCH_TRANSFER, NO_TRANSACTIONS, Opened, open, undecided};
use crate::port::INQUIRIES_TOGETHER;
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::time::Time;
use serde::Serialize;

pub const PATH: &str = "/v2.0/transfer/result";

/// `check_type`: deposits.
const DEPOSITS: &str = "2";

#[derive(Serialize)]
struct Request {
    check_type: &'static str,
    tran_dtime: String,
    req_cnt: String,
    req_list: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    tran_no: String,
    org_bank_tran_id: String,
    org_bank_tran_date: String,
    org_tran_amt: String,
}

/// Writes the request.
///
/// # Errors
/// [`Unfit`] where there are none or more than [`INQUIRIES_TOGETHER`], or where an id is no id.
pub fn build(originals: &[Original], now: Time) -> Result<Outgoing, Unfit> {
    let some = (1..=INQUIRIES_TOGETHER).contains(&originals.len());
    Unfit::unless(some, "req_cnt")?;
    Unfit::unless(originals.iter().all(|o| is_tran_id(&o.bank_tran_id)), "org_bank_tran_id")?;
    let entries = originals.iter().zip(1..).map(|(original, number): (_, usize)| Entry {
        tran_no: number.to_string(),
        org_bank_tran_id: original.bank_tran_id.clone(),
        org_bank_tran_date: original.day.to_string(),
        org_tran_amt: original.amount.to_string(),
    });
    let request = Request {
        check_type: DEPOSITS,
        tran_dtime: seoul_14(now),
        req_cnt: originals.len().to_string(),
        req_list: entries.collect(),
    };
    json(PATH, &request)
}

/// Reads the answer (openbanking 7.2): one for each original, in their order.
///
/// [`Answer::NotSent`] is about the inquiry, not about the deposit, which stays as it was.
pub fn read(originals: &[Original], got: &Got) -> Vec<Answer> {
    let all = |answer| vec![answer; originals.len()];
    let (outer, node) = match open(got) {
        Err(why) => return all(Answer::Unknown(why)),
        Ok(Opened::NotSent) => return all(Answer::NotSent),
        Ok(Opened::Gateway(code)) => return all(Answer::Unknown(undecided(code))),
        Ok(Opened::Body(outer, node)) => (outer, node),
    };
    match outer {
        DONE => {}
        NO_TRANSACTIONS | NO_SUCH_TRANSFER => return all(Answer::Unknown(Why::NoHistory)),
        code => return all(Answer::Unknown(undecided(code))),
    }
    let Ok(Some(entries)) = node.entries() else { return all(Answer::Unknown(Why::Unreadable)) };
    let one = |original| find(original, entries).unwrap_or_else(Answer::Unknown);
    originals.iter().map(one).collect()
}

fn find(original: &Original, entries: &[Node]) -> Result<Answer, Why> {
    let id = |entry: &Node| entry.text("bank_tran_id").ok().flatten().map(str::to_owned);
    let is_his = |entry: &&Node| id(entry).as_deref() == Some(original.bank_tran_id.as_str());
    let mut his = entries.iter().filter(is_his);
    let Some(entry) = his.next() else {
        // An entry that names nobody may be the one that is missing.
        let nameless = entries.iter().any(|entry| id(entry).is_none());
        return Err(if nameless { Why::Unreadable } else { Why::NoHistory });
    };
    if his.any(|other| other != entry) {
        return Err(Why::Mismatch);
    }
    let code = entry.bank_code()?.ok_or(Why::Unreadable)?;
    if code == BankCode::OK {
        return original.settled(entry, "dps_bank_code_sub");
    }
    // A code that may be about the inquiry itself ends nothing.
    if !code.final_in_inquiry() {
        return Err(undecided(code));
    }
    original.is_refused_by(entry)?;
    Ok(Answer::Refused { code, day: original.refused_day(entry) })
}
