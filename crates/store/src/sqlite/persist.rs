//! What a decision says to write, as SQL, row by row. Nothing here decides anything. What is only ever
//! added is in [`super::append`].

use crate::port::StoreError;
use crate::seal::Sealer;
use ichae_domain::group::Group;
use ichae_domain::ident::PayoutNo;
use ichae_domain::key::{Account, BillingKey};
use ichae_domain::ledger::Ledger;
use ichae_domain::matter::Proposal;
use ichae_domain::notice::Notice;
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::view::StatementRead;
use rusqlite::{Connection, params};

type Done = Result<(), StoreError>;

pub fn partner(db: &Connection, p: &Partner) -> Done {
    let sql = "INSERT INTO partners (no, cst_id, name, suspended, key_generation, verifier, \
               webhook_url, sources, transfer_cap, made_at, held, refund_verifier, domains, \
               payment_url, removal_url) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
               ON CONFLICT (no) DO UPDATE SET name = ?3, suspended = ?4, key_generation = ?5, \
               verifier = ?6, webhook_url = ?7, sources = ?8, transfer_cap = ?9, held = ?11, \
               refund_verifier = ?12, domains = ?13, payment_url = ?14, removal_url = ?15";
    db.prepare_cached(sql)?.execute(params![
        p.no.0,
        p.cst_id,
        p.name,
        p.suspended,
        p.key_generation,
        p.verifier.0,
        p.webhook_url,
        p.sources.join(" "),
        p.transfer_cap.map(|won| won.0),
        p.made_at.0,
        p.held,
        p.billing.refund_verifier.map(|verifier| verifier.0),
        p.billing.domains.join(" "),
        p.billing.payment_url,
        p.billing.removal_url,
    ])?;
    Ok(())
}

pub fn hold(db: &Connection, payout: PayoutNo, hold: Option<&Hold>) -> Done {
    match hold {
        Some(hold) => db
            .prepare_cached("INSERT INTO holds VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![payout.0, hold.at.0, hold.by, hold.reason])?,
        None => db.prepare_cached("DELETE FROM holds WHERE payout = ?1")?.execute([payout.0])?,
    };
    Ok(())
}

pub fn operator(db: &Connection, o: &Operator) -> Done {
    let sql = "INSERT INTO operators VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (name) DO UPDATE SET revoked_at = ?4, last_signed = ?5";
    let revoked = o.revoked_at.map(|at| at.0);
    db.prepare_cached(sql)?.execute(params![
        o.name,
        o.public_key,
        o.added_at.0,
        revoked,
        o.last_signed.0
    ])?;
    Ok(())
}

pub fn proposal(db: &Connection, p: &Proposal) -> Done {
    let sql = "INSERT INTO proposals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
               ON CONFLICT (no) DO UPDATE SET state = ?10, closed_by = ?11, closed_at = ?12";
    let (kind, detail) = p.act.matter.numbers();
    db.prepare_cached(sql)?.execute(params![
        p.no.0,
        kind,
        detail,
        p.act.partner.0,
        p.act.payout.map(|no| no.0),
        p.act.amount.0,
        p.act.note,
        p.by,
        p.at.0,
        p.state as i64,
        p.closed_by,
        p.closed_at.map(|at| at.0),
    ])?;
    Ok(())
}

pub fn statement(db: &Connection, s: &StatementRead) -> Done {
    let sql = "INSERT INTO statements VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    db.prepare_cached(sql)?.execute(params![s.digest, s.at.0, s.by, s.name, s.rows, s.findings])?;
    Ok(())
}

pub fn webhook_secret(db: &Connection, no: i64, sealed: &[u8]) -> Done {
    let sql = "UPDATE partners SET webhook_secret = ?2 WHERE no = ?1";
    db.prepare_cached(sql)?.execute(params![no, sealed])?;
    Ok(())
}

pub fn ledger(db: &Connection, l: &Ledger, head: &[u8; 32], length: i64) -> Done {
    let sql = "INSERT INTO ledgers (partner, available, held, suspense, funded, open_group, \
               chain_head, chain_length, captured, refunding, receivable, unsettled) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
               ON CONFLICT (partner) DO UPDATE SET available = ?2, held = ?3, suspense = ?4, \
               funded = ?5, open_group = ?6, chain_head = ?7, chain_length = ?8, captured = ?9, \
               refunding = ?10, receivable = ?11, unsettled = ?12";
    db.prepare_cached(sql)?.execute(params![
        l.partner.0,
        l.available.0,
        l.held.0,
        l.suspense.0,
        l.funded.0,
        l.open_group.map(|no| no.0),
        head,
        length,
        l.captured.0,
        l.refunding.0,
        l.receivable.0,
        l.unsettled.0,
    ])?;
    Ok(())
}

pub fn rail(db: &Connection, rail: &Rail, settlement: i64) -> Done {
    let sql = "UPDATE rails SET paused_at = ?1, paused_by = ?2, pause_reason = ?3, \
               bank_counter = ?4, notices_seen = ?5, settlement = ?6, balance = ?7, balance_at = ?8, \
               balance_by = ?9 WHERE no = 1";
    let pause = rail.pause.as_ref();
    db.prepare_cached(sql)?.execute(params![
        pause.map(|p| p.at.0),
        pause.map(|p| p.by.as_str()),
        pause.map(|p| p.reason.as_str()),
        rail.bank_counter,
        rail.notices_seen,
        settlement,
        rail.balance.as_ref().map(|b| b.amount.0),
        rail.balance.as_ref().map(|b| b.at.0),
        rail.balance.as_ref().map(|b| b.by.as_str()),
    ])?;
    Ok(())
}

pub fn group(db: &Connection, g: &Group) -> Done {
    let sql = "INSERT INTO groups VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
               ON CONFLICT (no) DO UPDATE SET mode = ?4, row_count = ?5, waiting = ?6, \
               waiting_sum = ?7, unclaimed = ?8, webhook_url = ?9";
    db.prepare_cached(sql)?.execute(params![
        g.no.0,
        g.partner.0,
        g.opened_at.0,
        g.mode as i64,
        g.rows,
        g.waiting,
        g.waiting_sum.0,
        g.unclaimed,
        g.webhook_url,
    ])?;
    Ok(())
}

pub fn new_key(db: &Connection, sealer: &Sealer, k: &BillingKey, account: &Account) -> Done {
    // Sealed first, indexed then, both now: since the command was made the keys may have been
    // swapped, and what is under the newest sealing key must be under the newest index key.
    let sealed = sealer.seal_account(k.no.0, account)?;
    let prints = sealer.fingerprints(k.partner, k.sub_id.as_deref(), &k.bank, account);
    let sql = "INSERT INTO billing_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        k.no.0,
        k.partner.0,
        k.sub_id,
        k.bank,
        k.made_at.0,
        k.dead.map(|code| code.0),
        sealed,
        prints[0].0,
    ])?;
    Ok(())
}

pub fn key(db: &Connection, k: &BillingKey) -> Done {
    let sql = "UPDATE billing_keys SET dead = ?2 WHERE no = ?1";
    db.prepare_cached(sql)?.execute(params![k.no.0, k.dead.map(|code| code.0)])?;
    Ok(())
}

/// A row's own state, and where its webhooks go.
pub fn own(db: &Connection, p: &Payout) -> Done {
    let sql = "UPDATE payouts SET own = ?2, webhook_url = ?3 WHERE no = ?1";
    let own = p.own.map(|state| state as i64);
    db.prepare_cached(sql)?.execute(params![p.no.0, own, p.webhook_url])?;
    Ok(())
}

pub fn attempt(db: &Connection, a: &Attempt) -> Done {
    let sql = "INSERT INTO attempts \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
               ON CONFLICT (payout) DO UPDATE SET bank_no = ?3, day = ?4, sent_at = ?5, \
               sends = ?6, bank_code = ?7, bank_code_sub = ?8, failure = ?9, why = ?10, \
               answered_at = ?11, inquiries = ?12, inquire_at = ?13, returned_at = ?14, \
               return_code = ?15";
    db.prepare_cached(sql)?.execute(params![
        a.payout.0,
        a.partner.0,
        a.bank_no.map(|no| no.0),
        a.day.0,
        a.sent_at.0,
        a.sends,
        a.bank_code.map(|code| code.0),
        a.bank_code_sub,
        a.failure.map(|code| code.name()),
        a.why.map(|why| why.number()),
        a.answered_at.map(|at| at.0),
        a.inquiries,
        a.inquire_at.map(|at| at.0),
        a.returned_at.map(|at| at.0),
        a.return_code.map(|code| code.0),
    ])?;
    Ok(())
}

pub fn fund(db: &Connection, partner: i64, reference: &str, amount: i64, at: i64) -> Done {
    let sql = "INSERT INTO funds VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![partner, reference, amount, at])?;
    Ok(())
}

pub fn notice(db: &Connection, n: &Notice) -> Done {
    let sql = "UPDATE notices SET state = ?2, tries = ?3, next_at = ?4, last_status = ?5, \
               last_at = ?6 WHERE no = ?1";
    db.prepare_cached(sql)?.execute(params![
        n.no.0,
        n.state as i64,
        n.tries,
        n.next_at.0,
        n.last_status,
        n.last_at.map(|at| at.0),
    ])?;
    Ok(())
}
