//! `ichae check` of a store on PostgreSQL: everything is recomputed from one snapshot.
//!
//! Lines of different partners are not numbered in the order of their commits, so slices of several
//! transactions would not fit together as they do in the embedded store. The snapshot keeps the server from
//! clearing up behind it for as long as the check takes; run it on a standby where that matters.

use super::link::{Link, Session};
use super::open::compare_keys;
use super::shards::served;
use crate::port::StoreError;
use crate::recount::{Chains, counters};
use crate::report::Report;
use crate::rows::{self, Cells};
use crate::seal::Sealer;
use ichae_domain::audit::Audit;
use ichae_domain::group::Mode;
use ichae_domain::ident::PartnerNo;
use ichae_domain::ledger::Ledger;
use ichae_domain::payout::{State, state_of};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;

/// Rows that are read at once.
const PAGE: i64 = 20_000;
/// A hundred million rows take less.
const LIMIT: Duration = Duration::from_secs(24 * 3_600);

struct Run {
    session: Session,
    sealer: Arc<Sealer>,
    audit: Audit,
    chains: Chains,
    /// Groups that were seen with rows which wait or are unclaimed, whatever their counters say.
    loose: BTreeSet<i64>,
}

/// Recomputes every balance from the postings, verifies every hash chain, and compares what is held, settled,
/// refused, returned and canceled with the rows that are. `progress` is told payouts read and the highest
/// number there is.
pub fn check(
    link: &Arc<Link>,
    sealer: &Arc<Sealer>,
    progress: impl FnMut(i64, i64) + Send + 'static,
) -> Result<Report, StoreError> {
    let (of, sealer) = (Arc::clone(link), Arc::clone(sealer));
    link.wait(LIMIT, async move {
        let session = of.session().await?;
        session.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        compare_keys(&session, &sealer.keys()).await?;
        let run = Run {
            session,
            sealer,
            audit: Audit::default(),
            chains: Chains::default(),
            loose: BTreeSet::new(),
        };
        run.all(progress).await
    })
}

impl Run {
    async fn all(mut self, progress: impl FnMut(i64, i64)) -> Result<Report, StoreError> {
        self.postings().await?;
        self.payouts(progress).await?;
        self.trades().await?;
        self.billing().await?;
        self.groups().await?;
        self.notices().await?;
        let sql = format!(
            "SELECT {}, chain_head, chain_length, settlement FROM ledgers WHERE away < 2 AND {} \
             ORDER BY partner",
            rows::LEDGER,
            served("partner")
        );
        let found = self.session.client.query(&sql, &[]).await?;
        let (mut ledgers, mut settlement): (Vec<Ledger>, i64) = (Vec::new(), 0);
        for r in &found {
            let ledger = rows::ledger(r)?;
            let at = rows::LEDGER_COLUMNS;
            let (head, length): (Vec<u8>, i64) = (r.try_get(at)?, r.try_get(at + 1)?);
            settlement += r.try_get::<_, i64>(at + 2)?;
            if let Some(text) = self.chains.end(ledger.partner, &head, length) {
                self.audit.find(text);
            }
            ledgers.push(ledger);
        }
        let (postings, payouts) = self.audit.seen();
        let partners = ledgers.len();
        let findings = self.audit.finish(&ledgers, settlement);
        Ok(Report { postings, payouts, partners, findings })
    }

    /// The next page of a table, by its number.
    async fn page(&self, sql: &str, after: i64) -> Result<Vec<Row>, StoreError> {
        Ok(self.session.client.query(sql, &[&after, &PAGE]).await?)
    }

    async fn postings(&mut self) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {}, hash, no FROM postings WHERE no > $1 AND {} ORDER BY no LIMIT $2",
            rows::POSTING,
            served("partner")
        );
        let mut after = 0;
        loop {
            let page = self.page(&sql, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.try_get(7)?;
            for r in &page {
                let posting = rows::posting(r)?;
                let stored: Vec<u8> = r.try_get(6)?;
                if let Some(text) = self.chains.line(&self.sealer, &posting, &stored) {
                    self.audit.find(text);
                }
                self.audit.posting(&posting, 0);
            }
        }
    }

    async fn payouts(&mut self, mut progress: impl FnMut(i64, i64)) -> Result<(), StoreError> {
        let last = "SELECT coalesce(max(no), 0) FROM payouts";
        let last: i64 = self.session.client.query_one(last, &[]).await?.try_get(0)?;
        let sql = format!(
            "SELECT p.no, p.partner, p.amount, p.own, g.mode, g.no FROM payouts p \
             JOIN groups g ON g.no = p.grp WHERE p.no > $1 AND {} ORDER BY p.no LIMIT $2",
            served("p.partner")
        );
        let bad = || StoreError::Damaged("a payout's state".to_owned());
        let mut after = 0;
        loop {
            let page = self.page(&sql, after).await?;
            progress(after, last);
            let Some(end) = page.last() else { return Ok(()) };
            after = end.try_get(0)?;
            for r in &page {
                let own: Option<i64> = Cells::get(r, 3)?;
                let own = own.map(|n| State::from_number(n).ok_or_else(bad)).transpose()?;
                let mode = Mode::from_number(Cells::get(r, 4)?).ok_or_else(bad)?;
                if own.is_none() && mode != Mode::Canceled {
                    self.loose.insert(r.try_get(5)?);
                }
                self.audit.row(PartnerNo(r.try_get(1)?), r.try_get(2)?, state_of(own, mode));
            }
        }
    }

    async fn trades(&mut self) -> Result<(), StoreError> {
        let columns = rows::billing::TRADE;
        let served = served("partner");
        let sql =
            format!("SELECT {columns} FROM trades WHERE no > $1 AND {served} ORDER BY no LIMIT $2");
        let mut after = 0;
        loop {
            let page = self.page(&sql, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.try_get(0)?;
            for r in &page {
                let trade = rows::billing::trade(r)?;
                self.audit.trade(trade.partner, trade.kind, trade.state, trade.amount.0);
            }
        }
    }

    /// What payments still bring and what refunds may take.
    async fn billing(&mut self) -> Result<(), StoreError> {
        let served = served("partner");
        let unsettled = format!(
            "SELECT partner, sum(amount - refunded - refunding)::bigint, 0::bigint \
             FROM charges WHERE settled_at IS NULL AND charges.state = 3 AND {served} \
             GROUP BY partner"
        );
        let refunding = format!(
            "SELECT partner, 0::bigint, sum(amount)::bigint FROM trades \
             WHERE trades.state IN (1, 2) AND kind = 2 AND {served} GROUP BY partner"
        );
        for sql in [&unsettled, &refunding] {
            for r in self.session.client.query(sql, &[]).await? {
                let partner = PartnerNo(r.try_get(0)?);
                self.audit.open_billing(partner, r.try_get(1)?, r.try_get(2)?);
            }
        }
        let off = self.count(
            "SELECT count(*) FROM charges c WHERE c.refunded + c.refunding <> 0 AND \
             (c.refunded, c.refunding) <> \
             (SELECT coalesce(sum(amount) FILTER (WHERE state = 3), 0)::bigint, \
              coalesce(sum(amount) FILTER (WHERE state IN (1, 2)), 0)::bigint \
              FROM trades t WHERE t.charge = c.no AND t.kind = 2)",
            "c.partner",
        );
        let off = off.await?;
        if off != 0 {
            self.audit.find(format!("{off} payments do not sum up to their refunds"));
        }
        Ok(())
    }

    /// Of partners that are served here.
    async fn count(&self, sql: &str, partner: &str) -> Result<i64, StoreError> {
        let sql = format!("{sql} AND {}", served(partner));
        Ok(self.session.client.query_one(&sql, &[]).await?.try_get(0)?)
    }

    /// The counters of the groups in which something waits or is unclaimed, by their rows or by
    /// their counters.
    async fn groups(&mut self) -> Result<(), StoreError> {
        let counting =
            format!("SELECT no FROM groups WHERE (waits OR works) AND {}", served("partner"));
        for r in self.session.client.query(&counting, &[]).await? {
            self.loose.insert(r.try_get(0)?);
        }
        let sql = "SELECT g.no, g.mode, g.waiting, g.waiting_sum, g.unclaimed, count(p.no), \
                   coalesce(sum(p.amount), 0)::bigint FROM groups g \
                   LEFT JOIN payouts p ON p.grp = g.no AND p.own IS NULL \
                   WHERE g.no = ANY($1) GROUP BY g.no ORDER BY g.no";
        let loose: Vec<i64> = self.loose.iter().copied().collect();
        for r in self.session.client.query(sql, &[&loose]).await? {
            let no: i64 = r.try_get(0)?;
            let counted: (i64, i64, i64) = (r.try_get(2)?, r.try_get(3)?, r.try_get(4)?);
            let (rows, amount): (i64, i64) = (r.try_get(5)?, r.try_get(6)?);
            if let Some(text) = counters(no, Cells::get(&r, 1)?, counted, (rows, amount)) {
                self.audit.find(text);
            }
        }
        Ok(())
    }

    /// Every outcome has its notice: as many as there are rows with that outcome.
    async fn notices(&mut self) -> Result<(), StoreError> {
        let told = self.count("SELECT count(*) FROM notices WHERE TRUE", "partner").await?;
        let removed = format!(
            "SELECT count(*) FROM notices WHERE outcome = {}",
            ichae_domain::notice::Outcome::Deregistered as i64
        );
        let corrected = format!(
            "SELECT count(*) FROM events WHERE kind IN ({}) AND about_kind = 3 AND kind = {}",
            rows::told_kinds(),
            ichae_domain::view::EventKind::Corrected as i64
        );
        let mut outcomes = 0;
        for sql in [
            corrected.as_str(),
            "SELECT count(*) FROM attempts WHERE answered_at IS NOT NULL",
            "SELECT count(*) FROM attempts WHERE returned_at IS NOT NULL",
            "SELECT count(*) FROM trades WHERE kind = 1 AND trades.state IN (3, 4)",
            "SELECT count(*) FROM trades WHERE kind = 2 AND trades.state = 3",
            removed.as_str(),
        ] {
            outcomes += self.count(sql, "partner").await?;
        }
        if told != outcomes {
            self.audit.find(format!("{outcomes} outcomes but {told} webhook notices"));
        }
        Ok(())
    }
}
