//! `/transfer/request` and bulk intake: holds amounts, moves nothing (decisions H7 to H9).

use super::Scene;
use crate::code::Code;
use crate::command;
use crate::group::{GROUP_ROWS_MAX, Group, Mode};
use crate::ident::{GroupNo, PayoutNo};
use crate::key::BillingKey;
use crate::ledger::{Entry, Ledger, Subject};
use crate::partner::Partner;
use crate::payout::{Payout, state_of};
use crate::refusal::{Detail, First, Refusal};
use crate::text;
use crate::view::{About, BulkRow, Change, EventKind, Reply, Requested, Write};
use std::collections::HashMap;

pub(super) fn request(at: &Scene<'_>, request: &command::Request) -> Result<Change, Refusal> {
    if let Some((first, group)) = at.view.prior {
        return Err(repeat(first, group, request));
    }
    let partner = at.partner()?;
    let key = check(at, partner, at.view.key, request)?;
    let open = at.view.group.filter(|g| g.mode == Mode::Open);
    let full = open.filter(|g| g.rows >= GROUP_ROWS_MAX);
    let group = open.filter(|_| full.is_none()).cloned();
    let mut run = Run { at, partner, ledger: at.ledger()?.clone(), group, serials: 0 };
    let fresh = |no| Group::open(no, partner.no, at.context.now);
    let taken = run.take(request, key, fresh)?;
    let Run { mut ledger, group, serials, .. } = run;
    ledger.open_group = Some(taken.reply.group);
    let mut writes = Vec::with_capacity(6);
    writes.extend(full.map(|g| Write::Group(Group { mode: Mode::Closed, ..g.clone() })));
    writes.extend(group.map(Write::Group));
    writes.extend(taken.writes);
    writes.push(Write::Ledger(ledger));
    Ok(Change { writes, reply: Reply::Requested(Box::new(taken.reply)), serials })
}

/// Row after row, each as if it had come alone after those before it; all of them in a group of
/// their own. A row that is refused leaves nothing behind and holds up none of the others.
pub(super) fn bulk(at: &Scene<'_>, bulk: &command::Bulk) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let own = |g: &&Group| g.partner == partner.no && g.mode == Mode::Filling;
    let group = at.view.group.filter(own).cloned();
    let mut run = Run { at, partner, ledger: at.ledger()?.clone(), group, serials: 0 };
    let mut writes = Vec::with_capacity(3 * bulk.rows.len() + 2);
    let mut replies = Vec::with_capacity(bulk.rows.len());
    // Where in the writes a key's payout stands, for a repeat within these rows.
    let mut taken_here: HashMap<&str, usize> = HashMap::with_capacity(bulk.rows.len());
    for (row, seen) in bulk.rows.iter().zip(&at.view.bulk) {
        let first = taken_here.get(row.distinct_key.as_str()).and_then(|at| writes.get(*at));
        let taken = run.bulk_row(row, seen, first);
        replies.push(taken.map(|taken| {
            taken_here.insert(&row.distinct_key, writes.len());
            writes.extend(taken.writes);
            taken.reply
        }));
    }
    let Run { ledger, group, serials, .. } = run;
    if !writes.is_empty() {
        writes.extend(group.map(Write::Group));
        writes.push(Write::Ledger(ledger));
    }
    Ok(Change { writes, reply: Reply::Bulk(replies), serials })
}

/// Requests that are taken one after another, each on what the one before it left.
struct Run<'a> {
    at: &'a Scene<'a>,
    partner: &'a Partner,
    ledger: Ledger,
    /// The one that takes them; `None` until there is one.
    group: Option<Group>,
    serials: i64,
}

/// A request that was taken.
struct Taken {
    reply: Requested,
    /// Payout, posting, event.
    writes: [Write; 3],
}

impl Run<'_> {
    fn bulk_row(
        &mut self,
        row: &command::Request,
        seen: &BulkRow<'_>,
        taken_here: Option<&Write>,
    ) -> Result<Taken, Refusal> {
        if row.partner != self.partner.no {
            return Err(Code::T0999.into());
        }
        if let Some((first, group)) = seen.prior {
            return Err(repeat(first, group, row));
        }
        if let (Some(Write::NewPayout(first)), Some(group)) = (taken_here, &self.group) {
            return Err(repeat(first, group, row));
        }
        let key = check(self.at, self.partner, seen.key, row)?;
        let (partner, now) = (self.partner.no, self.at.context.now);
        self.take(row, key, |no| Group::filling(no, partner, now))
    }

    /// Holds the amount and puts the row into the group, `fresh` where there is none yet.
    fn take(
        &mut self,
        request: &command::Request,
        key: &BillingKey,
        fresh: impl FnOnce(GroupNo) -> Group,
    ) -> Result<Taken, Refusal> {
        let (at, partner, now) = (self.at, self.partner, self.at.context.now);
        let no = PayoutNo(at.context.serial + self.serials);
        let subject = Subject::Payout(no);
        let (held, posting) =
            at.post(&self.ledger, Entry::Hold, request.amount, subject, Code::R0140)?;
        let is_new = self.group.is_none();
        let group = self.group.get_or_insert_with(|| fresh(GroupNo(no.0 + 1)));
        let Some(sum) = group.waiting_sum.plus(request.amount) else {
            self.group.take_if(|_| is_new);
            return Err(Code::R0140.into());
        };
        group.waiting_sum = sum;
        group.rows += 1;
        group.waiting += 1;
        let group = group.no;
        self.serials += 1 + i64::from(is_new);
        self.ledger = held;
        let print = request.print.clone().unwrap_or_else(|| text::print_default(&partner.name));
        let payout = Payout {
            no,
            partner: partner.no,
            group,
            key: key.no,
            amount: request.amount,
            distinct_key: request.distinct_key.clone(),
            sub_id: request.sub_id.clone(),
            print: print.clone(),
            print_sent: request.print.is_some(),
            at: now,
            own: None,
            webhook_url: None,
        };
        let mut event = at.event(EventKind::Requested, About::Payout(no), Some(partner.no));
        event.amount = Some(request.amount);
        let remain = self.ledger.available;
        let reply = Requested { payout: no, group, remain, print, at: now };
        let writes = [Write::NewPayout(payout), posting, Write::Event(event)];
        Ok(Taken { reply, writes })
    }
}

/// What depends on state or configuration, in the order of the documents' fields (decision H6a).
fn check<'a>(
    at: &Scene<'_>,
    partner: &Partner,
    key: Option<&'a BillingKey>,
    request: &command::Request,
) -> Result<&'a BillingKey, Refusal> {
    if partner.suspended {
        return Err(Code::T0340.into());
    }
    let key = key.filter(|key| key.partner == partner.no).ok_or(Code::R0102)?;
    if let Some(bank) = key.dead {
        return Err(Refusal { code: Code::R0103, detail: Detail::Bank(bank) });
    }
    if at.context.rules.fixed_amount.is_some_and(|fixed| fixed != request.amount) {
        return Err(Code::R0112.into());
    }
    if partner.transfer_cap.is_some_and(|cap| request.amount > cap) {
        return Err(Code::R0113.into());
    }
    Ok(key)
}

/// R0132, or R0133 with the first field that differs, in the documents' order (decision H9).
fn repeat(first: &Payout, group: &Group, request: &command::Request) -> Refusal {
    let sent_before = first.print_sent.then_some(&first.print);
    let differs = [
        ("sub_id", first.sub_id != request.sub_id),
        ("billing_tran_id", Some(first.key) != request.key),
        ("tran_amt", first.amount != request.amount),
        ("print_content", sent_before != request.print.as_ref()),
    ]
    .into_iter()
    .find_map(|(name, differs)| differs.then_some(name));
    let code = if differs.is_some() { Code::R0133 } else { Code::R0132 };
    let first = First {
        payout: first.no,
        group: first.group,
        key: first.key,
        amount: first.amount,
        at: first.at,
        state: state_of(first.own, group.mode),
    };
    Refusal { code, detail: Detail::First(Box::new(first), differs) }
}
