//! `ichae explain CODE`: from the tables of codes, nothing else.

use crate::printer::Printer;
use anyhow::bail;
use ichae_domain::bank::BankCode;
use ichae_domain::billing::{Reason, ReasonClass};
use ichae_domain::code::{Class, Code};
use serde_json::{Value, json};
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
        let mut value = json!({
            "code": entry.name,
            "class": class,
            "message": entry.ko,
            "meaning": entry.en,
            "what to do": entry.action,
        });
        // The centre has some codes of the same name; they speak of a call to it.
        if let Some(entry) = BankCode::find(entry.name).and_then(BankCode::entry) {
            value["said by the centre"] = json!(format!("{}; {}", entry.en, entry.class.text()));
        }
        printer.value(&value);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(reason) = Reason::find(name.trim()) {
        printer.value(&institution(reason));
        return Ok(ExitCode::SUCCESS);
    }
    let Some(code) = BankCode::find(&name.trim().to_ascii_uppercase()) else {
        bail!(
            "{name:?} is neither an answer code such as R0140, nor a bank's code such as 415, nor an \
             institution's such as 3112"
        );
    };
    let (ko, en) = code.entry().map_or(("-", "a code that is not in our table"), |e| (e.ko, e.en));
    printer.value(&json!({
        "bank code": code.text(),
        "class": code.class().text(),
        "message": ko,
        "meaning": en,
        "ends the billing key": code.kills_key(),
        "final when an inquiry says it": code.final_in_inquiry(),
    }));
    Ok(ExitCode::SUCCESS)
}

/// What a card company's code says of a payment.
fn institution(reason: Reason) -> Value {
    let class = match reason.class() {
        ReasonClass::Done => "done",
        ReasonClass::Refused => "refused: nothing was charged or refunded",
        ReasonClass::Undecided => "unknown: the acquirer is asked until it says",
    };
    let (ko, en) =
        reason.entry().map_or(("-", "a code that is not in our table"), |e| (e.ko, e.en));
    json!({
        "institution code": reason.text(),
        "class": class,
        "message": ko,
        "meaning": en,
    })
}
