//! The reference model's half for payers and payments.

use super::MemoryReader;
use crate::billing::{BillingReader, ChargeRow, PayerQuery, PayerRow};
use crate::model::BillingRows;
use crate::port::StoreError;
use ichae_domain::billing::{Charge, ChargeState, Instrument, Payer, Trade, TradeState};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::money::Won;
use ichae_domain::time::{Day, Time};

impl BillingRows {
    fn row(&self, charge: &Charge) -> Option<ChargeRow> {
        let (charge, texts) = self.charges.get(&charge.no)?;
        let (payer, instrument): &(Payer, Instrument) = self.payers.get(&charge.payer)?;
        Some(ChargeRow {
            charge: charge.clone(),
            texts: texts.clone(),
            payer: payer.clone(),
            instrument: instrument.clone(),
            trades: self.trades.values().filter(|t| t.charge == charge.no).cloned().collect(),
        })
    }

    fn in_state(&self, state: TradeState, after: TradeNo, limit: usize) -> Vec<Trade> {
        let later = self.trades.range(TradeNo(after.0 + 1)..).map(|(_, trade)| trade);
        later.filter(|trade| trade.state == state).take(limit).cloned().collect()
    }
}

type Read<T> = Result<T, StoreError>;

impl BillingReader for MemoryReader {
    fn payers_by(&self, queries: &[PayerQuery]) -> Read<Vec<Option<PayerRow>>> {
        let rows = self.rows_now();
        let billing = &rows.billing;
        let find = |query: &PayerQuery| {
            let alias = || billing.aliases.get(&(query.partner, query.alias?)).copied();
            let row = billing.payers.get(&query.no.or_else(alias)?)?;
            (row.0.partner == query.partner).then(|| row.clone())
        };
        Ok(queries.iter().map(find).collect())
    }

    fn payers(&self, partner: PartnerNo, after: PayerNo, limit: usize) -> Read<Vec<PayerRow>> {
        let rows = self.rows_now();
        let later = rows.billing.payers.range(PayerNo(after.0 + 1)..).map(|(_, row)| row);
        Ok(later.filter(|(payer, _)| payer.partner == partner).take(limit).cloned().collect())
    }

    fn charge(&self, no: ChargeNo) -> Read<Option<ChargeRow>> {
        let rows = self.rows_now();
        Ok(rows.billing.charges.get(&no).and_then(|(charge, _)| rows.billing.row(charge)))
    }

    fn charge_by_oid(
        &self,
        partner: PartnerNo,
        oid: &str,
        day: Option<Day>,
    ) -> Read<Option<ChargeRow>> {
        let rows = self.rows_now();
        Ok(rows.billing.by_oid(partner, oid, day).and_then(|charge| rows.billing.row(charge)))
    }

    fn charges(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Charge>> {
        let rows = self.rows_now();
        let newest = rows.billing.charges.values().rev().map(|(charge, _)| charge);
        Ok(newest.filter(|charge| charge.partner == partner).take(limit).cloned().collect())
    }

    fn unsettled(
        &self,
        partner: PartnerNo,
        through: Day,
        after: ChargeNo,
        limit: usize,
    ) -> Read<Vec<ChargeNo>> {
        let rows = self.rows_now();
        let due = |charge: &&Charge| {
            charge.partner == partner
                && charge.no > after
                && charge.state == ChargeState::Captured
                && charge.settled_at.is_none()
                && charge.day <= through
                && charge.refunding == Won::ZERO
        };
        let charges = rows.billing.charges.values().map(|(charge, _)| charge);
        Ok(charges.filter(due).take(limit).map(|charge| charge.no).collect())
    }

    fn trade(&self, no: TradeNo) -> Read<Option<Trade>> {
        Ok(self.rows_now().billing.trades.get(&no).cloned())
    }

    fn asking(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        Ok(self.rows_now().billing.in_state(TradeState::Asking, after, limit))
    }

    fn unknown_trades(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        Ok(self.rows_now().billing.in_state(TradeState::Unknown, after, limit))
    }

    fn due_trades(&self, now: Time, limit: usize) -> Read<Vec<Trade>> {
        let rows = self.rows_now();
        let due = |t: &&Trade| t.inquire_at.is_some_and(|at| at <= now);
        let mut due: Vec<Trade> = rows.billing.trades.values().filter(due).cloned().collect();
        due.sort_by_key(|trade| (trade.inquire_at, trade.no));
        due.truncate(limit);
        Ok(due)
    }
}
