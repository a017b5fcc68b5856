//! The one place where money is decided: rows and a command in, a change or a refusal out.

mod bank;
mod charge;
mod execute;
mod hold;
mod key;
mod matter;
mod operator;
mod partner;
mod payer;
mod rail;
mod request;
mod trade;
mod webhook;

pub use webhook::NO_ADDRESS;

#[cfg(test)]
mod tests;

use crate::code::Code;
use crate::command::{Actor, Command, Order};
use crate::ident::{NoticeNo, PartnerNo};
use crate::ledger::{Entry, Ledger, Posting, Subject};
use crate::money::Won;
use crate::notice::{self, Notice, NoticeState, Outcome};
use crate::partner::Partner;
use crate::payout::Payout;
use crate::refusal::Refusal;
use crate::view::{About, Change, Context, Event, EventKind, View, Write};

/// Decides one order against the rows that it named.
///
/// A refusal writes nothing, so a store needs no savepoint. The same view, order and context give
/// the same change, on every backend.
pub fn decide(view: &View<'_>, order: &Order, context: &Context<'_>) -> Result<Change, Refusal> {
    let at = Scene { view, actor: &order.actor, context };
    match &order.command {
        Command::AddPartner(new) => partner::add(&at, new),
        Command::SetPartner { settings, .. } => partner::set(&at, settings),
        Command::RotateCustKey { verifier, .. } => partner::rotate_cust_key(&at, *verifier),
        Command::RotateWebhookSecret { secret, .. } => partner::rotate_webhook_secret(&at, secret),
        Command::RotateRefundKey { verifier, .. } => partner::rotate_refund_key(&at, *verifier),
        Command::Suspend { suspended, .. } => partner::suspend(&at, *suspended),
        Command::Fund { entry, amount, reference, .. } => {
            partner::fund(&at, *entry, *amount, reference)
        }
        Command::RegisterKey(new) => key::register(&at, new),
        Command::Request(request) => request::request(&at, request),
        Command::Bulk(bulk) => request::bulk(&at, bulk),
        Command::Execute(execute) => execute::execute(&at, execute),
        Command::Claim { .. } => bank::claim(&at),
        Command::Doubt(doubt) => bank::doubt(&at, doubt),
        Command::Outcome(told) => bank::outcome(&at, told),
        Command::Return { code, notice, .. } => bank::returned(&at, *code, *notice),
        Command::PauseRail { reason } => rail::pause(&at, reason),
        Command::ResumeRail => rail::resume(&at),
        Command::TakeCounters { count } => rail::take_counters(&at, *count),
        Command::Hold(hold) => hold::hold(&at, hold),
        Command::AddOperator { name, public_key } => operator::add(&at, name, *public_key),
        Command::RevokeOperator { name } => operator::revoke(&at, name),
        Command::Sign { name, at: moment } => operator::sign(&at, name, *moment),
        Command::Act(act) => matter::act(&at, act),
        Command::Approve { proposal, act, .. } => matter::approve(&at, *proposal, act),
        Command::Withdraw { .. } => matter::withdraw(&at),
        Command::NoteBalance { amount, at: moment, source } => {
            rail::note_balance(&at, *amount, *moment, source)
        }
        Command::NoteStatement { statement, closing } => {
            rail::note_statement(&at, statement, *closing)
        }
        Command::Delivered { status, .. } => webhook::delivered(&at, *status),
        Command::NotDelivered { status, .. } => webhook::not_delivered(&at, *status),
        Command::Resend { .. } => webhook::resend(&at),
        Command::AddPayer(new) => payer::add(&at, new),
        Command::RemovePayer { .. } => payer::remove(&at),
        Command::Charge(new) => charge::charge(&at, new),
        Command::Refund(new) => charge::refund(&at, new),
        Command::Receipt(new) => charge::receipt(&at, new),
        Command::Traded(told) => trade::traded(&at, told),
        Command::SettleCharges { through, .. } => charge::settle(&at, *through),
    }
}

/// What every decision has before it.
struct Scene<'a> {
    view: &'a View<'a>,
    actor: &'a Actor,
    context: &'a Context<'a>,
}

impl<'a> Scene<'a> {
    fn partner(&self) -> Result<&'a Partner, Refusal> {
        self.view.partner.ok_or_else(|| Code::P0101.into())
    }

    /// A partner always has a ledger; without one the store is damaged, and nothing is decided.
    fn ledger(&self) -> Result<&'a Ledger, Refusal> {
        self.view.ledger.ok_or_else(|| Code::T0999.into())
    }

    /// The named payout. A command that names another partner's would move the wrong balances, so
    /// nothing is decided about it.
    fn payout(&self) -> Result<&'a Payout, Refusal> {
        let partner = self.view.partner.map(|partner| partner.no);
        self.view
            .payout
            .filter(|payout| Some(payout.partner) == partner)
            .ok_or_else(|| Code::T0999.into())
    }

    /// The person's name who gave the order; the engine and partners decide nothing of this kind.
    fn person(&self) -> Result<&'a str, Refusal> {
        match self.actor {
            Actor::Operator(name) => Ok(name),
            Actor::Engine | Actor::Partner => Err(Code::T0999.into()),
        }
    }

    fn event(&self, kind: EventKind, about: About, partner: Option<PartnerNo>) -> Event {
        Event {
            at: self.context.now,
            actor: self.actor.clone(),
            partner,
            kind,
            about,
            amount: None,
            note: None,
        }
    }

    /// A webhook of this outcome, due at once.
    fn notice(&self, partner: PartnerNo, subject: notice::Subject, outcome: Outcome) -> Write {
        Write::NewNotice(Notice {
            no: NoticeNo(0),
            partner,
            subject,
            outcome,
            made_at: self.context.now,
            state: NoticeState::Pending,
            tries: 0,
            next_at: self.context.now,
            last_status: 0,
            last_at: None,
        })
    }

    /// Posts one entry: the ledger's new row and the journal line. Refused with `short` where a
    /// balance would not allow it.
    fn post(
        &self,
        ledger: &Ledger,
        entry: Entry,
        amount: Won,
        subject: Subject,
        short: Code,
    ) -> Result<(Ledger, Write), Refusal> {
        let next = ledger.post(entry, amount).ok_or(short)?;
        let posting =
            Posting { partner: ledger.partner, entry, amount, subject, at: self.context.now };
        Ok((next, Write::Posting(posting)))
    }
}
