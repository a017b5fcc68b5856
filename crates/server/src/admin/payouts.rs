//! Single payouts, as operators see and end them (decisions H13, M2, M3).

use super::execute::{Admin, Done};
use super::find;
use super::request::{AdminError, PayoutName};
use ichae_domain::bank::{BankCode, Why};
use ichae_domain::code::Code;
use ichae_domain::command::{Command, HoldOrder};
use ichae_domain::ident::PayoutNo;
use ichae_domain::matter::{Act, Matter, Verdict};
use ichae_domain::money::Won;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Day;
use ichae_store::port::Row;
use ichae_wire::ident::Kind;
use serde_json::{Value, json};

const LIST_MAX: usize = 1_000;

fn day(text: &str) -> Result<Day, AdminError> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    Day::parse(&digits).ok_or_else(|| Refusal::field(Code::P0131, "date").into())
}

impl Admin<'_> {
    /// Everything whose outcome is not known: how long, how much, and whether a person has to look.
    pub(super) async fn payout_unknown(&self, after: i64, limit: usize) -> Done {
        let limit = limit.min(LIST_MAX);
        let read = move |r: &dyn ichae_store::port::Reader| {
            Ok((r.unknown_sum()?, r.unknown(PayoutNo(after), limit)?))
        };
        let ((count, sum), rows) = self.hub.read(read).await?;
        let list: Vec<Value> = rows.iter().map(|row| self.unknown_value(row)).collect();
        Ok(json!({ "unknown": count, "at_risk": sum.0, "payouts": list }))
    }

    fn unknown_value(&self, row: &Row) -> Value {
        let attempt = row.attempt.as_ref();
        let since = attempt.map_or(row.payout.at, |a| a.sent_at);
        let why = attempt.and_then(|a| a.why);
        let next = attempt.and_then(|a| a.inquire_at);
        let bank_no = attempt.and_then(|a| a.bank_no);
        let institution = self.hub.rail.institution();
        json!({
            "payout": row.payout.no.0,
            "api_tran_id": self.hub.id(Kind::Transfer, row.payout.partner, row.payout.no.0),
            "cst_id": self.cst_id(row),
            "amount": row.payout.amount.0,
            "since": since.seoul_text(),
            "age": age(self.hub.now().0 - since.0),
            "why": why.map(Why::text),
            // Without a number nobody can be asked.
            "needs_person": bank_no.is_none() || why.is_some_and(Why::needs_person),
            "inquiries": attempt.map_or(0, |a| a.inquiries),
            "next_inquiry": next.map(|at| at.seoul_text()),
            "bank_tran_id": bank_no.map(|no| no.text(institution)),
            "bank_tran_date": attempt.map(|a| a.day.to_string()),
        })
    }

    pub(super) fn cst_id(&self, row: &Row) -> Option<String> {
        let entry = self.hub.directory.by_no(row.payout.partner);
        entry.map(|entry| entry.partner.cst_id.clone())
    }

    pub(super) async fn payout_hold(&self, name: PayoutName, held: bool, reason: String) -> Done {
        let row = find::payout(self.hub, &name).await?;
        let order = HoldOrder {
            partner: row.payout.partner,
            payout: Some(row.payout.no),
            group: Some(row.payout.group),
            held,
            reason,
        };
        self.give(Command::Hold(Box::new(order))).await?;
        Ok(json!({ "payout": row.payout.no.0, "held": held }))
    }

    pub(super) async fn payout_resolve(
        &self,
        name: PayoutName,
        paid_on: Option<String>,
        evidence: String,
    ) -> Done {
        let verdict = match paid_on {
            Some(text) => Verdict::Settled(day(&text)?),
            None => Verdict::Failed,
        };
        self.decide(name, Matter::Resolve(verdict), evidence).await
    }

    pub(super) async fn payout_correct(
        &self,
        name: PayoutName,
        paid_on: String,
        evidence: String,
    ) -> Done {
        self.decide(name, Matter::Correct(day(&paid_on)?), evidence).await
    }

    pub(super) async fn payout_return(
        &self,
        name: PayoutName,
        code: Option<String>,
        evidence: String,
    ) -> Done {
        let read = |text: &str| BankCode::find(text).ok_or(Refusal::field(Code::P0131, "code"));
        let code = code.as_deref().map(read).transpose()?;
        self.decide(name, Matter::Return(code), evidence).await
    }

    async fn decide(&self, name: PayoutName, matter: Matter, note: String) -> Done {
        let payout = find::payout(self.hub, &name).await?.payout;
        let (no, partner, amount) = (payout.no, payout.partner, payout.amount);
        let act = Act { matter, partner, payout: Some(no), amount, note };
        let reply = self.give(Command::Act(Box::new(act))).await?;
        if let Some(proposed) = self.acted(&reply).await? {
            return Ok(proposed);
        }
        let row = self.hub.read(move |r| r.row(no)).await?.ok_or(Code::T0999)?;
        Ok(json!({
            "payout": no.0,
            "state": row.state.name(),
            "amount": amount.0,
            "decided": matter.text(),
        }))
    }

    pub(super) async fn owed(
        &self,
        cst_id: &str,
        amount: &str,
        matter: Matter,
        note: String,
    ) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let amount = Won::parse(amount).ok_or(Refusal::field(Code::P0103, "amount"))?;
        let act = Act { matter, partner, payout: None, amount, note };
        let reply = self.give(Command::Act(Box::new(act))).await?;
        match self.acted(&reply).await? {
            Some(proposed) => Ok(proposed),
            None => self.partner_show(cst_id).await,
        }
    }
}

/// `3d 4h`, `2h 5m`, `40s`: the two largest units.
fn age(ms: i64) -> String {
    let seconds = (ms / 1_000).max(0);
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(3);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in units.iter().skip(first).take(2) {
        parts.push(format!("{}{name}", rest / length));
        rest %= length;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn an_age_has_its_two_largest_units() {
        for (ms, text) in [
            (0, "0s"),
            (59_999, "59s"),
            (60_000, "1m 0s"),
            (7_500_000, "2h 5m"),
            (273_600_000, "3d 4h"),
            (-5, "0s"),
        ] {
            assert_eq!(age(ms), text);
        }
    }
}
