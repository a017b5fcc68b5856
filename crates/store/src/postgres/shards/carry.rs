//! Brings a shard's rows from one cell to another while they change.
//!
//! Rows are read by their place on the disk, slice after slice, so that no snapshot is held for long and no
//! index is needed. What changes meanwhile triggers write down; it is brought again until little is left.
//! Before the shard is frozen everything is read a second time and compared.

use super::super::link::Session;
use super::KNOWS;
use super::map::State;
use super::mover::{Step, nobody};
use super::parts::{HOLDS, LEDGERS, PARTNERS, PARTS, Part};
use crate::port::StoreError;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// Pages of a table that are read at once: 16 MiB.
const PAGES: i64 = 2_048;

/// Between two cells.
pub(super) struct Carrier<'a> {
    pub from: &'a Session,
    pub to: &'a Session,
    pub shard: u16,
    columns: Vec<Vec<String>>,
    /// Lines of each partner's journal that were brought.
    lines: HashMap<i64, i64>,
    pub rows: u64,
}

impl<'a> Carrier<'a> {
    /// Has nothing brought yet; the other cell must have nothing of the shard.
    pub async fn new(
        from: &'a Session,
        to: &'a Session,
        shard: u16,
        name: &str,
    ) -> Result<Carrier<'a>, StoreError> {
        let mut columns = Vec::with_capacity(PARTS.len());
        for part in PARTS.iter().chain([&PARTNERS, &HOLDS]) {
            let (here, there) = (part.columns(from).await?, part.columns(to).await?);
            if here != there {
                return Err(StoreError::Refused(format!(
                    "the table {} is not the same in both cells: run `ichae migrate` in both",
                    part.table
                )));
            }
            let (table, listed) = (part.table, here.join(", "));
            let sql = format!(
                "CREATE TEMP TABLE stage_{table} AS SELECT {listed} FROM {table} WITH NO DATA"
            );
            columns.push(here);
            to.client.batch_execute(&sql).await?;
        }
        let sql = "CREATE TEMP TABLE differs (part SMALLINT, key BIGINT); \
                   CREATE TEMP TABLE arrival (no BIGINT)";
        to.client.batch_execute(sql).await?;
        let sql = "CREATE TEMP TABLE drained (part SMALLINT, key BIGINT)";
        from.client.batch_execute(sql).await?;
        // What its nodes had sent is of nobody who is there: it is asked about.
        let sql = "WITH node AS (INSERT INTO nodes (name, knows, ended_at) \
                   VALUES ($1, $2, clock_timestamp()) RETURNING no) \
                   INSERT INTO arrival SELECT no FROM node";
        to.client.execute(sql, &[&name, &KNOWS]).await?;
        Ok(Carrier { from, to, shard, columns, lines: HashMap::new(), rows: 0 })
    }

    /// Everything once. What is changed meanwhile comes a second time.
    pub async fn copy(&mut self, progress: &mut impl FnMut(Step)) -> Result<(), StoreError> {
        for (at, part) in PARTS.iter().enumerate() {
            let pages = pages(self.from, part.table).await?;
            for first in slices(pages) {
                progress(Step::Copying { table: part.table, done: first, of: pages });
                if self.stage(at, part, &slice(first, part, self.shard)).await? > 0 {
                    // What stayed of an earlier time is none of its rows.
                    self.take(at, part, part.table == LEDGERS).await?;
                }
            }
        }
        Ok(())
    }

    /// Everything a second time: what is not the same there is kept in mind until it comes again.
    pub async fn compare(&mut self, progress: &mut impl FnMut(Step)) -> Result<(), StoreError> {
        for (at, part) in PARTS.iter().enumerate() {
            let pages = pages(self.from, part.table).await?;
            for first in slices(pages) {
                progress(Step::Comparing { table: part.table, done: first, of: pages });
                if self.stage(at, part, &slice(first, part, self.shard)).await? == 0 {
                    continue;
                }
                let (table, key) = (part.table, part.key);
                let columns = &self.columns[at];
                let (have, want) = (listed("t", columns), part.values(columns));
                let sql = format!(
                    "INSERT INTO differs SELECT DISTINCT {at}, s.{key} FROM stage_{table} s \
                     WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{key} = s.{key} \
                     AND ROW({have}) IS NOT DISTINCT FROM ROW({want})); TRUNCATE stage_{table}"
                );
                self.to.client.batch_execute(&sql).await?;
            }
        }
        Ok(())
    }

    /// Brings what has changed since the last time. How many rows that were.
    pub async fn drain(&mut self) -> Result<i64, StoreError> {
        let client = &self.from.client;
        client.batch_execute("TRUNCATE drained").await?;
        let sql = "WITH gone AS (DELETE FROM shard_changes RETURNING part, key) \
                   INSERT INTO drained SELECT DISTINCT part, key FROM gone";
        client.batch_execute(sql).await?;
        let sql = "SELECT part, count(*) FROM drained GROUP BY part ORDER BY part";
        let mut changed = 0;
        for row in client.query(sql, &[]).await? {
            let (at, count): (i16, i64) = (row.get(0), row.get(1));
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let Some(part) = PARTS.get(at) else { continue };
            changed += count;
            let which =
                format!("{} = ANY(ARRAY(SELECT key FROM drained WHERE part = {at}))", part.key);
            self.stage(at, part, &which).await?;
            self.take(at, part, !part.append_only).await?;
        }
        Ok(changed)
    }

    /// Whoever may call and what is held back, once nothing changes any more.
    pub async fn last(&mut self) -> Result<(), StoreError> {
        for (at, part) in [(PARTS.len(), &PARTNERS), (PARTS.len() + 1, &HOLDS)] {
            let which = part.of_shard(self.shard);
            self.stage(at, part, &which).await?;
            self.take(at, part, true).await?;
        }
        Ok(())
    }

    /// Whether what is there is what was here, once nothing changes any more.
    pub async fn proved(&self) -> Result<(), StoreError> {
        let sql = "SELECT part, count(*) FROM differs GROUP BY part ORDER BY part";
        if let Some(row) = self.to.client.query(sql, &[]).await?.first() {
            let (at, count): (i16, i64) = (row.get(0), row.get(1));
            let table = usize::try_from(at).ok().and_then(|at| PARTS.get(at));
            let table = table.map_or("?", |part| part.table);
            return Err(not_the_same(format!("{count} rows of {table}")));
        }
        let sql = format!(
            "SELECT partner, chain_length, concat_ws(' ', available, held, suspense, funded, \
             coalesce(open_group, 0), captured, refunding, receivable, unsettled, chain_length, \
             settlement, encode(chain_head, 'hex')) FROM ledgers WHERE mod(partner, 1024) = {} \
             ORDER BY partner",
            self.shard
        );
        let here = self.from.client.query(&sql, &[]).await?;
        let there = self.to.client.query(&sql, &[]).await?;
        let ledgers = |rows: &[tokio_postgres::Row]| -> Vec<(i64, String)> {
            rows.iter().map(|row| (row.get(0), row.get(2))).collect()
        };
        if ledgers(&here) != ledgers(&there) {
            return Err(not_the_same("the balances".to_owned()));
        }
        for row in &here {
            let (partner, length): (i64, i64) = (row.get(0), row.get(1));
            if self.lines.get(&partner).copied().unwrap_or(0) != length {
                return Err(not_the_same("the journal's lines".to_owned()));
            }
        }
        Ok(())
    }

    /// Reads rows here and puts them aside there.
    async fn stage(&mut self, at: usize, part: &Part, which: &str) -> Result<u64, StoreError> {
        let (table, columns) = (part.table, self.columns[at].join(", "));
        let sql =
            format!("COPY (SELECT {columns} FROM {table} WHERE {which}) TO STDOUT (FORMAT BINARY)");
        let mut read = pin!(self.from.client.copy_out(&sql).await?);
        let sql = format!("COPY stage_{table} ({columns}) FROM STDIN (FORMAT BINARY)");
        let mut put = pin!(self.to.client.copy_in::<_, Bytes>(&sql).await?);
        while let Some(bytes) = read.next().await {
            put.send(bytes?).await?;
        }
        Ok(put.finish().await?)
    }

    /// Takes in what was put aside; with `again` it replaces what is there.
    async fn take(&mut self, at: usize, part: &Part, again: bool) -> Result<(), StoreError> {
        let (table, key) = (part.table, part.key);
        let columns = &self.columns[at];
        let numbered = if part.numbered { "OVERRIDING SYSTEM VALUE" } else { "" };
        let client = &self.to.client;
        client.batch_execute("BEGIN").await?;
        if again {
            let sql = format!(
                "DELETE FROM {table} WHERE {key} = ANY(ARRAY(SELECT {key} FROM stage_{table})) AND {}",
                part.of_shard(self.shard)
            );
            client.batch_execute(&sql).await?;
        }
        let sql = format!(
            "WITH put AS (INSERT INTO {table} ({}) {numbered} SELECT {} FROM stage_{table} s \
             ORDER BY s.{key} {} RETURNING {} AS partner) \
             SELECT partner, count(*) FROM put GROUP BY partner",
            columns.join(", "),
            part.values(columns),
            if again { "" } else { "ON CONFLICT DO NOTHING" },
            if table == "holds" { "0::bigint" } else { part.partner },
        );
        for row in client.query(&sql, &[]).await? {
            let (partner, count): (i64, i64) = (row.get(0), row.get(1));
            self.rows += u64::try_from(count).unwrap_or(0);
            if table == "postings" {
                *self.lines.entry(partner).or_default() += count;
            }
        }
        let sql = format!(
            "DELETE FROM differs WHERE part = {at} AND key = ANY(ARRAY(SELECT {key} FROM \
             stage_{table})); TRUNCATE stage_{table}"
        );
        client.batch_execute(&sql).await?;
        Ok(client.batch_execute("COMMIT").await?)
    }
}

fn not_the_same(what: String) -> StoreError {
    StoreError::Refused(format!(
        "{what} are not the same in both cells: the shard stays where it is, nothing was handed over"
    ))
}

fn listed(of: &str, columns: &[String]) -> String {
    columns.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ")
}

/// Rows of a shard from one page of the table on.
fn slice(first: i64, part: &Part, shard: u16) -> String {
    let end = first + PAGES;
    format!(
        "{table}.ctid >= '({first},0)'::tid AND {table}.ctid < '({end},0)'::tid AND {of}",
        table = part.table,
        of = part.of_shard(shard)
    )
}

async fn pages(session: &Session, table: &str) -> Result<i64, StoreError> {
    let sql = "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint";
    Ok(session.client.query_one(sql, &[&table]).await?.get(0))
}

fn slices(pages: i64) -> impl Iterator<Item = i64> {
    let step = usize::try_from(PAGES).unwrap_or(1);
    (0..pages).step_by(step)
}

/// From now on what changes of a shard is written down. Waits for those that write at the moment, each table
/// for itself and none for long: nobody who serves is kept.
pub(super) async fn watch(session: &Session, shard: u16) -> Result<(), StoreError> {
    let client = &session.client;
    unwatch(session).await?;
    client.batch_execute("TRUNCATE shard_changes; SET lock_timeout = '100ms'").await?;
    for (at, part) in PARTS.iter().enumerate() {
        let (table, key) = (part.table, part.key);
        let sql = format!(
            "CREATE OR REPLACE FUNCTION shard_changed_{table}() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO shard_changes VALUES ({at}, NEW.{key}); RETURN NULL; END $$"
        );
        client.batch_execute(&sql).await?;
        let sql = format!(
            "CREATE TRIGGER shard_changed AFTER INSERT OR UPDATE ON {table} FOR EACH ROW \
             WHEN (mod(NEW.{}, 1024) = {shard}) EXECUTE FUNCTION shard_changed_{table}()",
            part.partner
        );
        patiently(session, &sql).await?;
    }
    Ok(client.batch_execute("RESET lock_timeout").await?)
}

/// Takes the triggers away, of this move or of one that was cut.
pub(super) async fn unwatch(session: &Session) -> Result<(), StoreError> {
    let client = &session.client;
    client.batch_execute("SET lock_timeout = '100ms'").await?;
    let sql = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'shard_changed'";
    for row in client.query(sql, &[]).await? {
        let table: String = row.get(0);
        patiently(session, &format!("DROP TRIGGER IF EXISTS shard_changed ON {table}")).await?;
    }
    Ok(client.batch_execute("RESET lock_timeout").await?)
}

/// Times that a lock is tried for, and the pause between two: whoever serves goes on meanwhile.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(400);

async fn patiently(session: &Session, sql: &str) -> Result<(), StoreError> {
    let locked =
        |error: &tokio_postgres::Error| error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
    for _ in 0..TRIES {
        match session.client.batch_execute(sql).await {
            Err(error) if locked(&error) => tokio::time::sleep(PAUSE).await,
            told => return Ok(told?),
        }
    }
    session.client.batch_execute("RESET lock_timeout").await?;
    Err(StoreError::Refused(
        "a table is read or changed by somebody who does not end, a dump or a check perhaps: move the \
         shard when that is done"
            .to_owned(),
    ))
}

/// Removes a shard's rows, but for its ledgers; another cell has the ones that count. Slice after slice;
/// where it is cut it begins again.
pub(super) async fn clear(
    session: &Session,
    shard: u16,
    progress: &mut impl FnMut(Step),
) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM shards WHERE shard = $1 AND cell = (SELECT cell FROM store)";
    let number = i16::try_from(shard).unwrap_or_default();
    if !session.client.query(sql, &[&number]).await?.is_empty() {
        return Err(StoreError::Refused(format!(
            "shard {shard} is served here: nothing is removed"
        )));
    }
    let nobody = nobody(session, shard).await?;
    // Ledgers stay: whoever still thinks that a partner is here is told so by them.
    let rows = PARTS.iter().filter(|part| part.table != LEDGERS);
    let parts = [&HOLDS, &PARTNERS].into_iter().chain(rows.rev());
    let parts = parts.filter(|_| !nobody);
    for part in parts {
        let pages = pages(session, part.table).await?;
        for first in slices(pages) {
            progress(Step::Clearing { table: part.table, done: first, of: pages });
            let sql = format!("DELETE FROM {} WHERE {}", part.table, slice(first, part, shard));
            session.client.batch_execute(&sql).await?;
        }
    }
    let sql = "UPDATE ledgers SET away = 2 WHERE mod(partner, 1024) = $1 AND away <> 2";
    session.client.execute(sql, &[&i64::from(shard)]).await?;
    let sql = "UPDATE shards SET state = $2, other = NULL, until = NULL WHERE shard = $1";
    session.client.execute(sql, &[&number, &(State::Steady as i16)]).await?;
    Ok(())
}
