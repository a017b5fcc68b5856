//! `ichae store copy`: a store of the embedded kind moves to PostgreSQL, whole, and is compared there.

use super::link::{Link, Session};
use super::open::{compare_keys, tables};
use crate::port::StoreError;
use crate::report::Report;
use crate::seal::Sealer;
use crate::sqlite;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

/// Every table with rows to bring, and what of the old store stands in a column that it does not have. The
/// others have the same columns in both.
const TABLES: &[(&str, &[(&str, &str)])] = &[
    ("epochs", &[("cell", "NULL")]),
    ("key_prints", &[]),
    ("partners", &[]),
    ("ledgers", &[("settlement", SETTLEMENT), ("away", "0")]),
    ("groups", &[]),
    ("billing_keys", &[]),
    ("payouts", &[]),
    ("attempts", &[("node", NODE)]),
    ("postings", &[]),
    ("funds", &[]),
    ("notices", &[]),
    ("events", &[]),
    ("operators", &[]),
    ("proposals", &[]),
    ("holds", &[]),
    ("statements", &[]),
    ("payers", &[]),
    ("charges", &[]),
    ("trades", &[("node", NODE)]),
];

/// What a partner's payouts moved over the settlement account, which the old store keeps in one sum.
const SETTLEMENT: &str = "0";
/// The node that the rows came from: it has ended, so what it had sent is asked about.
const NODE: &str = "1";

/// What stands in the place of an environment until the copy is known to be whole: nothing serves that.
const COPYING: &str = "a copy that was not finished";

/// What was copied, table by table, is told to `progress` now and then: (table, rows).
pub fn copy(
    file: &Path,
    link: &Arc<Link>,
    sealer: &Arc<Sealer>,
    mut progress: impl FnMut(&str, u64),
) -> Result<Report, StoreError> {
    let before = sqlite::check::check(file, sealer, |_, _| {})?;
    if !before.findings.is_empty() {
        return Err(StoreError::Refused(format!(
            "the store has {} findings: run `ichae check` and mend it before it moves",
            before.findings.len()
        )));
    }
    let source = Connection::open(file)?;
    link.handle().block_on(async {
        let mut session = link.session().await?;
        tables(&mut session, false).await?;
        empty(&session).await?;
        session.client.batch_execute("BEGIN").await?;
        store_row(&source, &session).await?;
        for (table, others) in TABLES {
            let rows = one_table(&source, &session, table, others, &mut progress).await?;
            progress(table, rows);
        }
        the_rest(&source, &session).await?;
        compare_keys(&session, &sealer.keys()).await?;
        session.client.batch_execute("COMMIT").await?;
        session.client.batch_execute("ANALYZE").await?;
        Ok::<_, StoreError>(())
    })?;
    let after = super::check::check(link, sealer, |_, _| {})?;
    let counts = |report: &Report| (report.postings, report.payouts, report.partners);
    if counts(&before) != counts(&after) || !after.findings.is_empty() {
        return Err(StoreError::Refused(format!(
            "the copy is not what the store is: {:?} and {} findings, of {:?}; drop it",
            counts(&after),
            after.findings.len(),
            counts(&before)
        )));
    }
    // Never two that can be served, wherever this is cut: their numbers would be given twice.
    let environment: String =
        source.query_row("SELECT environment FROM store", [], |r| r.get(0))?;
    source.execute("UPDATE store SET environment = 'moved to PostgreSQL'", [])?;
    link.handle().block_on(async {
        let sql = "UPDATE store SET environment = $1";
        Ok::<_, StoreError>(link.session().await?.client.execute(sql, &[&environment]).await?)
    })?;
    Ok(after)
}

async fn empty(session: &Session) -> Result<(), StoreError> {
    let found = session.client.query("SELECT 1 FROM store", &[]).await?;
    match found.is_empty() {
        true => Ok(()),
        false => Err(StoreError::Refused(
            "there is a store in that database already: name an empty one".to_owned(),
        )),
    }
}

/// The store keeps its name, so that its identifiers and its witness stay good.
async fn store_row(source: &Connection, session: &Session) -> Result<(), StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM epochs WHERE counted = 1 OR in_doubt = 1)";
    if source.query_row(sql, [], |r| r.get::<_, bool>(0))? {
        return Err(StoreError::Refused(
            "the store is in the middle of a restore, or of the first version: serve it once, and \
             where that does not help, begin anew"
                .to_owned(),
        ));
    }
    let sql = "SELECT store_id, made_at FROM store";
    let (id, at): (Vec<u8>, i64) = source.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let sql = "INSERT INTO store (one, store_id, made_at, environment) VALUES (1, $1, $2, $3)";
    session.client.execute(sql, &[&id, &at, &COPYING]).await?;
    let sql = "INSERT INTO nodes (no, name, ended_at) OVERRIDING SYSTEM VALUE \
               VALUES (1, 'the embedded store', clock_timestamp())";
    session.client.execute(sql, &[]).await?;
    session.client.execute("SELECT setval(pg_get_serial_sequence('nodes', 'no'), 1)", &[]).await?;
    Ok(())
}

/// Columns of a table in its order, with their kinds; but for those that follow from others.
async fn columns(session: &Session, table: &str) -> Result<Vec<(String, Type)>, StoreError> {
    let generated = "SELECT column_name::text FROM information_schema.columns \
                     WHERE table_name = $1 AND is_generated = 'ALWAYS'";
    let generated = session.client.query(generated, &[&table]).await?;
    let generated: Vec<String> = generated.iter().map(|row| row.get(0)).collect();
    let statement = session.client.prepare(&format!("SELECT * FROM {table}")).await?;
    let named = statement.columns().iter().map(|c| (c.name().to_owned(), c.type_().clone()));
    Ok(named.filter(|(name, _)| !generated.contains(name)).collect())
}

async fn one_table(
    source: &Connection,
    session: &Session,
    table: &str,
    others: &[(&str, &str)],
    progress: &mut impl FnMut(&str, u64),
) -> Result<u64, StoreError> {
    let columns = columns(session, table).await?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let kinds: Vec<Type> = columns.iter().map(|(_, kind)| kind.clone()).collect();
    let asked = names.iter().map(|name| {
        let other = others.iter().find(|(column, _)| column == name);
        other.map_or(*name, |(_, value)| *value)
    });
    let asked = asked.collect::<Vec<_>>().join(", ");
    let sql = format!("COPY {table} ({}) FROM STDIN BINARY", names.join(", "));
    let sink = session.client.copy_in(&sql).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &kinds));
    let mut statement = source.prepare(&format!("SELECT {asked} FROM {table}"))?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(kinds.len());
        for (at, kind) in kinds.iter().enumerate() {
            values.push(value(row.get_ref(at)?, kind)?);
        }
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| &**v as _).collect();
        writer.as_mut().write(&values).await?;
        count += 1;
        if count % 100_000 == 0 {
            progress(table, count);
        }
    }
    writer.finish().await?;
    Ok(count)
}

type Value = Box<dyn ToSql + Sync>;

/// A cell of the old store as the new column takes it.
fn value(cell: ValueRef<'_>, kind: &Type) -> Result<Value, StoreError> {
    let damaged = || StoreError::Damaged("a cell is not of its column's kind".to_owned());
    let whole = match cell {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number),
        ValueRef::Text(text) if *kind == Type::TEXT => {
            let text = std::str::from_utf8(text).map_err(|_| damaged())?;
            return Ok(Box::new(text.to_owned()));
        }
        ValueRef::Blob(bytes) if *kind == Type::BYTEA => return Ok(Box::new(bytes.to_vec())),
        _ => return Err(damaged()),
    };
    Ok(match *kind {
        Type::INT8 => Box::new(whole),
        Type::INT4 => Box::new(whole.map(i32::try_from).transpose().map_err(|_| damaged())?),
        Type::INT2 => Box::new(whole.map(i16::try_from).transpose().map_err(|_| damaged())?),
        Type::BOOL => Box::new(whole.map(|number| number != 0)),
        Type::TEXT if whole.is_none() => Box::new(None::<String>),
        Type::BYTEA if whole.is_none() => Box::new(None::<Vec<u8>>),
        _ => return Err(damaged()),
    })
}

/// The rail's row, what follows from the journal, and where every sequence goes on.
async fn the_rest(source: &Connection, session: &Session) -> Result<(), StoreError> {
    let client = &session.client;
    let sql = "SELECT paused_at, paused_by, pause_reason, bank_counter, notices_seen, balance, \
               balance_at, balance_by FROM rails WHERE no = 1";
    type Rail = (
        (Option<i64>, Option<String>, Option<String>),
        (i64, i64),
        (Option<i64>, Option<i64>, Option<String>),
    );
    let (pause, counters, balance): Rail = source.query_row(sql, [], |r| {
        Ok((
            (r.get(0)?, r.get(1)?, r.get(2)?),
            (r.get(3)?, r.get(4)?),
            (r.get(5)?, r.get(6)?, r.get(7)?),
        ))
    })?;
    let sql = "UPDATE rails SET paused_at = $1, paused_by = $2, pause_reason = $3, \
               bank_counter = $4, notices_seen = $5, balance = $6, balance_at = $7, \
               balance_by = $8 WHERE no = 1";
    let params: [&(dyn ToSql + Sync); 8] = [
        &pause.0,
        &pause.1,
        &pause.2,
        &counters.0,
        &counters.1,
        &balance.0,
        &balance.1,
        &balance.2,
    ];
    client.execute(sql, &params).await?;
    settlements(session).await?;
    for table in ["postings", "notices", "events"] {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'no'), coalesce(max(no), 0) + 1, FALSE) \
             FROM {table}"
        );
        client.execute(&sql, &[]).await?;
    }
    let next = sqlite::next_serial(source)?;
    client.execute("SELECT setval('serials', $1, FALSE)", &[&next]).await?;
    Ok(())
}

/// The journal says what each partner moved over the settlement account.
async fn settlements(session: &Session) -> Result<(), StoreError> {
    use ichae_domain::ledger::{Account, Entry};
    let of = |leg: fn(&Entry) -> Account| -> Vec<i16> {
        let moves = Entry::ALL.iter().filter(|entry| leg(entry) == Account::Settlement);
        moves.map(|entry| *entry as i16).collect()
    };
    let (debits, credits) = (of(|entry| entry.legs().0), of(|entry| entry.legs().1));
    let sql = "UPDATE ledgers l SET settlement = s.moved FROM ( \
               SELECT partner, sum(CASE WHEN entry = ANY($2) THEN amount ELSE 0 END \
               - CASE WHEN entry = ANY($1) THEN amount ELSE 0 END)::bigint AS moved \
               FROM postings GROUP BY partner) s WHERE s.partner = l.partner";
    session.client.execute(sql, &[&debits, &credits]).await?;
    Ok(())
}
