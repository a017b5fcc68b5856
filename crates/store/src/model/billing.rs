//! The model's half for payers and payments.

use crate::billing::PayerRow;
use ichae_domain::billing::{Charge, ChargeState, Month, OrderText, PayerAlias, Trade};
use ichae_domain::command::Reads;
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::time::Day;
use ichae_domain::view::{View, Write};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct BillingRows {
    pub payers: BTreeMap<PayerNo, PayerRow>,
    pub aliases: BTreeMap<(PartnerNo, PayerAlias), PayerNo>,
    pub charges: BTreeMap<ChargeNo, (Charge, OrderText)>,
    pub trades: BTreeMap<TradeNo, Trade>,
}

impl BillingRows {
    pub(super) fn view<'a>(&'a self, reads: &Reads<'_>, view: View<'a>) -> View<'a> {
        let trade = reads.trade.and_then(|no| self.trades.get(&no));
        let charge = reads.charge.or(trade.map(|trade| trade.charge));
        let charge = charge.and_then(|no| self.charges.get(&no)).map(|(charge, _)| charge);
        let receipt = |charge: &Charge| self.trades.get(&charge.receipt?);
        let charges = reads.charges.iter().filter_map(|no| self.charges.get(no));
        View {
            payer: reads.payer.and_then(|no| self.payers.get(&no)).map(|(payer, _)| payer),
            alias: reads
                .partner
                .zip(reads.alias)
                .and_then(|place| self.aliases.get(&place).copied()),
            ordered: reads.partner.zip(reads.oid).and_then(|(no, oid)| self.by_oid(no, oid, None)),
            monthly: reads.monthly.and_then(|(payer, month)| self.by_month(payer, month)),
            charge,
            receipt: charge.and_then(receipt),
            charges: charges.map(|(charge, _)| charge).collect(),
            trade,
            ..view
        }
    }

    pub(crate) fn by_oid(
        &self,
        partner: PartnerNo,
        oid: &str,
        day: Option<Day>,
    ) -> Option<&Charge> {
        let named = |c: &&Charge| {
            c.partner == partner && c.oid == oid && day.is_none_or(|day| c.day == day)
        };
        that_counts(self.charges.values().map(|(charge, _)| charge).filter(named))
    }

    pub(crate) fn by_month(&self, payer: PayerNo, month: Month) -> Option<&Charge> {
        let named = |c: &&Charge| c.payer == payer && c.month == Some(month);
        that_counts(self.charges.values().map(|(charge, _)| charge).filter(named))
    }

    /// Gives back what is none of its own.
    pub(super) fn write(&mut self, write: Write) -> Option<Write> {
        match write {
            Write::NewPayer(payer, instrument) => {
                let alias = payer.alias.map(|alias| ((payer.partner, alias), payer.no));
                self.aliases.extend(alias);
                self.payers.insert(payer.no, (payer, instrument));
            }
            Write::Payer(payer) => {
                if let Some(row) = self.payers.get_mut(&payer.no) {
                    row.0 = payer;
                }
            }
            Write::NewCharge(charge, texts) => {
                self.charges.insert(charge.no, (charge, texts));
            }
            Write::Charge(charge) => {
                if let Some(row) = self.charges.get_mut(&charge.no) {
                    row.0 = charge;
                }
            }
            Write::Trade(trade) => {
                self.trades.insert(trade.no, trade);
            }
            other => return Some(other),
        }
        None
    }
}

/// One that did not fail, of which there is one at most; else the newest.
fn that_counts<'a>(named: impl Iterator<Item = &'a Charge>) -> Option<&'a Charge> {
    named.max_by_key(|charge| (charge.state != ChargeState::Failed, charge.at, charge.no))
}
