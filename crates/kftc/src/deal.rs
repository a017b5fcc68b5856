//! One deposit, while it is decided: by its account first, then by what strikes it.

use crate::bank::{Order, Says, Way};
use crate::dealer::Strike;
use crate::fault::Fault;
use crate::journal::write::{Asks, Call};
use crate::plan::Sizes;
use ichae_domain::time::Time;
use ichae_rail::simulated::bank::{INQUIRIES_TO_SETTLE, RETURNED_AFTER_MS, SLOW_MS};
use ichae_rail::simulated::scenario::{Scenario, scenario};
use secrecy::ExposeSecret as _;

/// What an inquiry says of the scenario deposit that was not paid and whose answer was lost.
const UNPAID: u16 = 499;
/// The institution's own account has too little.
const OWN_SIDE: u16 = 453;
pub const PROCESSING: u16 = 400;
const NAME_DIFFERS: u16 = 815;
pub const OUTSIDE_HOURS: u16 = 114;
pub const REPEATED: u16 = 822;
pub const TOKEN_EXPIRED: &str = "O0003";

/// A deposit while it is decided.
pub struct Deal {
    pub order: Order,
    pub call: Call,
    pub says: Says,
    pub way: Way,
    pub variant: u64,
}

impl Deal {
    pub fn new(order: Order) -> Deal {
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
    pub fn turn_away(&mut self, says: Says) {
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
    pub fn decide(&mut self, strike: &Strike, sizes: Sizes, refused_codes: &[u16]) {
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

pub fn after(at: Time, ms: u64) -> Time {
    at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}
