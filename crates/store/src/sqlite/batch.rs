//! The one writer: loads what the orders name, decides, writes, commits once.

use super::append;
use super::billing;
use super::cache::{Cache, Chained, Loader};
use super::distinct::DistinctKeys;
use super::persist;
use crate::board::Board;
use crate::port::{Answer, Backend, Clock, StoreError};
use crate::seal::Sealer;
use crate::witness::{Seen, Witness};
use ichae_domain::code::Code;
use ichae_domain::command::{Command, NewKey, Order};
use ichae_domain::decide::decide;
use ichae_domain::ident::Epochs;
use ichae_domain::ledger::{Account as Side, Posting};
use ichae_domain::notice::Notice;
use ichae_domain::payout::Payout;
use ichae_domain::time::Time;
use ichae_domain::view::{Context, Event, Rules, Write};
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// How often the witness is written at most.
const WITNESS_EVERY: Duration = Duration::from_secs(1);

/// Pages in the log from which on they are moved into the file: 4 MiB, as SQLite does by itself.
const CHECKPOINT_PAGES: i32 = 1_000;

/// Rows of the batch under way that are only ever added.
#[derive(Default)]
struct Added {
    postings: Vec<(Posting, [u8; 32])>,
    events: Vec<Event>,
    notices: Vec<Notice>,
}

pub struct SqliteBackend {
    db: Connection,
    sealer: Arc<Sealer>,
    rules: Rules,
    clock: Clock,
    epochs: Arc<Epochs>,
    next_serial: i64,
    latest: Time,
    cache: Cache,
    added: Added,
    distinct: DistinctKeys,
    board: Arc<Board>,
    witness: Option<(Witness, Vec<u8>)>,
    witnessed: Instant,
    /// The oldest key in use when the sealing of every row again began; none while that is not under way.
    resealing_since: Option<u32>,
    /// Pages in the log, as the last commit left it.
    log_pages: Arc<AtomicI32>,
}

/// What a backend is made of; see [`super::open`].
pub(super) struct Parts {
    pub db: Connection,
    pub sealer: Arc<Sealer>,
    pub rules: Rules,
    pub clock: Clock,
    pub epochs: Arc<Epochs>,
    pub distinct: DistinctKeys,
    pub board: Arc<Board>,
    pub witness: Option<(Witness, Vec<u8>)>,
}

/// The first serial that no row has.
pub(crate) fn next_serial(db: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT max((SELECT ifnull(max(no), 0) FROM payouts), \
               (SELECT ifnull(max(no), 0) FROM groups), \
               (SELECT ifnull(max(no), 0) FROM billing_keys), \
               (SELECT ifnull(max(no), 0) FROM proposals), \
               (SELECT ifnull(max(no), 0) FROM payers), \
               (SELECT ifnull(max(no), 0) FROM charges), \
               (SELECT ifnull(max(no), 0) FROM trades), \
               (SELECT ifnull(max(no), 0) FROM partners), \
               (SELECT ifnull(max(first_serial), 1) - 1 FROM epochs)) + 1";
    Ok(db.query_row(sql, [], |r| r.get(0))?)
}

impl SqliteBackend {
    pub(super) fn new(parts: Parts) -> Result<SqliteBackend, StoreError> {
        let Parts { mut db, sealer, rules, clock, epochs, distinct, board, witness } = parts;
        let next_serial = next_serial(&db)?;
        let latest: Option<i64> =
            db.query_row("SELECT max(no), at FROM events", [], |r| r.get(1))?;
        // In the place of SQLite's own checkpoints, which pass over a sync that fails.
        let log_pages = Arc::new(AtomicI32::new(0));
        let pages = Arc::clone(&log_pages);
        db.wal_hook(Some(move |_: &mut Wal, count| {
            pages.store(count, Ordering::Relaxed);
            Ok(())
        }))?;
        let mut backend = SqliteBackend {
            db,
            sealer,
            rules,
            clock,
            epochs,
            next_serial,
            latest: Time(latest.unwrap_or(0)),
            cache: Cache::default(),
            added: Added::default(),
            distinct,
            board,
            witness,
            witnessed: Instant::now(),
            resealing_since: None,
            log_pages,
        };
        backend.see()?;
        Ok(backend)
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    pub(super) fn epochs(&self) -> Arc<Epochs> {
        Arc::clone(&self.epochs)
    }

    /// Carries the orders out in one transaction; on an error everything is rolled back.
    fn transact(&mut self, orders: &[Order]) -> Result<Vec<Answer>, StoreError> {
        self.distinct.make_room()?;
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let serial = self.next_serial;
        let done = self.carry_out(orders).and_then(|answers| {
            self.flush()?;
            self.db.prepare_cached("COMMIT")?.execute([])?;
            Ok(answers)
        });
        match &done {
            Ok(_) => self.committed(),
            Err(_) => {
                self.next_serial = serial;
                self.cache = Cache::default();
                self.added = Added::default();
                self.distinct.rolled_back();
                if !self.db.is_autocommit() {
                    self.db.execute_batch("ROLLBACK")?;
                }
            }
        }
        done
    }

    /// The batch is durable: readers may see it, and the answers may be given.
    fn committed(&mut self) {
        let ledgers = std::mem::take(&mut self.cache.dirty.ledgers);
        let changed = ledgers.iter().filter_map(|no| self.cache.ledgers.get(no));
        self.board.put(changed.map(|chained| chained.ledger.clone()));
        self.distinct.committed();
        self.cache.settle();
        self.checkpoint();
    }

    /// Moves the log's pages into the file once there are many. What cannot be moved stays in the log
    /// and is moved later; a sync that failed ends the process.
    fn checkpoint(&self) {
        if self.log_pages.load(Ordering::Relaxed) < CHECKPOINT_PAGES {
            return;
        }
        let moved =
            self.db.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)").and_then(|mut pragma| {
                let mut rows = pragma.query([])?;
                while rows.next()?.is_some() {}
                Ok(())
            });
        if let Err(error) = moved.map_err(StoreError::from) {
            end_on_lost_sync(&error);
            tracing::warn!(%error, "the log could not be moved into the store's file");
        }
    }

    fn carry_out(&mut self, orders: &[Order]) -> Result<Vec<Answer>, StoreError> {
        let mut answers = Vec::with_capacity(orders.len());
        let epochs = Arc::clone(&self.epochs);
        for order in orders {
            self.latest = self.latest.max((self.clock)());
            let context = Context {
                now: self.latest,
                serial: self.next_serial,
                epochs: &epochs,
                rules: self.rules,
            };
            let indexed = self.indexed_anew(order);
            let order = indexed.as_ref().unwrap_or(order);
            let reads = order.command.reads();
            let found = self.loader().load(&reads)?;
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

    fn loader(&mut self) -> Loader<'_> {
        Loader { db: &self.db, cache: &mut self.cache, distinct: &self.distinct }
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
                cache.dirty.ledgers.insert(no);
                match cache.ledgers.get_mut(&no) {
                    Some(chained) => chained.ledger = ledger,
                    None => {
                        cache.ledgers.insert(no, Chained { ledger, head: [0; 32], length: 0 });
                    }
                }
            }
            Write::Group(group) => {
                cache.dirty.groups.insert(group.no);
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
                self.distinct.insert(payout.partner, &payout.distinct_key, payout.no);
                cache.dirty.new.insert(payout.no);
                cache.payouts.insert(payout.no, payout);
            }
            Write::Own(no, state, url) => {
                // A decision gives a state only to a row that it has seen.
                let missing = || StoreError::Damaged("a state without its payout".to_owned());
                let payout = cache.payouts.get_mut(&no).ok_or_else(missing)?;
                payout.own = Some(state);
                payout.webhook_url = url.or(payout.webhook_url.take());
                cache.dirty.own.insert(no);
            }
            Write::Attempt(attempt) => {
                cache.dirty.attempts.insert(attempt.payout);
                cache.attempts.insert(attempt.payout, attempt);
            }
            Write::Posting(posting) => self.post(posting)?,
            Write::Fund { partner, reference, amount, at } => {
                persist::fund(db, partner.0, &reference, amount.0, at.0)?;
            }
            Write::NewNotice(notice) => self.added.notices.push(notice),
            Write::Notice(notice) => {
                persist::notice(db, &notice)?;
                cache.notices.insert(notice.no.0, notice);
            }
            Write::Hold(no, hold) => persist::hold(db, no, hold.as_ref())?,
            Write::Operator(operator) => persist::operator(db, &operator)?,
            Write::Proposal(proposal) => persist::proposal(db, &proposal)?,
            Write::Statement(statement) => persist::statement(db, &statement)?,
            Write::NewPayer(payer, instrument) => {
                billing::new_payer(db, &self.sealer, &payer, &instrument)?;
            }
            Write::Payer(payer) => billing::end_payer(db, &payer)?,
            Write::NewCharge(charge, texts) => {
                billing::new_charge(db, &self.sealer, &charge, &texts)?;
            }
            Write::Charge(charge) => billing::update_charge(db, &charge)?,
            Write::Trade(trade) => billing::put_trade(db, &trade)?,
            Write::Rail(rail) => {
                cache.rail = Some(rail);
                cache.dirty.rail = true;
            }
            Write::Event(event) => self.added.events.push(event),
        }
        Ok(())
    }

    /// Links a journal line to the one before it.
    fn post(&mut self, posting: Posting) -> Result<(), StoreError> {
        let cache = &mut self.cache;
        let missing = || StoreError::Damaged("a posting without a ledger".to_owned());
        let chained = cache.ledgers.get_mut(&posting.partner).ok_or_else(missing)?;
        chained.head = self.sealer.link(&chained.head, &crate::rows::posting_line(&posting));
        chained.length += 1;
        let (debit, credit) = posting.entry.legs();
        let credited = i64::from(credit == Side::Settlement);
        let debited = i64::from(debit == Side::Settlement);
        cache.settlement += (credited - debited) * posting.amount.0;
        cache.dirty.rail |= credited + debited != 0;
        self.added.postings.push((posting, chained.head));
        Ok(())
    }

    /// Writes what changed in memory, once a row however often it changed.
    fn flush(&mut self) -> Result<(), StoreError> {
        let dirty = std::mem::take(&mut self.cache.dirty);
        let cache = &self.cache;
        let new: Vec<&Payout> = dirty.new.iter().filter_map(|no| cache.payouts.get(no)).collect();
        append::payouts(&self.db, &new)?;
        for no in dirty.own.difference(&dirty.new) {
            if let Some(payout) = cache.payouts.get(no) {
                persist::own(&self.db, payout)?;
            }
        }
        for attempt in dirty.attempts.iter().filter_map(|no| cache.attempts.get(no)) {
            persist::attempt(&self.db, attempt)?;
        }
        for chained in dirty.ledgers.iter().filter_map(|no| cache.ledgers.get(no)) {
            persist::ledger(&self.db, &chained.ledger, &chained.head, chained.length)?;
        }
        for group in dirty.groups.iter().filter_map(|no| cache.groups.get(no)) {
            persist::group(&self.db, group)?;
        }
        append::postings(&self.db, &self.added.postings)?;
        append::notices(&self.db, &self.added.notices)?;
        append::events(&self.db, &self.added.events)?;
        if dirty.rail {
            self.loader().rail()?;
            if let Some(rail) = &self.cache.rail {
                persist::rail(&self.db, rail, self.cache.settlement)?;
            }
        }
        self.added.postings.clear();
        self.added.notices.clear();
        self.added.events.clear();
        // Whose ledgers changed is told to the readers once the batch is durable.
        self.cache.dirty.ledgers = dirty.ledgers;
        Ok(())
    }

    /// Tells the witness how far the store is.
    fn see(&mut self) -> Result<(), StoreError> {
        self.witnessed = Instant::now();
        let Some((witness, store_id)) = &self.witness else { return Ok(()) };
        let events = super::open::last_event(&self.db)?;
        let epoch = self.epochs.current();
        witness.write(&Seen { store_id: store_id.clone(), epoch, events })
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

/// After a sync that failed nobody knows what the disk holds, and a second one may say that all is
/// well: only a new start may look (figure 9).
fn end_on_lost_sync(error: &StoreError) {
    if let StoreError::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) = error {
        let sync = [rusqlite::ffi::SQLITE_IOERR_FSYNC, rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC];
        if sync.contains(&failure.extended_code) {
            tracing::error!(%error, "fsync failed: the process ends, start it again");
            std::process::abort();
        }
    }
}

/// The transaction was rolled back, so the store knows that nothing was written.
fn after_rollback(error: &StoreError) -> Code {
    end_on_lost_sync(error);
    if let StoreError::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) = error
        && failure.code == ErrorCode::DiskFull
    {
        tracing::error!(%error, "the disk is full: refused, nothing was written");
        return Code::T0503;
    }
    if matches!(error, StoreError::Busy) {
        tracing::error!(%error, "refused, nothing was written");
        return Code::T0503;
    }
    tracing::error!(%error, "an order could not be written and was rolled back");
    Code::T0999
}

impl Backend for SqliteBackend {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        let answers = match self.transact(orders) {
            Ok(answers) => answers,
            Err(error) if orders.len() > 1 => {
                end_on_lost_sync(&error);
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

    fn reseal(&mut self, after: i64, limit: usize) -> Result<Option<i64>, StoreError> {
        let done = self.reseal_slice(after, limit);
        if let Err(error) = &done {
            end_on_lost_sync(error);
        }
        self.checkpoint();
        done
    }
}

impl SqliteBackend {
    fn reseal_slice(&mut self, after: i64, limit: usize) -> Result<Option<i64>, StoreError> {
        super::open::know_keys(&self.db, &self.sealer.keys())?;
        if after == 0 {
            let now = crate::prints::oldest_in_use(&self.sealer.keys());
            // Of two that go on at once the earlier counts: what it has passed may be under its keys.
            self.resealing_since = Some(self.resealing_since.map_or(now, |since| since.min(now)));
            self.reseal_secrets()?;
        }
        let next = super::reseal::slice(&mut self.db, &self.sealer, after, limit.max(1))?;
        // Only where this process sealed all of it, from the first row on.
        if let (None, Some(oldest)) = (next, self.resealing_since) {
            super::open::forget_keys(&self.db, oldest)?;
            self.resealing_since = None;
        }
        Ok(next)
    }

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
}
