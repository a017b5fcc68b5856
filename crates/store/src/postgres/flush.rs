//! Writes what a batch changed: each kind of row with one statement, however many there are of it.

use super::link::Session;
use super::load::Chain;
use super::pipeline::{Asked, in_order};
use crate::model::Rows;
use crate::port::StoreError;
use crate::rows::{about_columns, actor_columns, subject_columns};
use ichae_domain::group::Group;
use ichae_domain::ident::{GroupNo, NoticeNo, PartnerNo, PayoutNo};
use ichae_domain::ledger::{Ledger, Posting};
use ichae_domain::notice::Notice;
use ichae_domain::payout::{Attempt, Payout};
use ichae_domain::view::Event;
use std::collections::{BTreeSet, HashMap};
use tokio_postgres::types::ToSql;

/// Rows that most batches change. The others are written one by one, in [`super::rare`].
#[derive(Default)]
pub(super) struct Changed {
    pub ledgers: BTreeSet<PartnerNo>,
    pub groups: BTreeSet<GroupNo>,
    pub new_payouts: BTreeSet<PayoutNo>,
    pub own: BTreeSet<PayoutNo>,
    pub attempts: BTreeSet<PayoutNo>,
    pub postings: Vec<(Posting, [u8; 32])>,
    pub events: Vec<Event>,
    pub new_notices: Vec<Notice>,
    pub notices: BTreeSet<NoticeNo>,
}

/// One statement with its columns.
struct Part {
    sql: &'static str,
    columns: Vec<Box<dyn ToSql + Sync + Send>>,
}

/// Builds columns from rows.
struct Columns<'a, T> {
    rows: &'a [T],
    columns: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl<'a, T> Columns<'a, T> {
    fn of(rows: &'a [T]) -> Columns<'a, T> {
        Columns { rows, columns: Vec::new() }
    }

    fn column<C>(mut self, cell: impl Fn(&T) -> C) -> Columns<'a, T>
    where
        Vec<C>: ToSql + Sync + Send + 'static,
    {
        self.columns.push(Box::new(self.rows.iter().map(cell).collect::<Vec<C>>()));
        self
    }

    fn into(self, sql: &'static str) -> Option<Part> {
        (!self.rows.is_empty()).then_some(Part { sql, columns: self.columns })
    }
}

/// Writes all of it and commits, in one round trip.
pub(super) async fn flush(
    session: &mut Session,
    changed: &Changed,
    rows: &Rows,
    chains: &HashMap<PartnerNo, Chain>,
    node: i64,
) -> Result<(), StoreError> {
    let picked = |set: &BTreeSet<PayoutNo>| -> Vec<&Payout> {
        set.iter().filter_map(|no| rows.payouts.get(no)).collect()
    };
    let own = changed.own.difference(&changed.new_payouts).copied().collect();
    let ledgers = changed.ledgers.iter().filter_map(|no| rows.ledgers.get(no).zip(chains.get(no)));
    let groups = changed.groups.iter().filter_map(|no| rows.groups.get(no));
    let attempts = changed.attempts.iter().filter_map(|no| rows.attempts.get(no));
    let notices = changed.notices.iter().filter_map(|no| rows.notices.get(no));
    let parts = [
        new_payouts(&picked(&changed.new_payouts)),
        own_states(&picked(&own)),
        all_attempts(&attempts.collect::<Vec<_>>(), node),
        all_ledgers(&ledgers.collect::<Vec<_>>()),
        all_groups(&groups.collect::<Vec<_>>()),
        postings(&changed.postings),
        events(&changed.events),
        new_notices(&changed.new_notices),
        told_notices(&notices.collect::<Vec<_>>()),
    ];
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    let mut statements = Vec::with_capacity(parts.len());
    for part in &parts {
        statements.push(session.prepared(part.sql).await?);
    }
    let client = &session.client;
    let commit = async { client.batch_execute("COMMIT").await.map(|()| 0) };
    let writes = statements.into_iter().zip(&parts).map(|(statement, part)| async move {
        let columns = part.columns.iter().map(|column| &**column as &(dyn ToSql + Sync));
        let columns: Vec<&(dyn ToSql + Sync)> = columns.collect();
        client.execute(&statement, &columns).await
    });
    let writes = writes.map(|one| Box::pin(one) as Asked<'_, u64>);
    let commit: Asked<'_, u64> = Box::pin(commit);
    in_order(session.one_by_one, writes.chain(std::iter::once(commit))).await?;
    Ok(())
}

fn new_payouts(rows: &[&Payout]) -> Option<Part> {
    Columns::of(rows)
        .column(|p| p.no.0)
        .column(|p| p.partner.0)
        .column(|p| p.group.0)
        .column(|p| p.key.0)
        .column(|p| p.amount.0)
        .column(|p| p.print_sent)
        .column(|p| own(p))
        .column(|p| p.at.0)
        .column(|p| p.distinct_key.clone())
        .column(|p| p.sub_id.clone())
        .column(|p| p.print.clone())
        .column(|p| p.webhook_url.clone())
        .into(
            "INSERT INTO payouts (no, partner, grp, billing_key, amount, print_sent, own, at, \
             distinct_key, sub_id, print, webhook_url) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
             $5::bigint[], $6::boolean[], $7::smallint[], $8::bigint[], $9::text[], $10::text[], \
             $11::text[], $12::text[])",
        )
}

fn own(p: &Payout) -> Option<i16> {
    p.own.map(|state| state as i16)
}

fn own_states(rows: &[&Payout]) -> Option<Part> {
    Columns::of(rows).column(|p| p.no.0).column(|p| own(p)).column(|p| p.webhook_url.clone()).into(
        "UPDATE payouts p SET own = u.own, webhook_url = u.url \
             FROM unnest($1::bigint[], $2::smallint[], $3::text[]) AS u (no, own, url) \
             WHERE p.no = u.no AND p.no = ANY($1)",
    )
}

fn all_attempts(rows: &[&Attempt], node: i64) -> Option<Part> {
    Columns::of(rows)
        .column(|a| a.payout.0)
        .column(|a| a.partner.0)
        .column(|a| a.bank_no.map(|no| no.0))
        .column(|a| a.day.0)
        .column(|a| a.sent_at.0)
        .column(|a| a.sends)
        .column(|a| a.bank_code.map(|code| i32::from(code.0)))
        .column(|a| i64::from(a.bank_code_sub))
        .column(|a| a.failure.map(|code| code.name().to_owned()))
        .column(|a| a.why.map(|why| why.number()))
        .column(|a| a.answered_at.map(|at| at.0))
        .column(|a| a.inquiries)
        .column(|a| a.inquire_at.map(|at| at.0))
        .column(|a| a.returned_at.map(|at| at.0))
        .column(|a| a.return_code.map(|code| i32::from(code.0)))
        .column(move |_| node)
        .into(
            "INSERT INTO attempts (payout, partner, bank_no, day, sent_at, sends, bank_code, \
             bank_code_sub, failure, why, answered_at, inquiries, inquire_at, returned_at, \
             return_code, node) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], \
             $5::bigint[], $6::bigint[], $7::int[], $8::bigint[], $9::text[], $10::bigint[], \
             $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::int[], $16::bigint[]) \
             ON CONFLICT (payout) DO UPDATE SET bank_no = excluded.bank_no, day = excluded.day, \
             sent_at = excluded.sent_at, sends = excluded.sends, bank_code = excluded.bank_code, \
             bank_code_sub = excluded.bank_code_sub, failure = excluded.failure, \
             why = excluded.why, answered_at = excluded.answered_at, \
             inquiries = excluded.inquiries, inquire_at = excluded.inquire_at, \
             returned_at = excluded.returned_at, return_code = excluded.return_code, \
             node = excluded.node",
        )
}

fn all_ledgers(rows: &[(&Ledger, &Chain)]) -> Option<Part> {
    Columns::of(rows)
        .column(|(l, _)| l.partner.0)
        .column(|(l, _)| l.available.0)
        .column(|(l, _)| l.held.0)
        .column(|(l, _)| l.suspense.0)
        .column(|(l, _)| l.funded.0)
        .column(|(l, _)| l.open_group.map(|no| no.0))
        .column(|(l, _)| l.captured.0)
        .column(|(l, _)| l.refunding.0)
        .column(|(l, _)| l.receivable.0)
        .column(|(l, _)| l.unsettled.0)
        .column(|(_, chain)| chain.head.to_vec())
        .column(|(_, chain)| chain.length)
        .column(|(_, chain)| chain.settlement)
        .into(
            "INSERT INTO ledgers (partner, available, held, suspense, funded, open_group, \
             captured, refunding, receivable, unsettled, chain_head, chain_length, settlement) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
             $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], \
             $11::bytea[], $12::bigint[], $13::bigint[]) \
             ON CONFLICT (partner) DO UPDATE SET available = excluded.available, \
             held = excluded.held, suspense = excluded.suspense, funded = excluded.funded, \
             open_group = excluded.open_group, captured = excluded.captured, \
             refunding = excluded.refunding, receivable = excluded.receivable, \
             unsettled = excluded.unsettled, chain_head = excluded.chain_head, \
             chain_length = excluded.chain_length, settlement = excluded.settlement",
        )
}

fn all_groups(rows: &[&Group]) -> Option<Part> {
    Columns::of(rows)
        .column(|g| g.no.0)
        .column(|g| g.partner.0)
        .column(|g| g.opened_at.0)
        .column(|g| g.mode as i16)
        .column(|g| g.rows)
        .column(|g| g.waiting)
        .column(|g| g.waiting_sum.0)
        .column(|g| g.unclaimed)
        .column(|g| g.webhook_url.clone())
        .into(
            "INSERT INTO groups (no, partner, opened_at, mode, row_count, waiting, waiting_sum, \
             unclaimed, webhook_url) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], \
             $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[]) \
             ON CONFLICT (no) DO UPDATE SET mode = excluded.mode, row_count = excluded.row_count, \
             waiting = excluded.waiting, waiting_sum = excluded.waiting_sum, \
             unclaimed = excluded.unclaimed, webhook_url = excluded.webhook_url",
        )
}

fn postings(rows: &[(Posting, [u8; 32])]) -> Option<Part> {
    Columns::of(rows)
        .column(|(p, _)| p.partner.0)
        .column(|(p, _)| p.amount.0)
        .column(|(p, _)| subject_columns(p.subject).1)
        .column(|(p, _)| p.at.0)
        .column(|(p, _)| p.entry as i16)
        .column(|(p, _)| subject_columns(p.subject).0)
        .column(|(_, hash)| hash.to_vec())
        .into(
            "INSERT INTO postings (partner, amount, subject, at, entry, subject_kind, hash) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
             $5::smallint[], $6::bigint[], $7::bytea[])",
        )
}

fn events(rows: &[Event]) -> Option<Part> {
    Columns::of(rows)
        .column(|e| e.at.0)
        .column(|e| about_columns(e.about).1)
        .column(|e| e.partner.map(|no| no.0))
        .column(|e| e.amount.map(|won| won.0))
        .column(|e| e.kind as i16)
        .column(|e| about_columns(e.about).0)
        .column(|e| actor_columns(&e.actor).0)
        .column(|e| actor_columns(&e.actor).1.map(str::to_owned))
        .column(|e| e.note.clone())
        .into(
            "INSERT INTO events (at, about, partner, amount, kind, about_kind, actor_kind, actor, \
             note) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
             $5::smallint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[])",
        )
}

fn new_notices(rows: &[Notice]) -> Option<Part> {
    Columns::of(rows)
        .column(|n| n.partner.0)
        .column(|n| n.subject.numbers().0)
        .column(|n| n.subject.numbers().1)
        .column(|n| n.outcome as i16)
        .column(|n| n.state as i16)
        .column(|n| n.made_at.0)
        .column(|n| n.tries)
        .column(|n| n.next_at.0)
        .column(|n| n.last_status)
        .column(|n| n.last_at.map(|at| at.0))
        .into(
            "INSERT INTO notices (partner, subject, detail, outcome, state, made_at, tries, \
             next_at, last_status, last_at) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], \
             $5::smallint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])",
        )
}

fn told_notices(rows: &[&Notice]) -> Option<Part> {
    Columns::of(rows)
        .column(|n| n.no.0)
        .column(|n| n.state as i16)
        .column(|n| n.tries)
        .column(|n| n.next_at.0)
        .column(|n| n.last_status)
        .column(|n| n.last_at.map(|at| at.0))
        .into(
            "UPDATE notices n SET state = u.state, tries = u.tries, next_at = u.next_at, \
             last_status = u.last_status, last_at = u.last_at \
             FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], \
             $6::bigint[]) AS u (no, state, tries, next_at, last_status, last_at) \
             WHERE n.no = u.no AND n.no = ANY($1)",
        )
}
