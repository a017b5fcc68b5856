//! Payments with a key, refunds, cash receipts: their intents, each durable before the acquirer is
//! called; and what the acquirer paid out.

use super::Scene;
use crate::billing::{
    Charge, ChargeState, Method, Payer, Trade, TradeKind, TradeState, least, words,
};
use crate::code::Code;
use crate::command::{NewCharge, NewReceipt, NewRefund};
use crate::ident::{ChargeNo, TradeNo};
use crate::ledger::{Entry, Ledger, Subject};
use crate::money::Won;
use crate::refusal::Refusal;
use crate::time::Day;
use crate::view::{About, Change, EventKind, Reply, Write};

/// The order number, and the month of a monthly payment, are used once, unless what used them failed.
pub(super) fn charge(at: &Scene<'_>, new: &NewCharge) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let words = words(new.method, new.month.is_some());
    let mut before = at.view.ordered.into_iter().chain(at.view.monthly);
    if before.any(|charge| charge.state != ChargeState::Failed) {
        return Err(words.repeated.into());
    }
    if partner.suspended {
        return Err(words.closed.into());
    }
    let live = |payer: &&Payer| {
        payer.partner == partner.no && payer.removed_at.is_none() && payer.method == new.method
    };
    let payer = at.view.payer.filter(live).ok_or(words.no_payer)?;
    if new.amount < least(new.method) {
        return Err(words.least.into());
    }
    let no = ChargeNo(at.context.serial);
    let pay = TradeNo(no.0 + 1);
    let now = at.context.now;
    let charge = Charge {
        no,
        partner: partner.no,
        payer: payer.no,
        method: payer.method,
        oid: new.oid.clone(),
        month: new.month,
        amount: new.amount,
        tax: new.tax,
        at: now,
        day: now.day(),
        state: ChargeState::Asking,
        pay,
        refunded: Won::ZERO,
        refunding: Won::ZERO,
        refund_vat: Won::ZERO,
        settled_at: None,
        receipt: None,
    };
    let trade = trade(at, &charge, pay, TradeKind::Pay, new.amount, new.tax.vat);
    let mut event = at.event(EventKind::ChargeAsked, About::Charge(no), Some(partner.no));
    event.amount = Some(new.amount);
    Ok(Change {
        writes: vec![
            Write::NewCharge(charge.clone(), new.order.clone()),
            Write::Trade(trade.clone()),
            Write::Event(event),
        ],
        reply: Reply::Trade(Box::new((charge, trade))),
        serials: 2,
    })
}

/// Sets the amount aside: of what is captured first, then of what is available. What the two cannot
/// cover is refused.
pub(super) fn refund(at: &Scene<'_>, new: &NewRefund) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let charge = captured(at).ok_or(Code::PAYC0004)?;
    if partner.suspended {
        return Err(Code::PAYC0010.into());
    }
    let left = charge.left();
    if left == Won::ZERO {
        return Err(Code::PAYC0006.into());
    }
    let amount = new.amount.unwrap_or(left);
    if amount > left {
        return Err(Code::PAYC0005.into());
    }
    let vat = new.vat.unwrap_or(charge.vat_in(amount));
    if vat.is_negative() || vat > charge.vat_left().min(amount) {
        return Err(Refusal::field(Code::PAYC0003, "PCD_REFUND_TAXTOTAL"));
    }
    let no = TradeNo(at.context.serial);
    let subject = Subject::Trade(no);
    let ledger = at.ledger()?;
    let from_captured = amount.min(ledger.captured);
    let from_available = Won(amount.0 - from_captured.0);
    let mut writes = Vec::with_capacity(6);
    let mut next = ledger.clone();
    for (entry, part) in
        [(Entry::RefundFromCaptured, from_captured), (Entry::RefundFromAvailable, from_available)]
    {
        if part > Won::ZERO {
            let (moved, posting) = at.post(&next, entry, part, subject, Code::PAYC0007)?;
            next = moved;
            writes.push(posting);
        }
    }
    if charge.settled_at.is_none() {
        next.unsettled = next.unsettled.minus(amount).ok_or(Code::T0999)?;
    }
    let mut charge = charge.clone();
    charge.refunding = charge.refunding.plus(amount).ok_or(Code::T0999)?;
    charge.refund_vat = charge.refund_vat.plus(vat).ok_or(Code::T0999)?;
    let mut trade = trade(at, &charge, no, TradeKind::Refund, amount, vat);
    trade.from_captured = from_captured;
    trade.undoes = Some(charge.pay);
    let mut event = at.event(EventKind::RefundAsked, About::Charge(charge.no), Some(partner.no));
    event.amount = Some(amount);
    writes.extend([
        Write::Ledger(next),
        Write::Charge(charge.clone()),
        Write::Trade(trade.clone()),
        Write::Event(event),
    ]);
    Ok(Change { writes, reply: Reply::Trade(Box::new((charge, trade))), serials: 1 })
}

/// A payment from an account has one cash receipt at a time. No money moves.
pub(super) fn receipt(at: &Scene<'_>, new: &NewReceipt) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let of_account = |charge: &&Charge| charge.method == Method::Account;
    let charge = captured(at).filter(of_account).ok_or(Code::TSAV0004)?;
    if partner.suspended {
        return Err(Code::TSAV0010.into());
    }
    let standing = at.view.receipt.filter(|trade| charge.receipt == Some(trade.no));
    let (kind, most, undoes) = match (new.cancel, standing) {
        (false, None) => (TradeKind::Receipt, charge.left(), charge.pay),
        (false, Some(_)) => return Err(Code::TSAV0005.into()),
        (true, None) => return Err(Code::TSAV0006.into()),
        (true, Some(trade)) if trade.state.is_open() => return Err(Code::TSAV0005.into()),
        (true, Some(trade)) => (TradeKind::ReceiptCancel, trade.amount, trade.no),
    };
    let amount = new.amount.unwrap_or(most);
    if amount > most || amount <= Won::ZERO || (new.cancel && amount != most) {
        return Err(Refusal::field(Code::TSAV0003, "PCD_TAXSAVE_AMOUNT"));
    }
    let no = TradeNo(at.context.serial);
    let charge = Charge { receipt: Some(no), ..charge.clone() };
    let vat = standing.map_or(charge.vat_in(amount), |trade| trade.vat);
    let trade = Trade { undoes: Some(undoes), ..trade(at, &charge, no, kind, amount, vat) };
    let mut event = at.event(EventKind::ReceiptAsked, About::Charge(charge.no), Some(partner.no));
    event.amount = Some(amount);
    event.note = Some(kind.name().to_owned());
    Ok(Change {
        writes: vec![
            Write::Charge(charge.clone()),
            Write::Trade(trade.clone()),
            Write::Event(event),
        ],
        reply: Reply::Trade(Box::new((charge, trade))),
        serials: 1,
    })
}

/// Marks payments that the acquirer paid out. What they brought becomes available, but for what refunds
/// of earlier ones have used up of it; the acquirer has paid what it owes by then
/// (docs/adr/0018). Payments with a refund under way wait for its end.
pub(super) fn settle(at: &Scene<'_>, through: Day) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    at.person()?;
    let due = |charge: &&&Charge| {
        charge.partner == partner.no
            && charge.state == ChargeState::Captured
            && charge.settled_at.is_none()
            && charge.day <= through
            && charge.refunding == Won::ZERO
    };
    let due: Vec<&Charge> = at.view.charges.iter().filter(due).copied().collect();
    let ledger = at.ledger()?;
    let sum = due.iter().try_fold(Won::ZERO, |sum, charge| sum.plus(charge.unsettled()));
    let unsettled = sum.and_then(|sum| ledger.unsettled.minus(sum)).ok_or(Code::T0999)?;
    let mut next = Ledger { unsettled, ..ledger.clone() };
    let available = Won(next.captured.0 - next.captured.min(unsettled).0);
    // What it owes less what is still to come, and less what refunds under way may take.
    let owed = -next.receivable.0 - unsettled.0 - next.refunding.0;
    let paid = Won(owed.max(0));
    let subject = Subject::Settling(through);
    let mut writes = Vec::with_capacity(due.len() + 4);
    for (entry, amount) in [(Entry::SettleCapture, available), (Entry::AcquirerPaid, paid)] {
        if amount > Won::ZERO {
            let (moved, posting) = at.post(&next, entry, amount, subject, Code::T0999)?;
            next = moved;
            writes.push(posting);
        }
    }
    let count = i64::try_from(due.len()).unwrap_or(i64::MAX);
    let settled = |charge: &Charge| Charge { settled_at: Some(at.context.now), ..charge.clone() };
    writes.extend(due.into_iter().map(|charge| Write::Charge(settled(charge))));
    if !writes.is_empty() {
        let about = About::Partner(partner.no);
        let mut event = at.event(EventKind::ChargesSettled, about, Some(partner.no));
        event.amount = Some(available);
        event.note = Some(format!("{count} through {through}"));
        writes.extend([Write::Ledger(next), Write::Event(event)]);
    }
    Ok(Change { writes, reply: Reply::Settled { count, available, paid }, serials: 0 })
}

/// The named payment, if it is this partner's and was captured.
fn captured<'a>(at: &Scene<'a>) -> Option<&'a Charge> {
    let partner = at.view.partner.map(|partner| partner.no)?;
    let own = |charge: &&Charge| charge.partner == partner;
    at.view.charge.filter(own).filter(|charge| charge.state == ChargeState::Captured)
}

/// When a call is asked about of which not even the silence was written down: later than any time-out.
const ASK_AFTER_MS: i64 = 600_000;

fn trade(
    at: &Scene<'_>,
    charge: &Charge,
    no: TradeNo,
    kind: TradeKind,
    amount: Won,
    vat: Won,
) -> Trade {
    Trade {
        no,
        charge: charge.no,
        partner: charge.partner,
        kind,
        amount,
        vat,
        from_captured: Won::ZERO,
        undoes: None,
        epoch: at.context.epochs.current(),
        at: at.context.now,
        state: TradeState::Asking,
        reason: None,
        why: None,
        answered_at: None,
        inquiries: 0,
        inquire_at: Some(at.context.now.plus_ms(ASK_AFTER_MS)),
        approval: None,
    }
}
