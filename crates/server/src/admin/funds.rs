//! Whether the money is there: what partners have against what the settlement account holds.

use super::execute::{Admin, Done};
use super::request::StatementNote;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_domain::code::Code;
use ichae_domain::command::Command;
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Day;
use ichae_domain::view::StatementRead;
use serde_json::json;

/// A balance older than this says little about now, in milliseconds.
const OLD_MS: i64 = 24 * 3_600_000;

impl Admin<'_> {
    /// Partners' money by account, the rail's counter-side, and the last balance of the bank. What is
    /// under way may have left the account already, so the account may hold less by that much.
    pub(super) async fn funds(&self) -> Done {
        let read = |r: &dyn ichae_store::port::Reader| {
            Ok((r.funds()?, r.settlement()?, r.rail()?, r.unknown_sum()?))
        };
        let (funds, settlement, rail, (unknown, at_risk)) = self.hub.read(read).await?;
        let owed = funds.available.0 + funds.held.0;
        let under_way = funds.held.0 - funds.waiting.0;
        let margin = self.hub.operators.margin.unwrap_or(Won::ZERO).0;
        let over = rail.balance.as_ref().map(|balance| balance.amount.0 - owed);
        let now = self.hub.now();
        let alarm = match (&rail.balance, over) {
            (None, _) => Some("no balance is known: `ichae bank balance` enters one".to_owned()),
            (Some(balance), _) if now.0 - balance.at.0 > OLD_MS => {
                Some("the balance is more than a day old".to_owned())
            }
            (Some(_), Some(over)) if over < margin => {
                Some(format!("the account holds {} won too little", margin - over))
            }
            _ => None,
        };
        Ok(json!({
            "available": funds.available.0,
            "held": funds.held.0,
            "held_waiting": funds.waiting.0,
            "held_under_way": under_way,
            "unknown": unknown,
            "unknown_sum": at_risk.0,
            "owed_to_partners": owed,
            "owed_by_partners": -funds.suspense.0,
            "settlement": settlement.0,
            "bank_balance": rail.balance.as_ref().map(|b| b.amount.0),
            "bank_balance_as_of": rail.balance.as_ref().map(|b| b.at.seoul_text()),
            "bank_balance_by": rail.balance.as_ref().map(|b| b.by.clone()),
            "over": over,
            "margin": margin,
            "alarm": alarm,
        }))
    }

    /// The same file changes nothing a second time.
    pub(super) async fn statement_note(&self, note: StatementNote) -> Done {
        let wrong = || Refusal::field(Code::P0103, "digest");
        let bytes = STANDARD.decode(&note.digest).map_err(|_| wrong())?;
        let digest: [u8; 32] = bytes.try_into().map_err(|_| wrong())?;
        if let Some(before) = self.hub.read(move |r| r.statement(&digest)).await? {
            return Ok(json!({
                "statement": before.name,
                "read_before": before.at.seoul_text(),
                "by": before.by,
            }));
        }
        let (at, by) = (self.hub.now(), self.name().to_owned());
        let StatementNote { name, rows, findings, .. } = note;
        let read = StatementRead { digest, at, by, name: name.clone(), rows, findings };
        // The end of its last day, or now where that is still to come.
        let end = note.last_day.as_deref().and_then(Day::parse).and_then(Day::end);
        let closing = note.closing_balance.zip(end).map(|(won, end)| (Won(won), end.min(at)));
        let statement = Box::new(read);
        self.give(Command::NoteStatement { statement, closing }).await?;
        Ok(json!({ "statement": name, "read_before": null }))
    }

    pub(super) async fn bank_balance(&self, amount: &str, source: String) -> Done {
        let wrong = || Refusal::field(Code::P0103, "amount");
        let digits = amount.strip_prefix('-').unwrap_or(amount);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let won = amount.parse::<i64>().ok().filter(|_| plain).ok_or_else(wrong)?;
        let at = self.hub.now();
        self.give(Command::NoteBalance { amount: Won(won), at, source }).await?;
        self.funds().await
    }
}
