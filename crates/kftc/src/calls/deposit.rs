//! POST /v2.0/transfer/deposit/acnt_num (openbanking 6).

use super::{
    INSTITUTION_NAME, NO_BRANCH, TEST_BANK, TEST_BANK_NAME, TRAN_ID, bank_name, check_bank, masked,
    one_of, who_says,
};
use crate::answer::{self, Answer, Cut};
use crate::bank::{Bank, Order, Reply, Says, Way};
use crate::deal::{OUTSIDE_HOURS, TOKEN_EXPIRED};
use crate::form::{Bad, Field, Form, Kind, may, must};
use crate::route::Centre;
use hyper::StatusCode;
use ichae_domain::time::Time;
use ichae_rail::simulated::bank::HOLDER;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

pub const PURPOSES: Kind = Kind::OneOf(&["TR", "ST", "RC", "AU", "WD", "EX"]);

const HEAD: &[Field] = &[
    must("cntr_account_type", Kind::OneOf(&["N", "C"])),
    must("cntr_account_num", Kind::Digits(16)),
    must("wd_pass_phrase", Kind::Plain(128)),
    must("wd_print_content", Kind::Text(20)),
    may("name_check_option", Kind::OneOf(&["on", "off"])),
    may("sub_frnc_name", Kind::Text(40)),
    may("sub_frnc_num", Kind::Plain(20)),
    may("sub_frnc_business_num", Kind::Digits(10)),
    must("tran_dtime", Kind::Moment),
    must("req_cnt", Kind::Digits(5)),
];

const ENTRY: &[Field] = &[
    must("tran_no", Kind::Digits(5)),
    must("bank_tran_id", TRAN_ID),
    must("bank_code_std", Kind::Number(3)),
    must("account_num", Kind::Digits(16)),
    may("account_seq", Kind::Digits(3)),
    must("account_holder_name", Kind::Text(20)),
    must("print_content", Kind::Text(20)),
    must("tran_amt", Kind::Amount),
    must("req_client_name", Kind::Text(20)),
    may("req_client_bank_code", Kind::Number(3)),
    may("req_client_account_num", Kind::Digits(16)),
    may("req_client_fintech_use_num", Kind::Plain(24)),
    must("req_client_num", Kind::Plain(20)),
    must("transfer_purpose", PURPOSES),
    may("recv_bank_tran_id", TRAN_ID),
    may("cms_num", Kind::Plain(32)),
    may("withdraw_bank_tran_id", TRAN_ID),
];

/// Pays, or not, and answers, or not. A form that is wrong is no call to the bank and leaves no
/// row; everything else does.
pub async fn call(centre: &Centre, body: &[u8], token: &str, at: Time) -> Answer {
    let (head, entry) = match read(centre, body) {
        Ok(forms) => forms,
        Err(Bad(what)) => return Ok(answer::code_about(at, "A0004", &what)),
    };
    let order = Order {
        bank_tran_id: entry.text("bank_tran_id").to_owned(),
        amount: entry.amount("tran_amt"),
        bank: entry.text("bank_code_std").to_owned(),
        account: entry.text("account_num").into(),
        name_fits: head.text("name_check_option") == "off"
            || entry.text("account_holder_name") == HOLDER,
        turned_away: turned_away(centre, &head, at),
        at,
    };
    let (tokens, token) = (Arc::clone(&centre.tokens), token.to_owned());
    let work = move |bank: &mut Bank, _| {
        let reply = bank.deposit(order)?;
        if reply.says == Says::Centre(TOKEN_EXPIRED) {
            tokens.kill(&token);
        }
        Ok(reply)
    };
    let Ok(reply) = centre.desk.ask(work).await else {
        return Ok(answer::text(StatusCode::INTERNAL_SERVER_ERROR, "the journal"));
    };
    send(centre, &head, &entry, reply).await
}

fn read(centre: &Centre, body: &[u8]) -> Result<(Form, Form), Bad> {
    let (head, mut list) = Form::read_list(body, HEAD, ENTRY, 1)?;
    let entry = list.pop().ok_or_else(|| Bad("req_list".to_owned()))?;
    if entry.text("tran_no") != "1" {
        return Err(Bad("tran_no".to_owned()));
    }
    entry.check_tran_id("bank_tran_id", &centre.settings.institution)?;
    for name in ["recv_bank_tran_id", "withdraw_bank_tran_id"] {
        if !entry.text(name).is_empty() {
            entry.check_tran_id(name, &centre.settings.institution)?;
        }
    }
    check_bank(&entry)?;
    let client = ["req_client_bank_code", "req_client_account_num"];
    one_of(&entry, &client, "req_client_fintech_use_num")?;
    Ok((head, entry))
}

fn turned_away(centre: &Centre, head: &Form, at: Time) -> Option<Says> {
    let settings = &centre.settings;
    if centre.gate.shut(at).is_some() {
        Some(Says::Shut)
    } else if head.text("wd_pass_phrase") != settings.pass_phrase.expose_secret() {
        Some(Says::Centre("A0307"))
    } else if head.text("cntr_account_num") != settings.contract_account.expose_secret() {
        Some(Says::Centre("A0322"))
    } else {
        None
    }
}

async fn send(centre: &Centre, head: &Form, entry: &Form, reply: Reply) -> Answer {
    if let Way::Late(ms) = reply.way {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        // A payment that is due is made before it is answered.
        if centre.desk.ask(|_, _| Ok(())).await.is_err() {
            return Err(Cut::Close);
        }
    }
    let whole = || body(head, entry, reply, centre.now()).to_string().into_bytes();
    Ok(match reply.way {
        Way::Close => return Err(Cut::Close),
        Way::Reset => return Err(Cut::Reset),
        Way::Http(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            answer::text(status, "<html><body>error</body></html>")
        }
        // The start of a body in the wrong encoding: no UTF-8, no JSON.
        Way::Garbage => answer::raw(b"{\"rsp_code\":\"A0000\",\xc0\xba\xbb\xf3\x00".to_vec()),
        Way::Truncated => answer::truncated(whole()),
        Way::Duplicate if reply.variant % 2 == 1 => answer::raw(whole().repeat(2)),
        Way::Plain | Way::Late(_) | Way::Duplicate | Way::WrongEcho => answer::raw(whole()),
    })
}

/// The centre's code for a bank's: A0009 for a refusal by the receiver's bank, A0002 where the
/// bank or the centre did not get so far. Our choice.
fn outside(code: u16) -> &'static str {
    match code {
        0 => "A0000",
        100..=199 | 400 | 800..=999 => "A0002",
        _ => "A0009",
    }
}

fn body(head: &Form, entry: &Form, reply: Reply, now: Time) -> Value {
    let (rsp_code, code) = match reply.says {
        Says::Centre(code) => return Value::Object(answer::head(now, code)),
        Says::Shut => ("A0020", OUTSIDE_HOURS),
        Says::Bank(code) => (outside(code), code),
    };
    let mut out = answer::head(now, rsp_code);
    let contract = masked(head.text("cntr_account_num"));
    for (name, value) in [
        ("wd_bank_code_std", TEST_BANK),
        ("wd_bank_code_sub", NO_BRANCH),
        ("wd_bank_name", TEST_BANK_NAME),
        ("wd_account_num_masked", contract.as_str()),
        ("wd_print_content", head.text("wd_print_content")),
        ("wd_account_holder_name", INSTITUTION_NAME),
    ] {
        out.insert(name.to_owned(), value.into());
    }
    let mut item = item(entry, reply, code);
    if reply.way == Way::WrongEcho {
        spoil(&mut item, reply.variant);
    }
    let list = match reply.way {
        Way::Duplicate if reply.variant.is_multiple_of(2) => vec![item.clone(), item],
        _ => vec![item],
    };
    out.insert("res_cnt".to_owned(), list.len().to_string().into());
    out.insert("res_list".to_owned(), list.into());
    Value::Object(out)
}

fn item(entry: &Form, reply: Reply, code: u16) -> Map<String, Value> {
    let (bank, text) = (entry.text("bank_code_std"), format!("{code:03}"));
    let mut item = Map::new();
    entry.echo(&["tran_no", "bank_tran_id"], &mut item);
    let message = if code == 0 { "" } else { answer::message(&text) };
    let Value::Object(bank_says) = json!({
        "bank_tran_date": reply.day.to_string(),
        "bank_code_tran": who_says(code, bank),
        "bank_rsp_code": text,
        "bank_rsp_message": message,
        "account_num": entry.text("account_num"),
        "account_seq": entry.text("account_seq"),
        "bank_code_std": bank,
        "bank_code_sub": NO_BRANCH,
        "bank_name": bank_name(bank).unwrap_or_default(),
        "savings_bank_name": "",
        "account_num_masked": masked(entry.text("account_num")),
        "account_holder_name": if code == 0 { HOLDER } else { "" },
    }) else {
        return item;
    };
    item.extend(bank_says);
    entry.echo(&["print_content", "tran_amt", "cms_num", "withdraw_bank_tran_id"], &mut item);
    item
}

/// Another number, amount or account.
fn spoil(item: &mut Map<String, Value>, variant: u64) {
    let names = ["bank_tran_id", "tran_amt", "account_num"];
    let name = names[usize::try_from(variant % 3).unwrap_or_default()];
    let mut text = item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let last = text.pop();
    text.push(if last == Some('7') { '8' } else { '7' });
    item.insert(name.to_owned(), text.into());
}
