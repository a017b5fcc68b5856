//! A partner with payers' keys: [`Shop`] keeps what a store would, and holds it against the audit after
//! every command.

use super::{NOW, PARTNER};
use crate::audit::Audit;
use crate::billing::{
    Approval, Charge, Instrument, Method, Month, OrderText, Owner, Payer, PayerAlias, Reason, Tax,
    Trade, TradeAnswer, TradeKind, TradeState,
};
use crate::code::Code;
use crate::command::{
    Actor, Command, NewCharge, NewPayer, NewReceipt, NewRefund, Order, Reads, TradeTold,
};
use crate::decide::decide;
use crate::ident::{ChargeNo, PayerNo, TradeNo};
use crate::ledger::{Account, Ledger, Posting};
use crate::money::Won;
use crate::notice::Notice;
use crate::partner::{BillingSettings, Partner, Verifier};
use crate::refusal::Refusal;
use crate::time::Time;
use crate::view::{Context, Event, Reply, Rules, View, Write};
use std::collections::BTreeMap;

/// What the institution refuses a card with.
pub(super) const LIMIT: Reason = Reason(3_112);

pub(super) struct Shop {
    pub(super) partner: Partner,
    pub(super) ledger: Ledger,
    pub(super) settlement: i64,
    pub(super) payers: BTreeMap<PayerNo, Payer>,
    pub(super) aliases: BTreeMap<PayerAlias, PayerNo>,
    pub(super) charges: BTreeMap<ChargeNo, Charge>,
    pub(super) trades: BTreeMap<TradeNo, Trade>,
    pub(super) postings: Vec<Posting>,
    pub(super) notices: Vec<Notice>,
    pub(super) events: Vec<Event>,
    pub(super) serial: i64,
    pub(super) now: Time,
    pub(super) rules: Rules,
}

pub(super) fn text(text: &str) -> secrecy::SecretString {
    text.to_owned().into()
}

pub(super) fn order_text() -> OrderText {
    OrderText {
        goods: text("상품1"),
        payer_no: text(""),
        payer_name: text("홍길동"),
        payer_phone: text(""),
        payer_email: text(""),
        define_1: text(""),
        define_2: text(""),
    }
}

impl Shop {
    /// A partner with one card and one account.
    pub(super) fn new() -> Shop {
        let partner = Partner {
            no: PARTNER,
            cst_id: "test".into(),
            name: "상점".into(),
            suspended: false,
            held: false,
            key_generation: 1,
            verifier: Verifier([7; 32]),
            webhook_url: None,
            sources: vec![],
            transfer_cap: None,
            made_at: Time(1),
            billing: BillingSettings::default(),
        };
        let mut shop = Shop {
            partner,
            ledger: Ledger::new(PARTNER),
            settlement: 0,
            payers: BTreeMap::new(),
            aliases: BTreeMap::new(),
            charges: BTreeMap::new(),
            trades: BTreeMap::new(),
            postings: vec![],
            notices: vec![],
            events: vec![],
            serial: 500,
            now: NOW,
            rules: Rules::OPEN,
        };
        shop.add(Method::Card, None).unwrap();
        shop.add(Method::Account, None).unwrap();
        shop
    }

    pub(super) fn add(
        &mut self,
        method: Method,
        alias: Option<PayerAlias>,
    ) -> Result<PayerNo, Code> {
        let instrument = Instrument {
            token: text("token"),
            number_masked: text("1111-****-****-2222"),
            holder: text("홍길동"),
            phone_masked: text("010-****-5678"),
        };
        let new = NewPayer {
            partner: PARTNER,
            method,
            owner: Owner::Person,
            org: "0200".into(),
            org_name: "BC카드".into(),
            instrument,
            alias,
        };
        match self.give(Actor::Partner, Command::AddPayer(Box::new(new)))? {
            Reply::Payer(no) => Ok(no),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn card(&self) -> PayerNo {
        *self.payers.keys().next().unwrap()
    }

    pub(super) fn account(&self) -> PayerNo {
        *self.payers.keys().nth(1).unwrap()
    }

    pub(super) fn view<'a>(&'a self, reads: &Reads<'_>) -> View<'a> {
        let receipt = |charge: &Charge| self.trades.get(&charge.receipt?);
        let charge = reads.charge.and_then(|no| self.charges.get(&no));
        let newest = |pick: &dyn Fn(&&Charge) -> bool| self.charges.values().rev().find(pick);
        let month =
            |(payer, month)| newest(&move |c: &&Charge| c.payer == payer && c.month == Some(month));
        View {
            partner: Some(&self.partner),
            ledger: Some(&self.ledger),
            payer: reads.payer.and_then(|no| self.payers.get(&no)),
            alias: reads.alias.and_then(|alias| self.aliases.get(&alias).copied()),
            ordered: reads.oid.and_then(|oid| newest(&move |c: &&Charge| c.oid == oid)),
            monthly: reads.monthly.and_then(month),
            charge: charge.or_else(|| self.charges.get(&self.trades.get(&reads.trade?)?.charge)),
            receipt: charge.and_then(receipt),
            charges: reads.charges.iter().filter_map(|no| self.charges.get(no)).collect(),
            trade: reads.trade.and_then(|no| self.trades.get(&no)),
            ..View::default()
        }
    }

    /// Decides twice, writes, and holds the books against the audit.
    pub(super) fn give(&mut self, actor: Actor, command: Command) -> Result<Reply, Code> {
        let order = Order { actor, command };
        let context = Context {
            now: self.now,
            serial: self.serial,
            epochs: &super::EPOCHS,
            rules: self.rules,
        };
        let reads = order.command.reads();
        let decided = decide(&self.view(&reads), &order, &context);
        let again = decide(&self.view(&reads), &order, &context);
        assert_eq!(format!("{decided:?}"), format!("{again:?}"));
        let change = decided.map_err(|refusal: Refusal| refusal.code)?;
        self.serial += change.serials;
        let quiet = change.writes.iter().all(|write| !matches!(write, Write::Event(_)));
        let inquiry = |write: &Write| matches!(write, Write::Charge(_) | Write::Trade(_));
        assert!(!quiet || change.writes.iter().all(inquiry), "{:?}", change.writes);
        for write in change.writes {
            self.write(write);
        }
        self.audit();
        Ok(change.reply)
    }

    pub(super) fn write(&mut self, write: Write) {
        match write {
            Write::Ledger(ledger) => self.ledger = ledger,
            Write::NewPayer(payer, _) => {
                self.aliases.extend(payer.alias.map(|alias| (alias, payer.no)));
                self.payers.insert(payer.no, payer);
            }
            Write::Payer(payer) => {
                self.payers.insert(payer.no, payer);
            }
            Write::NewCharge(charge, _) | Write::Charge(charge) => {
                self.charges.insert(charge.no, charge);
            }
            Write::Trade(trade) => {
                self.trades.insert(trade.no, trade);
            }
            Write::Posting(posting) => {
                let (debit, credit) = posting.entry.legs();
                let sign = i64::from(credit == Account::Settlement)
                    - i64::from(debit == Account::Settlement);
                self.settlement += sign * posting.amount.0;
                self.postings.push(posting);
            }
            Write::NewNotice(notice) => self.notices.push(notice),
            Write::Event(event) => self.events.push(event),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn audit(&self) {
        let mut audit = Audit::default();
        for posting in &self.postings {
            audit.posting(posting, 0);
        }
        for trade in self.trades.values() {
            audit.trade(trade.partner, trade.kind, trade.state, trade.amount.0);
        }
        let unsettled = self.charges.values().map(|charge| charge.unsettled().0).sum();
        let refunding = self.charges.values().map(|charge| charge.refunding.0).sum();
        audit.open_billing(PARTNER, unsettled, refunding);
        assert_eq!(audit.finish(std::slice::from_ref(&self.ledger), self.settlement), []);
        for charge in self.charges.values() {
            assert!(charge.left() >= Won::ZERO, "{charge:?}");
            let of = |kind, state: fn(TradeState) -> bool| -> i64 {
                let trades = self.trades.values().filter(|t| t.charge == charge.no);
                trades.filter(|t| t.kind == kind && state(t.state)).map(|t| t.amount.0).sum()
            };
            let done = of(TradeKind::Refund, |state| state == TradeState::Done);
            assert_eq!(
                (charge.refunded.0, charge.refunding.0),
                (done, of(TradeKind::Refund, TradeState::is_open))
            );
        }
    }

    pub(super) fn charge(
        &mut self,
        payer: PayerNo,
        oid: &str,
        amount: i64,
        month: Option<Month>,
    ) -> Result<(ChargeNo, TradeNo), Code> {
        let method = self.payers[&payer].method;
        let new = NewCharge {
            partner: PARTNER,
            method,
            payer: Some(payer),
            oid: oid.into(),
            month,
            amount: Won(amount),
            tax: Tax::of(Won(amount), true, None).unwrap(),
            order: order_text(),
        };
        trade_of(self.give(Actor::Partner, Command::Charge(Box::new(new)))?)
    }

    pub(super) fn refund(
        &mut self,
        charge: ChargeNo,
        amount: Option<i64>,
    ) -> Result<TradeNo, Code> {
        let new = NewRefund { partner: PARTNER, charge, amount: amount.map(Won), vat: None };
        let reply = self.give(Actor::Partner, Command::Refund(Box::new(new)))?;
        trade_of(reply).map(|(_, trade)| trade)
    }

    pub(super) fn receipt(&mut self, charge: ChargeNo, cancel: bool) -> Result<TradeNo, Code> {
        let new = NewReceipt { partner: PARTNER, charge, amount: None, cancel };
        let reply = self.give(Actor::Partner, Command::Receipt(Box::new(new)))?;
        trade_of(reply).map(|(_, trade)| trade)
    }

    pub(super) fn told(&mut self, trade: TradeNo, inquired: bool, answer: TradeAnswer) -> Reply {
        let charge = self.trades[&trade].charge;
        let told = TradeTold { partner: PARTNER, charge, trade, inquired, answer };
        self.give(Actor::Engine, Command::Traded(Box::new(told))).unwrap()
    }

    pub(super) fn settle(&mut self, charges: Vec<ChargeNo>) -> Reply {
        let through = self.now.day();
        let command = Command::SettleCharges { partner: PARTNER, through, charges };
        self.give(Actor::Operator("kim".into()), command).unwrap()
    }

    pub(super) fn balances(&self) -> [i64; 4] {
        let l = &self.ledger;
        [l.captured.0, l.available.0, l.refunding.0, l.receivable.0]
    }
}

pub(super) fn trade_of(reply: Reply) -> Result<(ChargeNo, TradeNo), Code> {
    match reply {
        Reply::Trade(both) => Ok((both.0.no, both.1.no)),
        other => panic!("{other:?}"),
    }
}

pub(super) fn done() -> TradeAnswer {
    TradeAnswer::Done(Approval { auth_no: "98123445".into(), ..Approval::default() })
}
