//! What the acquirer said of a call. A definite answer ends it; anything else leaves it unknown, and only
//! an inquiry's answer may end it.

use super::Scene;
use super::bank::DATE_DOUBT_MS;
use crate::billing::{
    Approval, Charge, ChargeState, Reason, ReasonClass, Trade, TradeAnswer, TradeKind, TradeState,
    TradeWhy,
};
use crate::code::Code;
use crate::command::TradeTold;
use crate::ident::TradeNo;
use crate::ledger::{Entry, Ledger, Subject};
use crate::matter::Act;
use crate::money::Won;
use crate::notice::{Outcome, Subject as Told};
use crate::refusal::Refusal;
use crate::retry::inquiry_wait_ms;
use crate::view::{About, Change, EventKind, Reply, Write};

pub(super) fn traded(at: &Scene<'_>, told: &TradeTold) -> Result<Change, Refusal> {
    let partner = at.partner()?.no;
    let (Some(charge), Some(trade)) = (at.view.charge, at.view.trade) else {
        return Err(Code::T0999.into());
    };
    if charge.partner != partner || trade.charge != charge.no {
        return Err(Code::T0999.into());
    }
    let said = said(&told.answer, trade.kind, told.inquired);
    if !trade.state.is_open() {
        return Ok(late(at, charge, trade, &said));
    }
    let run = Run { at, charge: charge.clone(), trade: trade.clone(), writes: Vec::new() };
    match said {
        Said::Done(approval) => run.done(approval),
        Said::NotDone(reason) => run.not_done(reason),
        Said::Unknown(why) => run.unknown(why, told.inquired),
    }
}

/// A person's word in the place of the acquirer's, on what ground. Only what nobody knows can be ended so.
pub(super) fn resolve(
    at: &Scene<'_>,
    act: &Act,
    done: bool,
    note: &str,
) -> Result<Change, Refusal> {
    let partner = at.partner()?.no;
    let trade = at.view.trade.filter(|trade| trade.partner == partner);
    let unknown = trade.filter(|t| t.state == TradeState::Unknown && t.amount == act.amount);
    let (Some(trade), Some(charge)) = (unknown, at.view.charge) else {
        return Err(Code::P0143.into());
    };
    // It may still be on its way there, and the acquirer's report of the day is not out.
    let closed = trade.at.plus_ms(DATE_DOUBT_MS).day() < at.context.now.day();
    if !done && !closed && !at.context.rules.resolve_same_day {
        return Err(Code::P0135.into());
    }
    let mut event = at.event(EventKind::Resolved, About::Charge(charge.no), Some(partner));
    event.amount = Some(trade.amount);
    event.note = Some(format!("{} {}: {note}", trade.kind.name(), trade.reference()));
    let writes = vec![Write::Event(event)];
    let mut run = Run { at, charge: charge.clone(), trade: trade.clone(), writes };
    if done && trade.kind == TradeKind::Refund {
        // The acquirer cancels it with the payment.
        run.charge.receipt = None;
    }
    match done {
        true => run.done(&Approval::default()),
        false => run.not_done(None),
    }
}

/// What an answer says of the money.
enum Said<'a> {
    Done(&'a Approval),
    NotDone(Option<Reason>),
    Unknown(TradeWhy),
}

/// A code that does not decide is no refusal, whatever the acquirer calls it; that the payment was
/// canceled before is none of a cancellation, which may be the one that did it; and that an inquiry
/// did not leave us says nothing of the call.
fn said(answer: &TradeAnswer, kind: TradeKind, inquired: bool) -> Said<'_> {
    match answer {
        TradeAnswer::Done(approval) => Said::Done(approval),
        TradeAnswer::Refused(reason) if kind.undoes() && reason.is_canceled_before() => {
            Said::Unknown(TradeWhy::Undecided(*reason))
        }
        TradeAnswer::Refused(reason) => match reason.class() {
            ReasonClass::Refused => Said::NotDone(Some(*reason)),
            ReasonClass::Done | ReasonClass::Undecided => {
                Said::Unknown(TradeWhy::Undecided(*reason))
            }
        },
        TradeAnswer::NotSent if inquired => Said::Unknown(TradeWhy::Lost),
        TradeAnswer::NotSent => Said::NotDone(None),
        TradeAnswer::Unknown(why) => Said::Unknown(*why),
    }
}

/// An answer after the end. One that says otherwise leaves a line for people, and changes nothing.
fn late(at: &Scene<'_>, charge: &Charge, trade: &Trade, said: &Said<'_>) -> Change {
    let agrees = match said {
        Said::Done(_) => trade.state == TradeState::Done,
        Said::NotDone(_) => trade.state == TradeState::Refused,
        Said::Unknown(_) => true,
    };
    if agrees {
        return Change::none(Reply::Stale);
    }
    let about = About::Charge(charge.no);
    let mut event = at.event(EventKind::Contradicted, about, Some(charge.partner));
    event.amount = Some(trade.amount);
    event.note = Some(format!("{} {}", trade.kind.name(), trade.reference()));
    Change { writes: vec![Write::Event(event)], reply: Reply::Stale, serials: 0 }
}

struct Run<'a> {
    at: &'a Scene<'a>,
    charge: Charge,
    trade: Trade,
    writes: Vec<Write>,
}

impl Run<'_> {
    fn done(mut self, approval: &Approval) -> Result<Change, Refusal> {
        self.end(TradeState::Done);
        self.trade.approval = Some(approval.clone());
        let amount = self.trade.amount;
        match self.trade.kind {
            TradeKind::Pay => {
                self.charge.state = ChargeState::Captured;
                self.charge.receipt = approval.receipt_no.as_ref().map(|_| self.trade.no);
                let subject = Subject::Trade(self.trade.no);
                let mut ledger = self.post(self.at.ledger()?, Entry::Capture, amount, subject)?;
                ledger.unsettled = ledger.unsettled.plus(amount).ok_or(Code::T0999)?;
                self.writes.push(Write::Ledger(ledger));
                self.tell(EventKind::Captured, Some(Outcome::Paid), None);
            }
            TradeKind::Refund => {
                self.charge.refunding = self.refunding_less()?;
                self.charge.refunded = self.charge.refunded.plus(amount).ok_or(Code::T0999)?;
                if approval.receipt_no.is_some() {
                    self.charge.receipt = None;
                }
                let subject = Subject::Trade(self.trade.no);
                let ledger = self.post(self.at.ledger()?, Entry::Refund, amount, subject)?;
                self.writes.push(Write::Ledger(ledger));
                self.tell(EventKind::Refunded, Some(Outcome::Refunded), None);
            }
            TradeKind::Receipt => self.tell(EventKind::ReceiptIssued, None, None),
            TradeKind::ReceiptCancel => {
                self.point_to(None);
                self.tell(EventKind::ReceiptCanceled, None, None);
            }
        }
        self.finish()
    }

    fn not_done(mut self, reason: Option<Reason>) -> Result<Change, Refusal> {
        self.end(TradeState::Refused);
        self.trade.reason = reason;
        match self.trade.kind {
            TradeKind::Pay => {
                self.charge.state = ChargeState::Failed;
                self.tell(EventKind::ChargeFailed, Some(Outcome::ChargeFailed), reason);
            }
            TradeKind::Refund => {
                let vat = self.charge.refund_vat.minus(self.trade.vat);
                self.charge.refund_vat = vat.ok_or(Code::T0999)?;
                self.give_back()?;
                self.tell(EventKind::RefundFailed, None, reason);
            }
            TradeKind::Receipt => {
                self.point_to(None);
                self.tell(EventKind::ReceiptFailed, None, reason);
            }
            TradeKind::ReceiptCancel => {
                self.point_to(self.trade.undoes);
                self.tell(EventKind::ReceiptFailed, None, reason);
            }
        }
        self.finish()
    }

    fn unknown(mut self, why: TradeWhy, inquired: bool) -> Result<Change, Refusal> {
        let (now, ceiling) = (self.at.context.now, self.at.context.rules.inquiry_ceiling_ms);
        let first = self.trade.state == TradeState::Asking;
        self.trade.inquiries += i64::from(inquired);
        self.trade.inquire_at = Some(now.plus_ms(inquiry_wait_ms(self.trade.inquiries, ceiling)));
        self.trade.state = TradeState::Unknown;
        self.trade.why = Some(why);
        if self.trade.kind == TradeKind::Pay {
            self.charge.state = ChargeState::Unknown;
        }
        if first {
            let about = About::Charge(self.charge.no);
            let partner = Some(self.charge.partner);
            let mut event = self.at.event(EventKind::TradeUnknown, about, partner);
            event.amount = Some(self.trade.amount);
            event.note = Some(format!("{}: {}", self.trade.kind.name(), why.text()));
            self.writes.push(Write::Event(event));
        }
        self.finish()
    }

    fn end(&mut self, state: TradeState) {
        self.trade.state = state;
        self.trade.why = None;
        self.trade.answered_at = Some(self.at.context.now);
        self.trade.inquire_at = None;
    }

    /// Back to where it came from: to what is captured as far as there is still something to come that
    /// it can be part of, the rest to what is available.
    fn give_back(&mut self) -> Result<(), Refusal> {
        let amount = self.trade.amount;
        self.charge.refunding = self.refunding_less()?;
        let mut ledger = self.at.ledger()?.clone();
        if self.charge.settled_at.is_none() {
            ledger.unsettled = ledger.unsettled.plus(amount).ok_or(Code::T0999)?;
        }
        let room = Won((ledger.unsettled.0 - ledger.captured.0).max(0));
        let captured = self.trade.from_captured.min(room);
        let parts = [
            (Entry::RefundBackToCaptured, captured),
            (Entry::RefundBackToAvailable, Won(amount.0 - captured.0)),
        ];
        for (entry, part) in parts.into_iter().filter(|(_, part)| *part > Won::ZERO) {
            ledger = self.post(&ledger, entry, part, Subject::Trade(self.trade.no))?;
        }
        self.writes.push(Write::Ledger(ledger));
        Ok(())
    }

    /// A refund may have canceled the receipt meanwhile, and another may have been issued.
    fn point_to(&mut self, receipt: Option<TradeNo>) {
        if self.charge.receipt == Some(self.trade.no) {
            self.charge.receipt = receipt;
        }
    }

    fn refunding_less(&self) -> Result<Won, Refusal> {
        let less = self.charge.refunding.minus(self.trade.amount);
        less.filter(|sum| !sum.is_negative()).ok_or(Code::T0999.into())
    }

    fn post(
        &mut self,
        ledger: &Ledger,
        entry: Entry,
        amount: Won,
        subject: Subject,
    ) -> Result<Ledger, Refusal> {
        let (next, posting) = self.at.post(ledger, entry, amount, subject, Code::T0999)?;
        self.writes.push(posting);
        Ok(next)
    }

    fn tell(&mut self, kind: EventKind, outcome: Option<Outcome>, reason: Option<Reason>) {
        let partner = self.charge.partner;
        let mut event = self.at.event(kind, About::Charge(self.charge.no), Some(partner));
        event.amount = Some(self.trade.amount);
        event.note = reason.map(Reason::text);
        self.writes.push(Write::Event(event));
        if let Some(outcome) = outcome {
            let subject = Told::Charge(self.charge.no, self.trade.no);
            self.writes.push(self.at.notice(partner, subject, outcome));
        }
    }

    fn finish(mut self) -> Result<Change, Refusal> {
        self.writes.push(Write::Charge(self.charge.clone()));
        self.writes.push(Write::Trade(self.trade.clone()));
        let reply = Reply::Traded(Box::new((self.charge, self.trade)));
        Ok(Change { writes: self.writes, reply, serials: 0 })
    }
}
