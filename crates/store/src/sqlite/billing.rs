//! Payers, payments and calls to the acquirer: rows to domain types, what is written, what is read.

use super::read::{SqliteReader, most};
use super::row::{CHARGE, CHARGE_COLUMNS, PAYER, PAYER_COLUMNS, TRADE, charge, payer, trade};
use crate::billing::{BillingReader, ChargeRow, PayerQuery, PayerRow};
use crate::port::StoreError;
use crate::seal::Sealer;
use ichae_domain::billing::{
    Charge, Instrument, Month, OrderText, Payer, PayerAlias, Trade, TradeWhy,
};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::time::{Day, Time};
use rusqlite::{Connection, OptionalExtension, Row, params};

type Done = Result<(), StoreError>;
type Read<T> = Result<T, StoreError>;

pub(super) fn new_payer(
    db: &Connection,
    sealer: &Sealer,
    p: &Payer,
    instrument: &Instrument,
) -> Done {
    let sql = "INSERT INTO payers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    db.prepare_cached(sql)?.execute(params![
        p.no.0,
        p.partner.0,
        p.method as i64,
        p.owner as i64,
        p.org,
        p.org_name,
        p.alias.map(|alias| alias.0),
        p.made_at.0,
        p.removed_at.map(|at| at.0),
        sealer.seal_instrument(p.no.0, instrument)?,
    ])?;
    Ok(())
}

/// Only its end can change.
pub(super) fn end_payer(db: &Connection, p: &Payer) -> Done {
    let sql = "UPDATE payers SET removed_at = ?2 WHERE no = ?1";
    db.prepare_cached(sql)?.execute(params![p.no.0, p.removed_at.map(|at| at.0)])?;
    Ok(())
}

pub(super) fn new_charge(db: &Connection, sealer: &Sealer, c: &Charge, texts: &OrderText) -> Done {
    let sql = "INSERT INTO charges VALUES \
               (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
    db.prepare_cached(sql)?.execute(params![
        c.no.0,
        c.partner.0,
        c.payer.0,
        c.method as i64,
        c.oid,
        c.month.map(|month| month.0),
        c.amount.0,
        c.tax.taxed,
        c.tax.vat.0,
        c.at.0,
        c.day.0,
        c.state as i64,
        c.pay.0,
        c.refunded.0,
        c.refunding.0,
        c.refund_vat.0,
        c.settled_at.map(|at| at.0),
        c.receipt.map(|no| no.0),
        sealer.seal_order(c.no.0, texts)?,
    ])?;
    Ok(())
}

pub(super) fn update_charge(db: &Connection, c: &Charge) -> Done {
    let sql = "UPDATE charges SET state = ?2, refunded = ?3, refunding = ?4, refund_vat = ?5, \
               settled_at = ?6, receipt = ?7 WHERE no = ?1";
    db.prepare_cached(sql)?.execute(params![
        c.no.0,
        c.state as i64,
        c.refunded.0,
        c.refunding.0,
        c.refund_vat.0,
        c.settled_at.map(|at| at.0),
        c.receipt.map(|no| no.0),
    ])?;
    Ok(())
}

pub(super) fn put_trade(db: &Connection, t: &Trade) -> Done {
    let sql = "INSERT INTO trades VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
               ?14, ?15, ?16, ?17, ?18, ?19) \
               ON CONFLICT (no) DO UPDATE SET state = ?11, reason = ?12, why = ?13, \
               answered_at = ?14, inquiries = ?15, inquire_at = ?16, auth_no = ?17, \
               receipt_no = ?18, receipt_reason = ?19";
    let approval = t.approval.as_ref();
    db.prepare_cached(sql)?.execute(params![
        t.no.0,
        t.charge.0,
        t.partner.0,
        t.kind as i64,
        t.amount.0,
        t.vat.0,
        t.from_captured.0,
        t.undoes.map(|no| no.0),
        t.epoch,
        t.at.0,
        t.state as i64,
        t.reason.map(|reason| reason.0),
        t.why.map(TradeWhy::number),
        t.answered_at.map(|at| at.0),
        t.inquiries,
        t.inquire_at.map(|at| at.0),
        approval.map(|a| a.auth_no.as_str()),
        approval.and_then(|a| a.receipt_no.as_deref()),
        approval.and_then(|a| a.receipt_reason).map(|reason| reason.0),
    ])?;
    Ok(())
}

/// What a command names, read anew for each: no later one is likely to name the same.
pub(super) fn load_payer(db: &Connection, no: PayerNo) -> Read<Option<Payer>> {
    let sql = format!("SELECT {PAYER} FROM payers y WHERE y.no = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([no.0], payer).optional()?)
}

pub(super) fn load_alias(
    db: &Connection,
    partner: PartnerNo,
    alias: PayerAlias,
) -> Read<Option<PayerNo>> {
    let sql = "SELECT no FROM payers WHERE partner = ?1 AND alias = ?2 AND alias IS NOT NULL";
    let mut found = db.prepare_cached(sql)?;
    Ok(found.query_row(params![partner.0, alias.0], |r| r.get(0).map(PayerNo)).optional()?)
}

pub(super) fn load_charge(db: &Connection, no: ChargeNo) -> Read<Option<Charge>> {
    let sql = format!("SELECT {CHARGE} FROM charges c WHERE c.no = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([no.0], charge).optional()?)
}

pub(super) fn load_by_oid(db: &Connection, partner: PartnerNo, oid: &str) -> Read<Option<Charge>> {
    let sql = format!(
        "SELECT {CHARGE} FROM charges c WHERE c.partner = ?1 AND c.oid = ?2 \
         ORDER BY c.no DESC LIMIT 1"
    );
    Ok(db.prepare_cached(&sql)?.query_row(params![partner.0, oid], charge).optional()?)
}

pub(super) fn load_by_month(db: &Connection, payer: PayerNo, month: Month) -> Read<Option<Charge>> {
    let sql = format!(
        "SELECT {CHARGE} FROM charges c WHERE c.payer = ?1 AND c.month = ?2 \
         AND c.month IS NOT NULL ORDER BY c.no DESC LIMIT 1"
    );
    Ok(db.prepare_cached(&sql)?.query_row(params![payer.0, month.0], charge).optional()?)
}

pub(super) fn load_trade(db: &Connection, no: TradeNo) -> Read<Option<Trade>> {
    let sql = format!("SELECT {TRADE} FROM trades WHERE no = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([no.0], trade).optional()?)
}

/// A payer whose instrument is still sealed.
type SealedPayer = (Payer, Vec<u8>);

fn sealed_payer(row: &Row<'_>) -> rusqlite::Result<SealedPayer> {
    Ok((payer(row)?, row.get(PAYER_COLUMNS)?))
}

fn payers_in(db: &Connection, queries: &[PayerQuery]) -> Read<Vec<Option<SealedPayer>>> {
    let sql = format!("SELECT {PAYER}, y.instrument FROM payers y WHERE y.no = ?1");
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = Vec::with_capacity(queries.len());
    for query in queries {
        let no = match (query.no, query.alias) {
            (Some(no), _) => Some(no),
            (None, Some(alias)) => load_alias(db, query.partner, alias)?,
            (None, None) => None,
        };
        // A number that no row has: what does not exist costs the reads that a key costs.
        let no = no.map_or(0, |no| no.0);
        let row = statement.query_row([no], sealed_payer).optional()?;
        found.push(row.filter(|(payer, _)| payer.partner == query.partner));
    }
    Ok(found)
}

const CHARGE_ROW_TEXTS: usize = CHARGE_COLUMNS;

struct SealedCharge {
    charge: Charge,
    texts: Vec<u8>,
}

fn sealed_charge(row: &Row<'_>) -> rusqlite::Result<SealedCharge> {
    Ok(SealedCharge { charge: charge(row)?, texts: row.get(CHARGE_ROW_TEXTS)? })
}

impl SqliteReader {
    fn open_payer(&self, (payer, sealed): SealedPayer) -> Read<PayerRow> {
        let instrument = self.sealer().open_instrument(payer.no.0, &sealed)?;
        Ok((payer, instrument))
    }

    /// With its payer and its calls, in one snapshot.
    fn whole_charge(
        &self,
        find: impl FnOnce(&Connection) -> Read<Option<SealedCharge>>,
    ) -> Read<Option<ChargeRow>> {
        let found = self.with(|db| {
            db.prepare_cached("BEGIN")?.execute([])?;
            let found = find(db).and_then(|found| match found {
                Some(sealed) => Ok(Some(with_rows(db, sealed)?)),
                None => Ok(None),
            });
            db.prepare_cached("COMMIT")?.execute([])?;
            found
        })?;
        let Some((SealedCharge { charge, texts }, payer, trades)) = found else { return Ok(None) };
        let texts = self.sealer().open_order(charge.no.0, &texts)?;
        let (payer, instrument) = self.open_payer(payer)?;
        Ok(Some(ChargeRow { charge, texts, payer, instrument, trades }))
    }

    fn trades_by(&self, sql: &str, params: impl rusqlite::Params) -> Read<Vec<Trade>> {
        self.all(sql, params, trade)
    }
}

type WithRows = (SealedCharge, SealedPayer, Vec<Trade>);

fn with_rows(db: &Connection, sealed: SealedCharge) -> Read<WithRows> {
    let sql = format!("SELECT {PAYER}, y.instrument FROM payers y WHERE y.no = ?1");
    let payer = db.prepare_cached(&sql)?.query_row([sealed.charge.payer.0], sealed_payer)?;
    let sql = format!("SELECT {TRADE} FROM trades WHERE charge = ?1 ORDER BY no");
    let mut trades = db.prepare_cached(&sql)?;
    let trades = trades.query_map([sealed.charge.no.0], trade)?.collect::<Result<_, _>>()?;
    Ok((sealed, payer, trades))
}

impl BillingReader for SqliteReader {
    fn payers_by(&self, queries: &[PayerQuery]) -> Read<Vec<Option<PayerRow>>> {
        let sealed = self.with(|db| {
            // One transaction: taking and leaving a snapshot costs more than the look-up itself.
            db.prepare_cached("BEGIN")?.execute([])?;
            let found = payers_in(db, queries);
            db.prepare_cached("COMMIT")?.execute([])?;
            found
        })?;
        let open = |sealed: Option<SealedPayer>| sealed.map(|row| self.open_payer(row)).transpose();
        sealed.into_iter().map(open).collect()
    }

    fn payers(&self, partner: PartnerNo, after: PayerNo, limit: usize) -> Read<Vec<PayerRow>> {
        let sql = format!(
            "SELECT {PAYER}, y.instrument FROM payers y WHERE y.partner = ?1 AND y.no > ?2 \
             ORDER BY y.no LIMIT ?3"
        );
        let found = self.all(&sql, params![partner.0, after.0, most(limit)], sealed_payer)?;
        found.into_iter().map(|row| self.open_payer(row)).collect()
    }

    fn charge(&self, no: ChargeNo) -> Read<Option<ChargeRow>> {
        self.whole_charge(|db| {
            let sql = format!("SELECT {CHARGE}, c.texts FROM charges c WHERE c.no = ?1");
            Ok(db.prepare_cached(&sql)?.query_row([no.0], sealed_charge).optional()?)
        })
    }

    fn charge_by_oid(
        &self,
        partner: PartnerNo,
        oid: &str,
        day: Option<Day>,
    ) -> Read<Option<ChargeRow>> {
        self.whole_charge(|db| {
            let sql = format!(
                "SELECT {CHARGE}, c.texts FROM charges c WHERE c.partner = ?1 AND c.oid = ?2 \
                 AND (?3 IS NULL OR c.day = ?3) ORDER BY c.no DESC LIMIT 1"
            );
            let mut found = db.prepare_cached(&sql)?;
            let params = params![partner.0, oid, day.map(|day| day.0)];
            Ok(found.query_row(params, sealed_charge).optional()?)
        })
    }

    fn charges(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Charge>> {
        let sql = format!(
            "SELECT {CHARGE} FROM charges c WHERE c.partner = ?1 ORDER BY c.no DESC LIMIT ?2"
        );
        self.all(&sql, params![partner.0, most(limit)], charge)
    }

    fn unsettled(
        &self,
        partner: PartnerNo,
        through: Day,
        after: ChargeNo,
        limit: usize,
    ) -> Read<Vec<ChargeNo>> {
        let sql = "SELECT no FROM charges WHERE settled_at IS NULL AND state = 3 AND partner = ?1 \
                   AND no > ?2 AND day <= ?3 AND refunding = 0 ORDER BY no LIMIT ?4";
        let params = params![partner.0, after.0, through.0, most(limit)];
        self.all(sql, params, |r| r.get(0).map(ChargeNo))
    }

    fn trade(&self, no: TradeNo) -> Read<Option<Trade>> {
        self.with(|db| load_trade(db, no))
    }

    fn asking(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        let sql = format!("SELECT {TRADE} FROM trades {ASKING}");
        self.trades_by(&sql, params![after.0, most(limit)])
    }

    fn unknown_trades(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>> {
        let sql = format!("SELECT {TRADE} FROM trades {UNKNOWN_TRADES}");
        self.trades_by(&sql, params![after.0, most(limit)])
    }

    fn due_trades(&self, now: Time, limit: usize) -> Read<Vec<Trade>> {
        let sql = format!("SELECT {TRADE} FROM trades {DUE_TRADES}");
        self.trades_by(&sql, params![now.0, most(limit)])
    }
}

/// What the engine asks for again and again, whole.
#[cfg(test)]
pub(super) fn engine_statements() -> [String; 4] {
    let unsettled =
        "SELECT no FROM charges WHERE settled_at IS NULL AND state = 3 AND partner = ?1";
    let whole = |tail: &str| format!("SELECT no FROM trades {tail}");
    [whole(ASKING), whole(UNKNOWN_TRADES), whole(DUE_TRADES), unsettled.to_owned()]
}

/// As in [`super::statements`]: a partial index is taken only word by word.
pub(super) const ASKING: &str =
    "WHERE state IN (1, 2) AND state = 1 AND no > ?1 ORDER BY no LIMIT ?2";
pub(super) const UNKNOWN_TRADES: &str =
    "WHERE state IN (1, 2) AND state = 2 AND no > ?1 ORDER BY no LIMIT ?2";
pub(super) const DUE_TRADES: &str =
    "WHERE inquire_at <= ?1 AND inquire_at IS NOT NULL ORDER BY inquire_at LIMIT ?2";
