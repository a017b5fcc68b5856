//! `ichae explain CODE`: from the two tables, nothing else.

use crate::printer::Printer;
use anyhow::bail;
use ichae_domain::bank::{BankClass, BankCode};
use ichae_domain::code::{Class, Code};
use serde_json::json;
use std::process::ExitCode;

pub fn run(name: &str, printer: &Printer) -> anyhow::Result<ExitCode> {
    if let Some(code) = Code::find(name.trim()) {
        let entry = code.entry();
        let class = match entry.class {
            Class::Ok => "done",
            Class::Refused => "refused: nothing was written",
            Class::Busy => "busy: nothing was written, repeat later",
            Class::Unknown => "not decided or not known yet",
        };
        printer.value(&json!({
            "code": entry.name,
            "class": class,
            "message": entry.ko,
            "meaning": entry.en,
            "what to do": entry.action,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let bank = name.trim().parse::<u16>().ok().filter(|_| name.trim().len() == 3);
    let Some(code) = bank.map(BankCode) else {
        bail!("{name:?} is neither an answer code such as R0140 nor a bank's code such as 415");
    };
    let class = match code.class() {
        BankClass::Settled => "settled",
        BankClass::Refused => "refused: the amount is given back",
        BankClass::OwnSide => "trouble on the hub's side: the rail is paused, the payout waits",
        BankClass::Unknown => "unknown: the amount stays held until an inquiry is answered",
    };
    let (ko, en) = code.entry().map_or(("-", "a code that is not in our table"), |e| (e.ko, e.en));
    printer.value(&json!({
        "bank code": code.text(),
        "class": class,
        "message": ko,
        "meaning": en,
        "ends the billing key": code.kills_key(),
    }));
    Ok(ExitCode::SUCCESS)
}
