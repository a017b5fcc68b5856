//! The one writer: loads what the orders name, decides, writes, commits once.
//!
//! Partners, ledgers, groups, keys and the rail stay in memory between batches, because nobody else
//! writes them. After a rollback the memory is dropped and read again.

use super::{persist, row};
use crate::port::{Answer, Backend, Clock, StoreError};
use crate::seal::Sealer;
use crate::witness::{Seen, Witness};
use ichae_domain::code::Code;
use ichae_domain::command::{Command, NewKey, Order, Reads};
use ichae_domain::decide::decide;
use ichae_domain::group::Group;
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::key::{BillingKey, Fingerprint};
use ichae_domain::ledger::{Account as Side, Ledger, Posting};
use ichae_domain::money::Won;
use ichae_domain::notice::Notice;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout};
use ichae_domain::rail::Rail;
use ichae_domain::time::Time;
use ichae_domain::view::{Context, Rules, View, Write};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows of a kind that stay in memory between batches; past it all of them are dropped.
const CACHE_MAX: usize = 65_536;
/// How often the witness is written at most.
const WITNESS_EVERY: Duration = Duration::from_secs(1);

/// A ledger with the end of its hash chain.
struct Chained {
    ledger: Ledger,
    head: [u8; 32],
    length: i64,
}

#[derive(Default)]
struct Cache {
    partners: HashMap<PartnerNo, Partner>,
    ledgers: HashMap<PartnerNo, Chained>,
    groups: HashMap<GroupNo, Group>,
    keys: HashMap<KeyNo, BillingKey>,
    rail: Option<Rail>,
    settlement: i64,
    // Of one batch only: rows that no later batch is likely to name.
    payouts: HashMap<PayoutNo, Payout>,
    attempts: HashMap<PayoutNo, Attempt>,
    notices: HashMap<i64, Notice>,
    /// What was changed in memory and is written once, at the end of the batch.
    dirty_ledgers: HashSet<PartnerNo>,
    dirty_groups: HashSet<GroupNo>,
    dirty_rail: bool,
}

pub struct SqliteBackend {
    db: Connection,
    sealer: Arc<Sealer>,
    rules: Rules,
    clock: Clock,
    epoch: u16,
    next_serial: i64,
    latest: Time,
    cache: Cache,
    witness: Option<(Witness, Vec<u8>)>,
    witnessed: Instant,
}

/// The first serial that no row has.
pub(super) fn next_serial(db: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT max((SELECT ifnull(max(no), 0) FROM payouts), \
               (SELECT ifnull(max(no), 0) FROM groups), \
               (SELECT ifnull(max(no), 0) FROM billing_keys), \
               (SELECT ifnull(max(no), 0) FROM partners), \
               (SELECT ifnull(max(first_serial), 1) - 1 FROM epochs)) + 1";
    Ok(db.query_row(sql, [], |r| r.get(0))?)
}

impl SqliteBackend {
    pub(super) fn new(
        db: Connection,
        sealer: Arc<Sealer>,
        rules: Rules,
        clock: Clock,
        epoch: u16,
        witness: Option<(Witness, Vec<u8>)>,
    ) -> Result<SqliteBackend, StoreError> {
        let next_serial = next_serial(&db)?;
        let latest: Option<i64> =
            db.query_row("SELECT max(no), at FROM events", [], |r| r.get(1))?;
        let mut backend = SqliteBackend {
            db,
            sealer,
            rules,
            clock,
            epoch,
            next_serial,
            latest: Time(latest.unwrap_or(0)),
            cache: Cache::default(),
            witness,
            witnessed: Instant::now(),
        };
        backend.see()?;
        Ok(backend)
    }

    /// Carries the orders out in one transaction; on an error everything is rolled back.
    fn transact(&mut self, orders: &[Order]) -> Result<Vec<Answer>, StoreError> {
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let serial = self.next_serial;
        let done = self.carry_out(orders).and_then(|answers| {
            self.flush()?;
            self.db.execute_batch("COMMIT")?;
            Ok(answers)
        });
        if done.is_err() {
            self.next_serial = serial;
            self.cache = Cache::default();
            if !self.db.is_autocommit() {
                self.db.execute_batch("ROLLBACK")?;
            }
        }
        done
    }

    fn carry_out(&mut self, orders: &[Order]) -> Result<Vec<Answer>, StoreError> {
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            self.latest = self.latest.max((self.clock)());
            let context = Context {
                now: self.latest,
                serial: self.next_serial,
                epoch: self.epoch,
                rules: self.rules,
            };
            let indexed = self.indexed_anew(order);
            let order = indexed.as_ref().unwrap_or(order);
            let reads = order.command.reads();
            let found = self.load(&reads)?;
            match decide(&self.cache.view(&reads, &found), order, &context) {
                Ok(change) => {
                    self.next_serial += change.serials;
                    for write in change.writes {
                        self.write(write)?;
                    }
                    answers.push(Ok(change.reply));
                }
                Err(refusal) => answers.push(Err(refusal)),
            }
        }
        Ok(answers)
    }

    /// An account's blind index under the keys of this moment. The caller's may be of before a
    /// rotation that has re-indexed the row since: it would not find the key that is there.
    fn indexed_anew(&self, order: &Order) -> Option<Order> {
        let Command::RegisterKey(new) = &order.command else { return None };
        let sub_id = new.sub_id.as_deref();
        let prints = self.sealer.fingerprints(new.partner, sub_id, &new.bank, &new.account);
        let new = NewKey { fingerprints: prints, ..(**new).clone() };
        Some(Order { actor: order.actor.clone(), command: Command::RegisterKey(Box::new(new)) })
    }

    fn write(&mut self, write: Write) -> Result<(), StoreError> {
        let db = &self.db;
        let cache = &mut self.cache;
        match write {
            Write::Partner(partner) => {
                persist::partner(db, &partner)?;
                cache.partners.insert(partner.no, partner);
            }
            Write::WebhookSecret(no, secret) => {
                persist::webhook_secret(db, no.0, &self.sealer.seal_secret(no.0, &secret)?)?;
            }
            Write::Ledger(ledger) => {
                let no = ledger.partner;
                cache.dirty_ledgers.insert(no);
                match cache.ledgers.get_mut(&no) {
                    Some(chained) => chained.ledger = ledger,
                    None => {
                        cache.ledgers.insert(no, Chained { ledger, head: [0; 32], length: 0 });
                    }
                }
            }
            Write::Group(group) => {
                cache.dirty_groups.insert(group.no);
                cache.groups.insert(group.no, group);
            }
            Write::NewKey(key, account, _) => {
                persist::new_key(db, &self.sealer, &key, &account)?;
                cache.keys.insert(key.no, key);
            }
            Write::Key(key) => {
                persist::key(db, &key)?;
                cache.keys.insert(key.no, key);
            }
            Write::NewPayout(payout) => {
                persist::new_payout(db, &payout)?;
                cache.payouts.insert(payout.no, payout);
            }
            Write::Own(no, state, url) => {
                persist::own(db, no.0, state, url.as_deref())?;
                if let Some(payout) = cache.payouts.get_mut(&no) {
                    payout.own = Some(state);
                    payout.webhook_url = url.or(payout.webhook_url.take());
                }
            }
            Write::Attempt(attempt) => {
                persist::attempt(db, &attempt)?;
                cache.attempts.insert(attempt.payout, attempt);
            }
            Write::Posting(posting) => self.post(&posting)?,
            Write::Fund { partner, reference, amount, at } => {
                persist::fund(db, partner.0, &reference, amount.0, at.0)?;
            }
            Write::NewNotice(notice) => persist::new_notice(db, &notice)?,
            Write::Notice(notice) => {
                persist::notice(db, &notice)?;
                cache.notices.insert(notice.no.0, notice);
            }
            Write::Rail(rail) => {
                cache.rail = Some(rail);
                cache.dirty_rail = true;
            }
            Write::Event(event) => persist::event(db, &event)?,
        }
        Ok(())
    }

    /// Writes a journal line, chained to the one before it.
    fn post(&mut self, posting: &Posting) -> Result<(), StoreError> {
        let cache = &mut self.cache;
        let missing = || StoreError::Damaged("a posting without a ledger".to_owned());
        let chained = cache.ledgers.get_mut(&posting.partner).ok_or_else(missing)?;
        chained.head = self.sealer.link(&chained.head, &persist::posting_line(posting));
        chained.length += 1;
        persist::posting(&self.db, posting, &chained.head)?;
        let (debit, credit) = posting.entry.legs();
        let credited = i64::from(credit == Side::Settlement);
        let debited = i64::from(debit == Side::Settlement);
        cache.settlement += (credited - debited) * posting.amount.0;
        cache.dirty_rail |= credited + debited != 0;
        Ok(())
    }

    /// Writes what changed in memory, once a row however often it changed.
    fn flush(&mut self) -> Result<(), StoreError> {
        let cache = &mut self.cache;
        for no in cache.dirty_ledgers.drain() {
            if let Some(c) = cache.ledgers.get(&no) {
                persist::ledger(&self.db, &c.ledger, &c.head, c.length)?;
            }
        }
        for no in cache.dirty_groups.drain() {
            if let Some(group) = cache.groups.get(&no) {
                persist::group(&self.db, group)?;
            }
        }
        if cache.dirty_rail {
            self.load_rail()?;
            let cache = &mut self.cache;
            if let Some(rail) = &cache.rail {
                persist::rail(&self.db, rail, cache.settlement)?;
            }
            cache.dirty_rail = false;
        }
        let cache = &mut self.cache;
        cache.payouts.clear();
        cache.attempts.clear();
        cache.notices.clear();
        let kept = [cache.partners.len(), cache.groups.len(), cache.keys.len()];
        if kept.into_iter().any(|rows| rows > CACHE_MAX) {
            self.cache = Cache::default();
        }
        Ok(())
    }

    /// Tells the witness how far the store is.
    fn see(&mut self) -> Result<(), StoreError> {
        self.witnessed = Instant::now();
        let Some((witness, store_id)) = &self.witness else { return Ok(()) };
        let events = super::open::last_event(&self.db)?;
        witness.write(&Seen { store_id: store_id.clone(), epoch: self.epoch, events })
    }

    /// One by one, so that only the order that cannot be written is told so.
    fn one_by_one(&mut self, orders: &[Order]) -> Vec<Answer> {
        let one = |order: &Order| match self.transact(std::slice::from_ref(order)) {
            Ok(mut answers) => answers.pop().unwrap_or(Err(Code::T0999.into())),
            Err(error) => Err(after_rollback(&error).into()),
        };
        orders.iter().map(one).collect()
    }
}

/// The transaction was rolled back, so the store knows that nothing was written. An fsync that
/// failed is another matter: what the disk holds is unknown, and only a new start may look.
fn after_rollback(error: &StoreError) -> Code {
    if let StoreError::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) = error {
        let fsync = [rusqlite::ffi::SQLITE_IOERR_FSYNC, rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC];
        if fsync.contains(&failure.extended_code) {
            tracing::error!(%error, "fsync failed: the process ends, start it again");
            std::process::abort();
        }
        if failure.code == ErrorCode::DiskFull {
            tracing::error!(%error, "the disk is full: refused, nothing was written");
            return Code::T0503;
        }
    }
    tracing::error!(%error, "an order could not be written and was rolled back");
    Code::T0999
}

impl Backend for SqliteBackend {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        let answers = match self.transact(orders) {
            Ok(answers) => answers,
            Err(error) if orders.len() > 1 => {
                tracing::warn!(%error, orders = orders.len(), "a batch was rolled back");
                self.one_by_one(orders)
            }
            Err(error) => vec![Err(after_rollback(&error).into())],
        };
        if self.witnessed.elapsed() >= WITNESS_EVERY
            && let Err(error) = self.see()
        {
            tracing::warn!(%error, "the witness could not be written");
        }
        answers
    }

    fn reseal(&mut self, after: KeyNo, limit: usize) -> Result<Option<KeyNo>, StoreError> {
        let limit = limit.max(1);
        super::open::know_keys(&self.db, &self.sealer.keys())?;
        if after.0 == 0 {
            self.reseal_secrets()?;
        }
        let sql = "SELECT k.no, k.partner, k.sub_id, k.bank, k.account FROM billing_keys k \
                   WHERE k.no > ?1 ORDER BY k.no LIMIT ?2";
        let mut rows = self.db.prepare_cached(sql)?;
        type Sealed = (i64, i64, Option<String>, String, Vec<u8>);
        let rows: Vec<Sealed> = rows
            .query_map(params![after.0, super::read::most(limit)], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
            })?
            .collect::<Result<_, _>>()?;
        let transaction = self.db.unchecked_transaction()?;
        for (no, partner, sub_id, bank, sealed) in &rows {
            let account = self.sealer.open_account(*no, sealed)?;
            // Sealed first: keys may be swapped between the two, and what is under the newest
            // sealing key must be indexed under the newest index key.
            let sealed = self.sealer.seal_account(*no, &account)?;
            let sub_id = sub_id.as_deref();
            let prints = self.sealer.fingerprints(PartnerNo(*partner), sub_id, bank, &account);
            transaction
                .prepare_cached(
                    "UPDATE billing_keys SET account = ?2, fingerprint = ?3 WHERE no = ?1",
                )?
                .execute(params![no, sealed, prints[0].0])?;
        }
        transaction.commit()?;
        let more = rows.last().filter(|_| rows.len() == limit).map(|row| KeyNo(row.0));
        if more.is_none() {
            super::open::forget_keys(&self.db, &self.sealer.keys())?;
        }
        Ok(more)
    }
}

impl SqliteBackend {
    fn reseal_secrets(&self) -> Result<(), StoreError> {
        let sql = "SELECT no, webhook_secret FROM partners WHERE webhook_secret IS NOT NULL";
        let mut rows = self.db.prepare(sql)?;
        let rows: Vec<(i64, Vec<u8>)> =
            rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
        let transaction = self.db.unchecked_transaction()?;
        for (no, sealed) in rows {
            let secret = self.sealer.open_secret(no, &sealed)?;
            let sealed = self.sealer.seal_secret(no, &secret)?;
            persist::webhook_secret(&transaction, no, &sealed)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Brings the named rows into memory; gives what the view needs besides.
    fn load(&mut self, reads: &Reads<'_>) -> Result<Found, StoreError> {
        let mut found = Found::default();
        if let Some(cst_id) = reads.cst_id {
            found.partner = self.load_partner_by_id(cst_id)?;
        }
        if let Some(no) = reads.partner {
            self.load_partner(no)?;
            found.partner = Some(no);
            found.fund =
                reads.fund.map(|reference| self.fund(no, reference)).transpose()?.flatten();
        }
        let open = || self.cache.ledgers.get(&found.partner?)?.ledger.open_group;
        found.group = if reads.open_group { open() } else { reads.group };
        if let Some(no) = found.group {
            self.load_group(no)?;
        }
        found.key = match reads.key {
            Some(no) => Some(no),
            None => self.key_by_fingerprint(reads.fingerprints)?,
        };
        if let Some(no) = found.key {
            self.load_key(no)?;
        }
        if let (Some(distinct), Some(partner)) = (reads.distinct_key, reads.partner) {
            found.prior = self.prior(partner, distinct)?;
        }
        for no in reads.payouts.iter().chain(&reads.payout) {
            self.load_payout(*no)?;
        }
        if let Some(no) = reads.payout {
            self.load_attempt(no)?;
        }
        if let Some(no) = reads.notice {
            let sql = format!("SELECT {} FROM notices WHERE no = ?1", row::NOTICE);
            let notice = self.db.prepare_cached(&sql)?.query_row([no.0], row::notice).optional()?;
            self.cache.notices.extend(notice.map(|n| (n.no.0, n)));
        }
        if reads.rail {
            self.load_rail()?;
        }
        Ok(found)
    }

    fn load_partner_by_id(&mut self, cst_id: &str) -> Result<Option<PartnerNo>, StoreError> {
        let sql = "SELECT no FROM partners WHERE cst_id = ?1";
        let no: Option<i64> = self.db.query_row(sql, [cst_id], |r| r.get(0)).optional()?;
        if let Some(no) = no {
            self.load_partner(PartnerNo(no))?;
        }
        Ok(no.map(PartnerNo))
    }

    fn load_partner(&mut self, no: PartnerNo) -> Result<(), StoreError> {
        if self.cache.partners.contains_key(&no) && self.cache.ledgers.contains_key(&no) {
            return Ok(());
        }
        let sql = format!("SELECT {} FROM partners WHERE no = ?1", row::PARTNER);
        let partner = self.db.prepare_cached(&sql)?.query_row([no.0], row::partner).optional()?;
        let sql = format!(
            "SELECT {}, chain_head, chain_length FROM ledgers WHERE partner = ?1",
            row::LEDGER
        );
        let chained = self.db.prepare_cached(&sql)?.query_row([no.0], |r| {
            Ok(Chained { ledger: row::ledger(r)?, head: r.get(6)?, length: r.get(7)? })
        });
        self.cache.partners.extend(partner.map(|p| (no, p)));
        self.cache.ledgers.extend(chained.optional()?.map(|c| (no, c)));
        Ok(())
    }

    fn load_group(&mut self, no: GroupNo) -> Result<(), StoreError> {
        if !self.cache.groups.contains_key(&no) {
            let sql = format!("SELECT {} FROM groups g WHERE no = ?1", row::GROUP);
            let mut found = self.db.prepare_cached(&sql)?;
            let group = found.query_row([no.0], |r| row::group(r, 0)).optional()?;
            self.cache.groups.extend(group.map(|g| (no, g)));
        }
        Ok(())
    }

    fn load_key(&mut self, no: KeyNo) -> Result<(), StoreError> {
        if !self.cache.keys.contains_key(&no) {
            let sql = format!("SELECT {} FROM billing_keys k WHERE no = ?1", row::KEY);
            let mut found = self.db.prepare_cached(&sql)?;
            let key = found.query_row([no.0], |r| row::key(r, 0)).optional()?;
            self.cache.keys.extend(key.map(|k| (no, k)));
        }
        Ok(())
    }

    /// The newest key of that account, live before dead.
    fn key_by_fingerprint(&self, prints: &[Fingerprint]) -> Result<Option<KeyNo>, StoreError> {
        for print in prints {
            let sql = "SELECT no FROM billing_keys WHERE fingerprint = ?1 \
                       ORDER BY dead IS NOT NULL, no DESC LIMIT 1";
            let mut found = self.db.prepare_cached(sql)?;
            if let Some(no) = found.query_row([print.0], |r| r.get(0)).optional()? {
                return Ok(Some(KeyNo(no)));
            }
        }
        Ok(None)
    }

    fn prior(&mut self, partner: PartnerNo, key: &str) -> Result<Option<PayoutNo>, StoreError> {
        let sql = "SELECT no FROM payouts WHERE partner = ?1 AND distinct_key = ?2";
        let mut found = self.db.prepare_cached(sql)?;
        let no: Option<i64> = found.query_row(params![partner.0, key], |r| r.get(0)).optional()?;
        drop(found);
        let Some(no) = no.map(PayoutNo) else { return Ok(None) };
        self.load_payout(no)?;
        if let Some(group) = self.cache.payouts.get(&no).map(|p| p.group) {
            self.load_group(group)?;
        }
        Ok(Some(no))
    }

    fn load_payout(&mut self, no: PayoutNo) -> Result<(), StoreError> {
        if !self.cache.payouts.contains_key(&no) {
            let sql = format!("SELECT {} FROM payouts p WHERE no = ?1", row::PAYOUT);
            let payout = self.db.prepare_cached(&sql)?.query_row([no.0], row::payout).optional()?;
            self.cache.payouts.extend(payout.map(|p| (no, p)));
        }
        Ok(())
    }

    fn load_attempt(&mut self, no: PayoutNo) -> Result<(), StoreError> {
        if !self.cache.attempts.contains_key(&no) {
            let sql = format!("SELECT {} FROM attempts a WHERE payout = ?1", row::ATTEMPT);
            let mut found = self.db.prepare_cached(&sql)?;
            let attempt = found.query_row([no.0], |r| row::attempt(r, 0)).optional()?.flatten();
            self.cache.attempts.extend(attempt.map(|a| (no, a)));
        }
        Ok(())
    }

    fn load_rail(&mut self) -> Result<(), StoreError> {
        if self.cache.rail.is_none() {
            let sql = format!("SELECT {}, settlement FROM rails WHERE no = 1", row::RAIL);
            let (rail, settlement): (Rail, i64) =
                self.db.query_row(&sql, [], |r| Ok((row::rail(r)?, r.get(5)?)))?;
            self.cache.rail = Some(rail);
            // What this batch has moved already stands in the sum; the stored part comes to it.
            self.cache.settlement += settlement;
        }
        Ok(())
    }

    fn fund(&self, partner: PartnerNo, reference: &str) -> Result<Option<Won>, StoreError> {
        let sql = "SELECT amount FROM funds WHERE partner = ?1 AND reference = ?2";
        let mut found = self.db.prepare_cached(sql)?;
        Ok(found.query_row(params![partner.0, reference], |r| r.get(0).map(Won)).optional()?)
    }
}

/// What was found by other names than its own number.
#[derive(Default)]
struct Found {
    partner: Option<PartnerNo>,
    group: Option<GroupNo>,
    key: Option<KeyNo>,
    prior: Option<PayoutNo>,
    fund: Option<Won>,
}

impl Cache {
    fn view(&self, reads: &Reads<'_>, found: &Found) -> View<'_> {
        let first = found.prior.and_then(|no| self.payouts.get(&no));
        let payout = |no: &PayoutNo| self.payouts.get(no);
        View {
            partner: found.partner.and_then(|no| self.partners.get(&no)),
            ledger: found.partner.and_then(|no| self.ledgers.get(&no)).map(|c| &c.ledger),
            group: found.group.and_then(|no| self.groups.get(&no)),
            key: found.key.and_then(|no| self.keys.get(&no)),
            prior: first.and_then(|first| Some((first, self.groups.get(&first.group)?))),
            payouts: reads.payouts.iter().filter_map(payout).collect(),
            payout: reads.payout.as_ref().and_then(payout),
            attempt: reads.payout.and_then(|no| self.attempts.get(&no)),
            fund: found.fund,
            notice: reads.notice.and_then(|no| self.notices.get(&no.0)),
            rail: self.rail.as_ref().filter(|_| reads.rail),
        }
    }
}
