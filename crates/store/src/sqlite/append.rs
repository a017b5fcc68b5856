//! Rows that are only ever added, many with one statement.

use super::row::{about_columns, actor_columns, subject_columns};
use crate::port::StoreError;
use ichae_domain::ledger::Posting;
use ichae_domain::notice::Notice;
use ichae_domain::payout::Payout;
use ichae_domain::view::Event;
use rusqlite::{Connection, Statement, ToSql};

/// Rows that one statement takes.
const TOGETHER: usize = 16;

type Bound = rusqlite::Result<()>;

/// Binds one row's columns, left to right.
struct Columns<'a, 's> {
    statement: &'a mut Statement<'s>,
    next: usize,
}

impl Columns<'_, '_> {
    fn bind(&mut self, value: impl ToSql) -> Bound {
        self.next += 1;
        self.statement.raw_bind_parameter(self.next, value)
    }
}

/// Adds rows in their order. `head` is the statement up to `VALUES`.
fn add<T>(
    db: &Connection,
    head: &str,
    columns: usize,
    rows: &[T],
    bind: impl Fn(&mut Columns<'_, '_>, &T) -> Bound,
) -> Result<(), StoreError> {
    let one = format!("({})", vec!["?"; columns].join(", "));
    let many = format!("{head} VALUES {}", vec![one.as_str(); TOGETHER].join(", "));
    let single = format!("{head} VALUES {one}");
    let (full, rest) = rows.as_chunks::<TOGETHER>();
    let chunks = full.iter().map(|chunk| (&many, &chunk[..]));
    for (sql, chunk) in chunks.chain(rest.chunks(1).map(|row| (&single, row))) {
        let mut statement = db.prepare_cached(sql)?;
        let mut columns = Columns { statement: &mut statement, next: 0 };
        for row in chunk {
            bind(&mut columns, row)?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

pub(super) fn payouts(db: &Connection, payouts: &[&Payout]) -> Result<(), StoreError> {
    let head = "INSERT INTO payouts (no, partner, grp, billing_key, amount, distinct_key, sub_id, \
                print, print_sent, at, own, webhook_url)";
    add(db, head, 12, payouts, |to, p| {
        to.bind(p.no.0)?;
        to.bind(p.partner.0)?;
        to.bind(p.group.0)?;
        to.bind(p.key.0)?;
        to.bind(p.amount.0)?;
        to.bind(&p.distinct_key)?;
        to.bind(&p.sub_id)?;
        to.bind(&p.print)?;
        to.bind(p.print_sent)?;
        to.bind(p.at.0)?;
        to.bind(p.own.map(|state| state as i64))?;
        to.bind(&p.webhook_url)
    })
}

/// Postings with their links of the hash chain.
pub(super) fn postings(
    db: &Connection,
    postings: &[(Posting, [u8; 32])],
) -> Result<(), StoreError> {
    let head = "INSERT INTO postings (partner, entry, amount, subject_kind, subject, at, hash)";
    add(db, head, 7, postings, |to, (p, hash)| {
        let (kind, subject) = subject_columns(p.subject);
        to.bind(p.partner.0)?;
        to.bind(p.entry as i64)?;
        to.bind(p.amount.0)?;
        to.bind(kind)?;
        to.bind(subject)?;
        to.bind(p.at.0)?;
        to.bind(&hash[..])
    })
}

pub(super) fn events(db: &Connection, events: &[Event]) -> Result<(), StoreError> {
    let head = "INSERT INTO events (at, actor_kind, actor, partner, kind, about_kind, about, \
                amount, note)";
    add(db, head, 9, events, |to, e| {
        let (actor_kind, actor) = actor_columns(&e.actor);
        let (about_kind, about) = about_columns(e.about);
        to.bind(e.at.0)?;
        to.bind(actor_kind)?;
        to.bind(actor)?;
        to.bind(e.partner.map(|no| no.0))?;
        to.bind(e.kind as i64)?;
        to.bind(about_kind)?;
        to.bind(about)?;
        to.bind(e.amount.map(|won| won.0))?;
        to.bind(&e.note)
    })
}

pub(super) fn notices(db: &Connection, notices: &[Notice]) -> Result<(), StoreError> {
    let head = "INSERT INTO notices (partner, subject, detail, outcome, made_at, state, tries, \
                next_at, last_status, last_at)";
    add(db, head, 10, notices, |to, n| {
        let (subject, detail) = n.subject.numbers();
        to.bind(n.partner.0)?;
        to.bind(subject)?;
        to.bind(detail)?;
        to.bind(n.outcome as i64)?;
        to.bind(n.made_at.0)?;
        to.bind(n.state as i64)?;
        to.bind(n.tries)?;
        to.bind(n.next_at.0)?;
        to.bind(n.last_status)?;
        to.bind(n.last_at.map(|at| at.0))
    })
}
