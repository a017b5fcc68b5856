//! One payout's story: every command, what the bank said, the rule that it was read by, what was held,
//! and who did what. No name and no account number in the clear.

use super::execute::{Admin, Done, who};
use super::find;
use super::request::PayoutName;
use ichae_domain::bank::{BankCode, Why};
use ichae_domain::command::Actor;
use ichae_domain::payout::{Attempt, State};
use ichae_domain::text::mask_account;
use ichae_domain::time::Time;
use ichae_domain::view::{Event, EventKind};
use ichae_store::port::Row;
use ichae_wire::ident::Kind;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

struct Moment {
    at: Time,
    by: String,
    what: String,
    /// Whether the amount is held after it; `None`: as before.
    held: Option<bool>,
    note: String,
}

impl Admin<'_> {
    pub(super) async fn payout_explain(&self, name: &PayoutName) -> Done {
        let row = find::payout(self.hub, name).await?;
        let (no, group) = (row.payout.no, row.payout.group);
        let read = move |r: &dyn ichae_store::port::Reader| {
            let held = r.holds()?.into_iter().find(|(held, _)| *held == no);
            Ok((r.story(no, group)?, held))
        };
        let (story, hold) = self.hub.read(read).await?;
        let institution = self.hub.rail.institution();
        let attempt = row.attempt.as_ref();
        let bank_no = attempt.and_then(|a| a.bank_no).map(|no| no.text(institution));
        let mut moments = vec![requested(&row)];
        moments
            .extend(story.iter().filter(|event| mine(&row, event)).map(|event| told(&row, event)));
        if let Some(attempt) = attempt {
            moments.extend(sent(&row, attempt, bank_no.as_deref()));
            moments.extend(answered(attempt, &story));
        }
        moments.sort_by_key(|moment| moment.at);
        Ok(json!({
            "payout": no.0,
            "api_tran_id": self.hub.id(Kind::Transfer, row.payout.partner, no.0),
            "cst_id": self.cst_id(&row),
            "group_key": self.hub.id(Kind::Group, row.payout.partner, group.0),
            "distinct_key": row.payout.distinct_key,
            "amount": row.payout.amount.0,
            "state": row.state.name(),
            "held": if row.state.holds() { row.payout.amount.0 } else { 0 },
            "to": format!("{} {}", row.key.bank, mask_account(row.account.number.expose_secret())),
            "bank_tran_id": bank_no,
            "bank_tran_date": attempt.map(|a| a.day.to_string()),
            "why": attempt.and_then(|a| a.why).filter(|_| row.state == State::Unknown).map(Why::text),
            "next_inquiry": attempt.and_then(|a| a.inquire_at).map(|at| at.seoul_text()),
            "held_back": hold.map(|(_, hold)| format!("by {}: {}", hold.by, hold.reason)),
            "timeline": lines(&row, &moments),
        }))
    }
}

fn lines(row: &Row, moments: &[Moment]) -> Vec<Value> {
    let mut held = false;
    let line = |moment: &Moment| {
        held = moment.held.unwrap_or(held);
        json!({
            "at": moment.at.seoul_text(),
            "by": moment.by,
            "what": moment.what,
            "held": if held { row.payout.amount.0 } else { 0 },
            "note": moment.note,
        })
    };
    moments.iter().map(line).collect()
}

fn requested(row: &Row) -> Moment {
    Moment {
        at: row.payout.at,
        by: "partner".to_owned(),
        what: EventKind::Requested.text().to_owned(),
        held: Some(true),
        note: format!("{} won held", row.payout.amount),
    }
}

/// Lines about the group count where they are of after the request.
fn mine(row: &Row, event: &Event) -> bool {
    event.at >= row.payout.at
}

fn told(row: &Row, event: &Event) -> Moment {
    let note = event.note.clone().unwrap_or_default();
    let note = match event.kind {
        EventKind::BecameUnknown | EventKind::Inquired => {
            format!("{note}; kept unknown, the amount stays held (openbanking 7.1, 7.2)")
        }
        EventKind::PutBack => format!("{note}; it did not leave, so it waits again (decision H13)"),
        EventKind::Returned => {
            let code = row.attempt.as_ref().and_then(|attempt| attempt.return_code);
            let by = code.map(|code| format!("; {}", rule(code))).unwrap_or_default();
            format!("{} won came back{by}", row.payout.amount)
        }
        _ => note,
    };
    let held = match event.kind {
        EventKind::Canceled | EventKind::Corrected | EventKind::Returned => Some(false),
        _ => None,
    };
    let what = event.kind.text().to_owned();
    let by = match (event.kind, &event.actor) {
        // The engine only passes it on.
        (EventKind::Returned, Actor::Engine) => "bank".to_owned(),
        (_, actor) => who(actor),
    };
    Moment { at: event.at, by, what, held, note }
}

fn sent(row: &Row, attempt: &Attempt, bank_no: Option<&str>) -> Option<Moment> {
    let number = bank_no?;
    let account = mask_account(row.account.number.expose_secret());
    Some(Moment {
        at: attempt.sent_at,
        by: "engine".to_owned(),
        what: EventKind::Claimed.text().to_owned(),
        held: None,
        note: format!(
            "{number}, {} won to {} {account}, send {}",
            row.payout.amount, row.key.bank, attempt.sends
        ),
    })
}

/// The bank's answer, and by which rule it ended the payout; where persons decided it, their own line
/// says so.
fn answered(attempt: &Attempt, story: &[Event]) -> Option<Moment> {
    let at = attempt.answered_at?;
    let decides = [EventKind::Resolved, EventKind::Corrected];
    let by_person = story.iter().any(|event| event.at == at && decides.contains(&event.kind));
    let failed = attempt.failure.is_some();
    let kind = if failed { EventKind::Failed } else { EventKind::Settled };
    let note = match (attempt.bank_code, by_person) {
        (_, true) => "as operators decided".to_owned(),
        (Some(code), false) => rule(code),
        (None, false) => String::new(),
    };
    let (by, what) = ("bank".to_owned(), kind.text().to_owned());
    Some(Moment { at, by, what, held: Some(false), note })
}

/// A code, its meaning, and how the table reads it.
fn rule(code: BankCode) -> String {
    let source = if code.is_banks() { "openbanking 9" } else { "openbanking 8" };
    let meaning = code.entry().map_or("not in the table", |entry| entry.en);
    format!("{}: {meaning}; {} ({source})", code.text(), code.class().text())
}
