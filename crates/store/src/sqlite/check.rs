//! `ichae check`: reads a store, also a live one, in slices and recomputes everything.
//!
//! A slice is one short read transaction: first the postings since the slice before, then the next
//! payouts. A posting about a payout that was already counted moves it from the state it was
//! counted in to the next, so the result is exact although rows move on meanwhile, and no
//! transaction holds the WAL for long.

use super::distinct::counted;
use super::row;
use super::unique::Unique;
use crate::port::StoreError;
use crate::recount::{Chains, counters};
use crate::report::Report;
use crate::seal::Sealer;
use ichae_domain::audit::Audit;
use ichae_domain::group::Mode;
use ichae_domain::ident::{GroupNo, PartnerNo, PayoutNo, TradeNo};
use ichae_domain::ledger::{Entry, Ledger, Posting, Subject};
use ichae_domain::payout::{State, state_of};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::path::Path;

/// How much one slice reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slices {
    pub payouts: i64,
    /// Before the first payout is counted.
    pub postings: i64,
}

const SLICES: Slices = Slices { payouts: 20_000, postings: 50_000 };

struct Run<'a> {
    db: Connection,
    sealer: &'a Sealer,
    slices: Slices,
    audit: Audit,
    chains: Chains,
    posted: i64,
    /// Payouts up to here are counted.
    counted: PayoutNo,
    /// Calls to the acquirer up to here are counted.
    counted_trades: TradeNo,
    /// Groups that were seen with rows which wait or are unclaimed, whatever their counters say.
    loose: BTreeSet<i64>,
    unique: Unique,
    /// Rows up to the watermark of the distinct keys' runs, and how many there should be.
    in_runs: (i64, i64, i64),
}

/// Recomputes every balance from the postings, verifies every hash chain, and compares what is
/// held, settled, refused, returned and canceled with the rows that are. `progress` is told payouts
/// read and the highest number there is.
pub fn check(
    file: &Path,
    sealer: &Sealer,
    progress: impl FnMut(i64, i64),
) -> Result<Report, StoreError> {
    check_in(file, sealer, SLICES, progress)
}

/// As [`check`], in slices of another size.
pub(crate) fn check_in(
    file: &Path,
    sealer: &Sealer,
    slices: Slices,
    mut progress: impl FnMut(i64, i64),
) -> Result<Report, StoreError> {
    let db = super::read::connect(file)?;
    super::open::compare_keys(&db, &sealer.keys())?;
    let in_runs = counted(file)?.map_or((0, 0, 0), |runs| (runs.watermark, 0, runs.rows));
    let mut run = Run {
        db,
        sealer,
        slices,
        audit: Audit::default(),
        chains: Chains::default(),
        posted: 0,
        counted: PayoutNo(0),
        counted_trades: TradeNo(0),
        loose: BTreeSet::new(),
        unique: Unique::new()?,
        in_runs,
    };
    run.integrity()?;
    while run.catch_up()? {}
    loop {
        let (more, last) = run.slice()?;
        progress(run.counted.0, last);
        if !more {
            break;
        }
    }
    run.finish()
}

impl Run<'_> {
    fn integrity(&mut self) -> Result<(), StoreError> {
        let verdict: String = self.db.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
        if verdict != "ok" {
            self.audit.find(format!("the database file is damaged: {verdict}"));
        }
        Ok(())
    }

    /// Postings only, before any payout is counted. Says whether there may be more.
    fn catch_up(&mut self) -> Result<bool, StoreError> {
        let before = self.posted;
        self.read_postings(self.slices.postings)?;
        Ok(self.posted - before >= self.slices.postings)
    }

    /// One short transaction. Says whether payouts are left, and the highest payout's number.
    fn slice(&mut self) -> Result<(bool, i64), StoreError> {
        self.db.execute_batch("BEGIN")?;
        let done = self.read_postings(i64::MAX).and_then(|()| {
            let (more, last) = self.read_payouts()?;
            Ok((self.read_trades()? || more, last))
        });
        self.db.execute_batch("COMMIT")?;
        done
    }

    /// The next calls to the acquirer. Says whether there may be more.
    fn read_trades(&mut self) -> Result<bool, StoreError> {
        let sql = format!("SELECT {} FROM trades WHERE no > ?1 ORDER BY no LIMIT ?2", row::TRADE);
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query([self.counted_trades.0, self.slices.payouts])?;
        let mut read = 0;
        while let Some(r) = rows.next()? {
            let trade = row::trade(r)?;
            self.counted_trades = trade.no;
            self.audit.trade(trade.partner, trade.kind, trade.state, trade.amount.0);
            read += 1;
        }
        Ok(read == self.slices.payouts)
    }

    /// What payments still bring and what refunds may take: few of all, by their indexes.
    fn open_billing(&mut self) -> Result<(), StoreError> {
        let unsettled = "SELECT partner, sum(amount - refunded - refunding), 0 FROM charges \
                         WHERE settled_at IS NULL AND state = 3 GROUP BY partner";
        let refunding = "SELECT partner, 0, sum(amount) FROM trades \
                         WHERE state IN (1, 2) AND kind = 2 GROUP BY partner";
        for sql in [unsettled, refunding] {
            let mut rows = self.db.prepare(sql)?;
            let mut rows = rows.query([])?;
            while let Some(r) = rows.next()? {
                self.audit.open_billing(PartnerNo(r.get(0)?), r.get(1)?, r.get(2)?);
            }
        }
        let off: i64 = self.db.query_row(
            "SELECT count(*) FROM charges c WHERE c.refunded + c.refunding <> 0 AND \
             (c.refunded, c.refunding) IS NOT \
             (SELECT ifnull(sum(amount) FILTER (WHERE state = 3), 0), \
              ifnull(sum(amount) FILTER (WHERE state IN (1, 2)), 0) \
              FROM trades t WHERE t.charge = c.no AND t.kind = 2)",
            [],
            |r| r.get(0),
        )?;
        if off != 0 {
            self.audit.find(format!("{off} payments do not sum up to their refunds"));
        }
        Ok(())
    }

    fn read_postings(&mut self, most: i64) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {}, hash, no FROM postings WHERE no > ?1 ORDER BY no LIMIT ?2",
            row::POSTING
        );
        let mut statement = self.db.prepare(&sql)?;
        let mut rows = statement.query([self.posted, most])?;
        let mut lines: Vec<(Posting, Vec<u8>)> = Vec::new();
        while let Some(r) = rows.next()? {
            lines.push((row::posting(r)?, r.get(6)?));
            self.posted = r.get(7)?;
        }
        drop(rows);
        drop(statement);
        for (posting, hash) in lines {
            if let Some(text) = self.chains.line(self.sealer, &posting, &hash) {
                self.audit.find(text);
            }
            let counted = self.counted_part(&posting)?;
            self.audit.posting(&posting, counted);
        }
        Ok(())
    }

    /// How much of a posting is about payouts that are counted already.
    fn counted_part(&self, posting: &Posting) -> Result<i64, StoreError> {
        let moves = match posting.entry {
            Entry::Settle
            | Entry::Refuse
            | Entry::Cancel
            | Entry::Return
            | Entry::ReturnOwed
            | Entry::Correct
            | Entry::Capture
            | Entry::Refund => true,
            Entry::Fund
            | Entry::TakeBack
            | Entry::Hold
            | Entry::Recover
            | Entry::WriteOff
            | Entry::SettleCapture
            | Entry::AcquirerPaid
            | Entry::RefundFromCaptured
            | Entry::RefundFromAvailable
            | Entry::RefundBackToCaptured
            | Entry::RefundBackToAvailable => false,
        };
        match posting.subject {
            Subject::Payout(no) if moves && no <= self.counted => Ok(posting.amount.0),
            Subject::Trade(no) if moves && no <= self.counted_trades => Ok(posting.amount.0),
            Subject::Group(no) if moves => {
                let later = self.waited_after(no, self.counted)?;
                Ok(posting.amount.0 - later)
            }
            _ => Ok(0),
        }
    }

    /// Sum of a cancelled group's rows that its ALL took and that are not counted yet.
    fn waited_after(&self, group: GroupNo, after: PayoutNo) -> Result<i64, StoreError> {
        let sql = "SELECT ifnull(sum(amount), 0) FROM payouts \
                   WHERE grp = ?1 AND no > ?2 AND own IS NULL";
        Ok(self.db.query_row(sql, params![group.0, after.0], |r| r.get(0))?)
    }

    fn read_payouts(&mut self) -> Result<(bool, i64), StoreError> {
        let last: i64 =
            self.db.query_row("SELECT ifnull(max(no), 0) FROM payouts", [], |r| r.get(0))?;
        let sql = "SELECT p.no, p.partner, p.amount, p.own, g.mode, g.no, p.distinct_key \
                   FROM payouts p \
                   JOIN groups g ON g.no = p.grp WHERE p.no > ?1 ORDER BY p.no LIMIT ?2";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([self.counted.0, self.slices.payouts])?;
        let mut read = 0;
        while let Some(r) = rows.next()? {
            let bad = || StoreError::Damaged("a payout's state".to_owned());
            let own: Option<i64> = r.get(3)?;
            let own = own.map(|n| State::from_number(n).ok_or_else(bad)).transpose()?;
            let mode = Mode::from_number(r.get(4)?).ok_or_else(bad)?;
            if own.is_none() && mode != Mode::Canceled {
                self.loose.insert(r.get(5)?);
            }
            self.counted = PayoutNo(r.get(0)?);
            let partner = PartnerNo(r.get(1)?);
            self.audit.row(partner, r.get(2)?, state_of(own, mode));
            let key = r.get_ref(6)?.as_str().map_err(|_| bad())?;
            self.unique.add(partner, key, self.counted)?;
            self.in_runs.1 += i64::from(self.counted.0 <= self.in_runs.0);
            read += 1;
        }
        self.unique.written()?;
        Ok((read == self.slices.payouts, last))
    }

    /// The last, short transaction: the postings since the last slice and the stored balances are
    /// one snapshot.
    fn finish(mut self) -> Result<Report, StoreError> {
        self.db.execute_batch("BEGIN")?;
        self.read_postings(i64::MAX)?;
        let mut more = true;
        while more {
            more = self.read_payouts()?.0;
        }
        while self.read_trades()? {}
        self.open_billing()?;
        let sql = format!("SELECT {}, chain_head, chain_length FROM ledgers", row::LEDGER);
        let ledgers: Vec<(Ledger, Vec<u8>, i64)> = self
            .db
            .prepare(&sql)?
            .query_map([], |r| {
                Ok((row::ledger(r)?, r.get(row::LEDGER_COLUMNS)?, r.get(row::LEDGER_COLUMNS + 1)?))
            })?
            .collect::<Result<_, _>>()?;
        let settlement: i64 =
            self.db.query_row("SELECT settlement FROM rails WHERE no = 1", [], |r| r.get(0))?;
        self.groups()?;
        self.notices()?;
        self.db.execute_batch("COMMIT")?;
        self.distinct_keys()?;
        for (ledger, head, length) in &ledgers {
            if let Some(text) = self.chains.end(ledger.partner, head, *length) {
                self.audit.find(text);
            }
        }
        let (postings, payouts) = self.audit.seen();
        let ledgers: Vec<Ledger> = ledgers.into_iter().map(|(ledger, ..)| ledger).collect();
        let partners = ledgers.len();
        let findings = self.audit.finish(&ledgers, settlement);
        Ok(Report { postings, payouts, partners, findings })
    }

    /// The counters of the groups in which something waits or is unclaimed, by their rows or by
    /// their counters.
    fn groups(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT no FROM groups WHERE waiting > 0 OR unclaimed > 0";
        let counting: Vec<i64> =
            self.db.prepare(sql)?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
        self.loose.extend(counting);
        let sql = "SELECT g.mode, g.waiting, g.waiting_sum, g.unclaimed, count(p.no), \
                   ifnull(sum(p.amount), 0) FROM groups g \
                   LEFT JOIN payouts p ON p.grp = g.no AND p.own IS NULL WHERE g.no = ?1";
        let mut statement = self.db.prepare(sql)?;
        for no in &self.loose {
            let (mode, counted, rows, amount) = statement.query_row([no], |r| {
                let counted: (i64, i64, i64) = (r.get(1)?, r.get(2)?, r.get(3)?);
                Ok((r.get::<_, i64>(0)?, counted, r.get::<_, i64>(4)?, r.get::<_, i64>(5)?))
            })?;
            if let Some(text) = counters(*no, mode, counted, (rows, amount)) {
                self.audit.find(text);
            }
        }
        Ok(())
    }

    /// Every key is used once, and the index beside the store has every row that it says it has.
    fn distinct_keys(&mut self) -> Result<(), StoreError> {
        for (partner, first, second) in self.unique.doubled(&self.db)? {
            self.audit.find(format!(
                "partner {partner}: payouts {first} and {second} have one distinct_key"
            ));
        }
        let (_, rows, in_runs) = self.in_runs;
        if rows != in_runs {
            self.audit.find(format!(
                "the index of distinct keys has {in_runs} rows, of {rows} that it should have: \
                 stop the server, remove it, and it is made anew"
            ));
        }
        Ok(())
    }

    /// Every outcome has its notice: as many as there are rows with that outcome.
    fn notices(&mut self) -> Result<(), StoreError> {
        let count = |sql: &str| self.db.query_row(sql, [], |r| r.get::<_, i64>(0));
        let told = count("SELECT count(*) FROM notices")?;
        // A key that its partner deregistered itself is not told.
        let removed = format!(
            "SELECT count(*) FROM notices WHERE outcome = {}",
            ichae_domain::notice::Outcome::Deregistered as i64
        );
        // One that was corrected had failed before: two outcomes, both told.
        let outcomes = count(&super::statements::corrected_sql())?
            + count("SELECT count(*) FROM attempts WHERE answered_at IS NOT NULL")?
            + count("SELECT count(*) FROM attempts WHERE returned_at IS NOT NULL")?
            + count("SELECT count(*) FROM trades WHERE kind = 1 AND state IN (3, 4)")?
            + count("SELECT count(*) FROM trades WHERE kind = 2 AND state = 3")?
            + count(&removed)?;
        if told != outcomes {
            self.audit.find(format!("{outcomes} outcomes but {told} webhook notices"));
        }
        Ok(())
    }
}
