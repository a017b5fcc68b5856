//! What the bank does: it decides a deposit by its account and by what strikes it, writes that
//! down, and says what became of it later. Time comes in with the call.

use crate::dealer::{Dealer, Strike};
use crate::error::KftcError;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::journal::write::{Asks, Call, Journal, Triple};
use crate::plan::Sizes;
use ichae_domain::time::{Day, Time};
use ichae_rail::simulated::bank::{INQUIRIES_TO_SETTLE, RETURNED_AFTER_MS, SLOW_MS};
use ichae_rail::simulated::scenario::{Scenario, scenario};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// What an inquiry says of the scenario deposit that was not paid and whose answer was lost.
const UNPAID: u16 = 499;
/// The institution's own account has too little.
const OWN_SIDE: u16 = 453;
pub const PROCESSING: u16 = 400;
const NAME_DIFFERS: u16 = 815;
pub const OUTSIDE_HOURS: u16 = 114;
const REPEATED: u16 = 822;
pub const TOKEN_EXPIRED: &str = "O0003";

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
    strict: bool,
}

impl Bank {
    pub fn new(journal: Journal, dealer: Dealer, gate: Arc<Gate>, strict: bool) -> Bank {
        Bank { journal, dealer, gate, strict }
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
                self.gate.close_until(after(deal.order.at, length));
            }
            deal.decide(&strike, self.dealer.plan().sizes, &self.dealer.plan().refused_codes);
        }
        self.journal.append(&deal.call)?;
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

/// A deposit while it is decided.
struct Deal {
    order: Order,
    call: Call,
    says: Says,
    way: Way,
    variant: u64,
}

impl Deal {
    fn new(order: Order) -> Deal {
        let call = Call {
            bank_tran_id: order.bank_tran_id.clone(),
            day: order.at.day(),
            amount: order.amount,
            bank: order.bank.clone(),
            known: true,
            paid: true,
            code: three(0),
            fault: None,
            at: order.at,
            open_until: order.at,
            pay_at: None,
            return_at: None,
            asks: Asks::default(),
        };
        Deal { order, call, says: Says::Bank(0), way: Way::Plain, variant: 0 }
    }

    /// No bank gets to know the call.
    fn turn_away(&mut self, says: Says) {
        self.call.code = match says {
            Says::Bank(code) => three(code),
            Says::Centre(code) => code.to_owned(),
            Says::Shut => three(OUTSIDE_HOURS),
        };
        (self.call.known, self.call.paid, self.call.return_at) = (false, false, None);
        (self.says, self.way) = (says, Way::Plain);
    }

    fn unseen(&mut self, way: Way) {
        self.call.code = UNSEEN.to_owned();
        (self.call.known, self.call.paid, self.call.return_at) = (false, false, None);
        self.way = way;
    }

    /// The account's own way of answering, a slow one for example, stays.
    fn refuse(&mut self, code: u16) {
        (self.call.paid, self.call.code, self.says) = (false, three(code), Says::Bank(code));
        (self.call.return_at, self.call.asks.open) = (None, 0);
    }

    /// By the account first, then by what strikes it.
    fn decide(&mut self, strike: &Strike, sizes: Sizes, refused_codes: &[u16]) {
        (self.variant, self.call.fault) = (strike.variant, strike.names());
        let spoil = |struck: bool| if struck { sizes.inquiries } else { 0 };
        self.call.asks = Asks {
            open: 0,
            lost: spoil(strike.lost),
            wrong: spoil(strike.wrong),
            no_history: spoil(strike.no_history),
        };
        self.by_account();
        if let Some(fault) = strike.deposit {
            self.by_fault(fault, sizes, refused_codes);
        }
    }

    fn by_account(&mut self) {
        let at = self.call.at;
        let selected = scenario(self.order.account.expose_secret());
        match selected {
            Scenario::DepositRefused(code) | Scenario::CheckRefused(code) => self.refuse(code.0),
            _ if !self.order.name_fits => self.refuse(NAME_DIFFERS),
            Scenario::Plain => {}
            Scenario::PaidAnswerLost => self.way = Way::Close,
            Scenario::UnpaidAnswerLost => {
                self.refuse(UNPAID);
                self.way = Way::Close;
            }
            Scenario::Processing => {
                self.call.asks.open = INQUIRIES_TO_SETTLE.unsigned_abs() - 1;
                self.says = Says::Bank(PROCESSING);
            }
            Scenario::Returned => self.call.return_at = Some(at.plus_ms(RETURNED_AFTER_MS)),
            Scenario::Slow => {
                self.call.open_until = at.plus_ms(SLOW_MS);
                self.way = Way::Late(SLOW_MS.unsigned_abs());
            }
        }
    }

    fn by_fault(&mut self, fault: Fault, sizes: Sizes, refused_codes: &[u16]) {
        match fault {
            Fault::TokenExpiry => self.turn_away(Says::Centre(TOKEN_EXPIRED)),
            Fault::DropBefore => self.unseen(Way::Close),
            Fault::Http503Before => self.unseen(Way::Http(503)),
            Fault::Maintenance => self.turn_away(Says::Shut),
            Fault::Refused => {
                let among = u64::try_from(refused_codes.len()).unwrap_or(1).max(1);
                let at = usize::try_from(self.variant % among).unwrap_or_default();
                self.refuse(refused_codes.get(at).copied().unwrap_or(UNPAID));
            }
            Fault::OwnSide => self.refuse(OWN_SIDE),
            Fault::Processing => {
                self.pay_later(sizes.processing_ms);
                self.says = Says::Bank(PROCESSING);
            }
            Fault::LatePay => {
                self.pay_later(sizes.late_pay_ms);
                self.way = Way::Late(sizes.late_pay_ms);
            }
            Fault::Delay => {
                self.call.open_until = after(self.call.at, sizes.delay_ms);
                self.way = Way::Late(sizes.delay_ms);
            }
            Fault::PayThenDrop => self.way = Way::Close,
            Fault::Reset => self.way = Way::Reset,
            Fault::Http500AfterPaying => self.way = Way::Http(500),
            Fault::Garbage => self.way = Way::Garbage,
            Fault::Truncated => self.way = Way::Truncated,
            Fault::DuplicateAnswer => self.way = Way::Duplicate,
            Fault::WrongEcho => self.way = Way::WrongEcho,
            Fault::WrongDate => self.call.day = self.call.day.next().unwrap_or(self.call.day),
            Fault::LateReturn if self.call.paid => {
                self.call.return_at = Some(after(self.call.at, sizes.late_return_ms));
            }
            Fault::LateReturn => {}
            Fault::InquiryLost | Fault::InquiryWrong | Fault::InquiryNoHistory => {}
        }
    }

    /// A deposit that is refused stays refused; it only takes as long.
    fn pay_later(&mut self, ms: u64) {
        let due = after(self.call.at, ms);
        self.call.open_until = due;
        if self.call.paid {
            (self.call.paid, self.call.pay_at) = (false, Some(due));
            // What is returned is paid first.
            self.call.return_at = self.call.return_at.map(|back| back.max(due));
        }
    }
}

/// The journal's word for a call that no one answered and no bank saw.
const UNSEEN: &str = "none";

fn three(code: u16) -> String {
    format!("{code:03}")
}

fn after(at: Time, ms: u64) -> Time {
    at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}
