//! Reads about payers, payments and calls to the acquirer.

use super::load::THAT_COUNTS;
use super::pool::{Params, PostgresReader, most, params};
use super::read::mine;
use super::shards::served;
use crate::billing::{BillingReader, ChargeRow, PayerQuery, PayerRow};
use crate::port::StoreError;
use crate::rows::billing::{
    CHARGE, CHARGE_COLUMNS, PAYER, PAYER_COLUMNS, TRADE, charge, payer, trade,
};
use crate::rows::{Cells, Raw};
use ichae_domain::billing::{Charge, Trade};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::time::{Day, Time};
use std::collections::HashMap;
use tokio_postgres::Row as Found;

type Read<T> = Result<T, StoreError>;

/// Columns of a row from one on.
struct From<'a>(&'a Found, usize);

impl Cells for From<'_> {
    type Error = StoreError;

    fn raw(&self, at: usize) -> Read<Raw<'_>> {
        self.0.raw(self.1 + at)
    }

    fn bad(at: usize) -> StoreError {
        Found::bad(at)
    }
}

/// Where the columns of a whole payment begin: itself, its texts, its payer, what stands behind that, a call.
const TEXTS_AT: usize = CHARGE_COLUMNS;
const PAYER_AT: usize = TEXTS_AT + 1;
const INSTRUMENT_AT: usize = PAYER_AT + PAYER_COLUMNS;
const TRADE_AT: usize = INSTRUMENT_AT + 1;

/// Intents without an answer, by the node that made each; the condition on it is left open.
const OF_ENDED: &str = "WHERE state IN (1, 2) AND state = 1 AND no > $1 AND EXISTS \
     (SELECT 1 FROM nodes n WHERE n.no = trades.node";
const IN_ORDER: &str = "ORDER BY no LIMIT $2";

impl PostgresReader {
    fn payer_row(&self, r: &Found) -> Read<PayerRow> {
        let payer = payer(r)?;
        let sealed: Vec<u8> = r.try_get(PAYER_COLUMNS)?;
        let instrument = self.sealer().open_instrument(payer.no.0, &sealed)?;
        Ok((payer, instrument))
    }

    /// With its payer and its calls, in one statement. `find` picks one row of `charges`.
    fn whole_charge(&self, find: &str, params: Params) -> Read<Option<ChargeRow>> {
        let trades = TRADE.split(", ").map(|column| format!("t.{}", column.trim()));
        let trades = trades.collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {CHARGE}, c.texts, {PAYER}, y.instrument, {trades} \
             FROM (SELECT * FROM charges c WHERE {find} ORDER BY {THAT_COUNTS} LIMIT 1) c \
             JOIN payers y ON y.no = c.payer JOIN trades t ON t.charge = c.no ORDER BY t.no"
        );
        let found = self.ask(sql, params)?;
        let Some(first) = found.first() else { return Ok(None) };
        let charge = charge(first)?;
        let (texts, instrument): (Vec<u8>, Vec<u8>) =
            (first.try_get(TEXTS_AT)?, first.try_get(INSTRUMENT_AT)?);
        let payer = payer(&From(first, PAYER_AT))?;
        let trades = found.iter().map(|r| trade(&From(r, TRADE_AT)));
        Ok(Some(ChargeRow {
            texts: self.sealer().open_order(charge.no.0, &texts)?,
            instrument: self.sealer().open_instrument(payer.no.0, &instrument)?,
            trades: trades.collect::<Read<_>>()?,
            charge,
            payer,
        }))
    }

    fn trades_by(&self, tail: &str, params: Params) -> Read<Vec<Trade>> {
        self.work(format!("SELECT {TRADE} FROM trades {tail}"), params, trade)
    }
}

impl BillingReader for PostgresReader {
    fn payers_by(&self, queries: &[PayerQuery]) -> Read<Vec<Option<PayerRow>>> {
        // Both ways are gone for each of them, whatever was sent: what does not exist costs what a key costs.
        let sql = format!(
            "SELECT {PAYER}, y.instrument, w.at FROM \
             unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[]) \
             AS w (partner, no, alias, at) CROSS JOIN LATERAL \
             (SELECT * FROM payers y WHERE y.no = coalesce(w.no, (SELECT a.no FROM payers a \
              WHERE a.partner = w.partner AND a.alias = w.alias AND a.alias IS NOT NULL))) y \
             WHERE y.partner = w.partner"
        );
        let partners: Vec<i64> = queries.iter().map(|q| q.partner.0).collect();
        let numbers: Vec<Option<i64>> = queries.iter().map(|q| q.no.map(|no| no.0)).collect();
        let aliases: Vec<Option<Vec<u8>>> =
            queries.iter().map(|q| q.alias.map(|alias| alias.0.to_vec())).collect();
        let places: Vec<i64> = (0..most(queries.len())).collect();
        let found = self.ask(sql, params![partners, numbers, aliases, places])?;
        let mut rows: HashMap<i64, PayerRow> = HashMap::new();
        for r in &found {
            rows.insert(r.try_get(PAYER_COLUMNS + 1)?, self.payer_row(r)?);
        }
        Ok((0..most(queries.len())).map(|place| rows.remove(&place)).collect())
    }

    fn payers(&self, partner: PartnerNo, after: PayerNo, limit: usize) -> Read<Vec<PayerRow>> {
        let sql = format!(
            "SELECT {PAYER}, y.instrument FROM payers y WHERE y.partner = $1 AND y.no > $2 \
             ORDER BY y.no LIMIT $3"
        );
        self.all(sql, params![partner.0, after.0, most(limit)], |r| self.payer_row(r))
    }

    fn charge(&self, no: ChargeNo) -> Read<Option<ChargeRow>> {
        self.whole_charge("c.no = $1", params![no.0])
    }

    fn charge_by_oid(
        &self,
        partner: PartnerNo,
        oid: &str,
        day: Option<Day>,
    ) -> Read<Option<ChargeRow>> {
        let find = "c.partner = $1 AND c.oid = $2 AND ($3::int IS NULL OR c.day = $3)";
        self.whole_charge(find, params![partner.0, oid.to_owned(), day.map(|day| day.0)])
    }

    fn charges(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Charge>> {
        let sql = format!(
            "SELECT {CHARGE} FROM charges c WHERE c.partner = $1 ORDER BY c.no DESC LIMIT $2"
        );
        self.all(sql, params![partner.0, most(limit)], charge)
    }

    fn unsettled(
        &self,
        partner: PartnerNo,
        through: Day,
        after: ChargeNo,
        limit: usize,
    ) -> Read<Vec<ChargeNo>> {
        let sql = "SELECT no FROM charges WHERE settled_at IS NULL AND state = 3 AND partner = $1 \
                   AND no > $2 AND day <= $3 AND refunding = 0 ORDER BY no LIMIT $4";
        let params = params![partner.0, after.0, through.0, most(limit)];
        self.all(sql.to_owned(), params, |r| Ok(ChargeNo(r.try_get(0)?)))
    }

    fn trade(&self, no: TradeNo) -> Read<Option<Trade>> {
        self.one(format!("SELECT {TRADE} FROM trades WHERE no = $1"), params![no.0], trade)
    }

    fn asking(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        let tail = format!(
            "{OF_ENDED} AND (n.no = $3 OR n.ended_at IS NOT NULL)) AND {} {IN_ORDER}",
            served("partner")
        );
        self.trades_by(&tail, params![after.0, most(limit), self.node()])
    }

    fn abandoned_trades(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        let tail =
            format!("{OF_ENDED} AND n.ended_at IS NOT NULL) AND {} {IN_ORDER}", served("partner"));
        self.trades_by(&tail, params![after.0, most(limit)])
    }

    fn unknown_trades(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        let tail = format!(
            "WHERE state IN (1, 2) AND state = 2 AND no > $1 AND {} ORDER BY no LIMIT $2",
            served("partner")
        );
        self.all(format!("SELECT {TRADE} FROM trades {tail}"), params![after.0, most(limit)], trade)
    }

    fn due_trades(&self, now: Time, limit: usize) -> Read<Vec<Trade>> {
        let (count, place) = self.share();
        let tail = format!(
            "WHERE inquire_at <= $3 AND inquire_at IS NOT NULL AND {} \
             ORDER BY inquire_at, no LIMIT $4",
            mine("partner")
        );
        self.trades_by(&tail, params![count, place, now.0, most(limit)])
    }
}
