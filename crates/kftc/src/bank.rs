//! What the bank does: it decides a deposit by its account and by what strikes it, writes that
//! down, and says what became of it later. Time comes in with the call.

use crate::deal::{self, Deal, PROCESSING, REPEATED};
use crate::dealer::Dealer;
use crate::error::KftcError;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::journal::write::{Asks, Journal, Triple};
use ichae_domain::time::{Day, Time};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use tokio::sync::Notify;

/// A deposit whose form is good.
#[derive(Debug)]
pub struct Order {
    pub bank_tran_id: String,
    pub amount: i64,
    pub bank: String,
    pub account: SecretString,
    /// Whether the name is the holder's, or is not to be looked at.
    pub name_fits: bool,
    /// Why the centre turned it away before any bank saw it.
    pub turned_away: Option<Says>,
    pub at: Time,
}

/// What the answer to a deposit says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// A bank's code in the item, 0 for done.
    Bank(u16),
    /// The centre's code outside, without an item.
    Centre(&'static str),
    /// A0020 outside and 114 in the item.
    Shut,
}

/// How the answer to a deposit goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Plain,
    /// After so many milliseconds.
    Late(u64),
    /// Not at all: the connection is closed.
    Close,
    /// Not at all: the connection is reset.
    Reset,
    Http(u16),
    Garbage,
    Truncated,
    Duplicate,
    WrongEcho,
}

/// What becomes of a deposit's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    pub day: Day,
    pub says: Says,
    pub way: Way,
    /// Chooses between the variants of a fault.
    pub variant: u64,
}

/// What the bank says to an inquiry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// Nothing: the connection is closed.
    Lost,
    /// A0003 outside.
    Wrong,
    /// For each that was asked about, its bank and code; `None` where it has no history.
    Items(Vec<Option<(String, String)>>),
}

/// The bank behind the centre.
#[derive(Debug)]
pub struct Bank {
    pub journal: Journal,
    pub dealer: Dealer,
    gate: Arc<Gate>,
    /// Told where something is to be paid or returned later.
    due: Arc<Notify>,
    strict: bool,
}

impl Bank {
    pub fn new(
        journal: Journal,
        dealer: Dealer,
        gate: Arc<Gate>,
        due: Arc<Notify>,
        strict: bool,
    ) -> Bank {
        Bank { journal, dealer, gate, due, strict }
    }

    /// Pays or refuses, and journals the call either way.
    ///
    /// # Errors
    /// The journal's.
    pub fn deposit(&mut self, order: Order) -> Result<Reply, KftcError> {
        let (calls, known) = self.journal.calls_with(&order.bank_tran_id)?;
        let mut deal = Deal::new(order);
        if let Some(says) = deal.order.turned_away {
            deal.turn_away(says);
        } else if self.strict && known > 0 {
            // Not known as a call of its own, so that an inquiry finds the original.
            deal.turn_away(Says::Bank(REPEATED));
        } else {
            let account = deal.order.account.expose_secret();
            let strike = self.dealer.deal(account, &deal.order.bank_tran_id, calls);
            if strike.deposit == Some(Fault::Maintenance) {
                let length = self.dealer.plan().sizes.maintenance_ms;
                self.gate.close_until(deal::after(deal.order.at, length));
            }
            deal.decide(&strike, self.dealer.plan().sizes, &self.dealer.plan().refused_codes);
        }
        self.journal.append(&deal.call)?;
        if deal.call.pay_at.is_some() || deal.call.return_at.is_some() {
            // Here, since whoever asked may be gone when the call is durable. Who is told asks for
            // the time after this batch.
            self.due.notify_one();
        }
        Ok(Reply { day: deal.call.day, says: deal.says, way: deal.way, variant: deal.variant })
    }

    /// Says what became of deposits, one answer for each.
    ///
    /// # Errors
    /// The journal's.
    pub fn inquire(&mut self, asked: &[Triple], now: Time) -> Result<Told, KftcError> {
        let mut found = Vec::with_capacity(asked.len());
        for triple in asked {
            found.push(self.journal.find(triple)?);
        }
        let calm = self.dealer.is_calm();
        type Count = fn(&mut Asks) -> &mut u64;
        let spoilers: [(Count, Told); 2] =
            [(|asks| &mut asks.lost, Told::Lost), (|asks| &mut asks.wrong, Told::Wrong)];
        for (count, told) in spoilers {
            let mut spoilt = false;
            for call in found.iter().flatten() {
                let mut asks = call.asks;
                let left = count(&mut asks);
                spoilt |= *left > 0;
                *left = left.saturating_sub(1);
                if !calm {
                    self.journal.set_asks(call, asks)?;
                }
            }
            if spoilt && !calm {
                return Ok(told);
            }
        }
        let mut items = Vec::with_capacity(asked.len());
        for call in found {
            let Some(call) = call else {
                items.push(None);
                continue;
            };
            let mut asks = call.asks;
            let hidden = asks.no_history > 0 && !calm;
            let open = call.open_until > now || asks.open > 0;
            if hidden {
                asks.no_history -= 1;
            } else {
                asks.open = asks.open.saturating_sub(1);
            }
            self.journal.set_asks(&call, asks)?;
            let code = if open { PROCESSING.to_string() } else { call.code };
            items.push((!hidden).then_some((call.bank, code)));
        }
        Ok(Told::Items(items))
    }
}
