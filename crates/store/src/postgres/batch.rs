//! The writer of one node: loads what a batch names, decides, writes, commits; and finds out what became of
//! a commit whose answer was lost.
//!
//! Every batch begins by writing its number into this node's row. That row is what tells, later, whether the
//! batch was committed; and because a transaction that is still under way holds the row's lock, whoever asks
//! waits for its end instead of guessing (docs/adr/0021).

use super::confirm::acknowledged;
use super::decided::Decided;
use super::flush::flush;
use super::link::{Fate, Link, Session, fate};
use super::load::{Loaded, load};
use super::nodes::{Node, end_as_fenced};
use super::open::epochs_now;
use super::rare::Rare;
use super::serials::{PartnerNumbers, Serials};
use super::shards::Away;
use super::wanted::Wanted;
use crate::port::{Answer, Backend, Clock, StoreError};
use crate::seal::Sealer;
use arc_swap::ArcSwap;
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command, NewKey, Order};
use ichae_domain::decide::decide;
use ichae_domain::ident::{BLOCK, Epochs, TURN};
use ichae_domain::time::Time;
use ichae_domain::view::{Context, Reply, Rules};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How long orders wait for a database that does not answer, before anything was written: two silent hosts
/// and a third.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long the server lets a statement wait for others' locks.
const SERVER: Duration = Duration::from_secs(3);
/// How long one statement of a transaction may take before the connection counts as lost. Longer than the
/// server leaves a session that holds our locks and does nothing, or waits for others'.
const STUCK: Duration = Duration::from_secs(4);
/// How long one look may take at what became of a commit.
const ONE_LOOK: Duration = Duration::from_secs(5);
/// After so long a statement counts as one that is not answered: callers are not kept. The writer waits on.
const SLOW: Duration = Duration::from_millis(500);
/// Between two looks at what became of a commit.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Times that a batch is run again because of others' locks.
const AGAIN_MAX: u32 = 8;

/// What a writer is made of.
pub(super) struct Parts {
    pub link: Arc<Link>,
    pub sealer: Arc<Sealer>,
    pub rules: Rules,
    pub clock: Clock,
    pub epochs: Arc<ArcSwap<Epochs>>,
    /// As the benchmark's yardstick works: statement after statement.
    pub one_by_one: bool,
    /// Heard of for as long as there is a writer.
    pub node: Arc<Node>,
    pub latest: Time,
}

pub struct PostgresBackend {
    parts: Parts,
    session: Option<Session>,
    serials: Serials,
    /// How often they were to be given up.
    renewed: i64,
    /// The number of the last batch that was begun, and of the last one that is known to be committed.
    batch: i64,
    committed: i64,
    latest: Time,
    /// Set while the database does not answer.
    outage: Arc<AtomicBool>,
}

/// Why a batch gave no answers.
enum Trouble {
    /// Nothing of it was written.
    Not(StoreError),
    /// Nothing of it was written; the same again may go through.
    Again(StoreError),
    /// It was sent to be committed, and nobody said what became of it. These are its answers if it was.
    Unknown(Vec<Answer>),
    /// It has to change the rail, which it only shared.
    RailAlone,
    /// Another node took over, or the database went back: this one may write nothing any more.
    Fenced,
}

/// Of an error before the commit was sent.
impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        match fate(&error) {
            Fate::Again => Trouble::Again(error),
            Fate::RolledBack | Fate::Lost => Trouble::Not(error),
        }
    }
}

impl PostgresBackend {
    pub(super) fn new(parts: Parts, outage: Arc<AtomicBool>) -> PostgresBackend {
        let latest = parts.latest;
        let serials = Serials::default();
        PostgresBackend {
            parts,
            session: None,
            serials,
            renewed: 0,
            batch: 0,
            committed: 0,
            latest,
            outage,
        }
    }

    /// The session, a new one where there is none. Bounded: callers wait.
    async fn connected(&mut self) -> Result<Session, StoreError> {
        let link = &self.parts.link;
        let usable = |s: &Session| !s.client.is_closed() && !link.doubts(&s.server);
        if let Some(session) = self.session.take().filter(usable) {
            return Ok(session);
        }
        let made = timeout(PATIENCE, link.bounded(SERVER)).await;
        let mut session = made.map_err(|_| StoreError::Busy)??;
        session.one_by_one = self.parts.one_by_one;
        Ok(session)
    }

    /// One transaction. The session is kept only where it is known to be idle again.
    async fn transact(
        &mut self,
        orders: &[Order],
        rail_alone: bool,
    ) -> Result<Vec<Answer>, Trouble> {
        let mut session = self.connected().await?;
        let batch = self.batch + 1;
        self.batch = batch;
        let (mark, renewed) = (self.serials, self.renewed);
        let done = self.in_transaction(&mut session, orders, rail_alone, batch).await;
        match done {
            Ok(answers) => {
                self.parts.link.trust(&session.server);
                self.session = Some(session);
                self.committed = batch;
                Ok(answers)
            }
            Err(trouble) => {
                // Where nobody knows, its numbers may be in use.
                match &trouble {
                    Trouble::Unknown(_) => {}
                    // Those that it had were to be given up.
                    _ if self.renewed != renewed => self.serials.forget(),
                    _ => self.serials.rolled_back(mark),
                }
                self.after(trouble, session).await
            }
        }
    }

    /// Keeps the session where it is known to be idle again, and its server is not in doubt.
    async fn after<T>(&mut self, trouble: Trouble, mut session: Session) -> Result<T, Trouble> {
        let lost = match &trouble {
            Trouble::Unknown(_) => true,
            Trouble::Not(error) => error.is_outage(),
            Trouble::Again(_) | Trouble::RailAlone | Trouble::Fenced => false,
        };
        if lost {
            self.parts.link.doubt(&session.server);
            return Err(trouble);
        }
        let rollback = session.client.batch_execute("ROLLBACK");
        let idle = matches!(timeout(PATIENCE, rollback).await, Ok(Ok(())));
        if matches!(trouble, Trouble::Fenced) && !(idle && self.is_so(&mut session).await) {
            return Err(Trouble::Not(StoreError::Busy));
        }
        self.session = Some(session).filter(|_| idle);
        Err(trouble)
    }

    /// Whether what this server shows of nodes is so: one that another has replaced never heard of those that
    /// came since.
    async fn is_so(&self, session: &mut Session) -> bool {
        let (link, node) = (&self.parts.link, self.parts.node.no);
        let told = self.patiently(acknowledged(link, session, node)).await;
        let so = matches!(told, Ok(Ok(_)));
        if !so {
            link.doubt(&session.server);
        }
        so
    }

    async fn in_transaction(
        &mut self,
        session: &mut Session,
        orders: &[Order],
        rail_alone: bool,
        batch: i64,
    ) -> Result<Vec<Answer>, Trouble> {
        let stuck = |()| Trouble::Not(StoreError::Busy);
        let indexed = self.indexed_anew(orders);
        let orders = indexed.as_deref().unwrap_or(orders);
        let wanted = Wanted::of(orders);
        let begun = self.patiently(self.begin(session, batch)).await.map_err(stuck)??;
        let Some(renewed) = begun else {
            return Err(Trouble::Fenced);
        };
        if self.renewed != renewed {
            // A shard came with higher ones: what is newer stands later. And with epochs, that say what its
            // payouts' numbers at the bank are.
            self.serials.forget();
            let learning = epochs_now(session);
            let epochs = self.patiently(learning).await.map_err(stuck)??;
            self.parts.epochs.store(Arc::new(epochs));
            self.renewed = renewed;
        }
        let loading = load(session, &wanted, rail_alone);
        let mut loaded = self.patiently(loading).await.map_err(stuck)??;
        let weights: usize = orders.iter().map(|order| order.command.weight() + 1).sum();
        let mut serials = self.serials;
        let numbers = self.patiently(PartnerNumbers::of(session, orders));
        let mut numbers = numbers.await.map_err(stuck)??;
        let block = if self.parts.epochs.load().cell().is_some() { TURN } else { BLOCK };
        let reserving = serials.reserve(session, weights, block);
        self.patiently(reserving).await.map_err(stuck)??;
        self.serials = serials;
        let mut decided = Decided::default();
        for order in orders {
            let answer = match elsewhere(order, &loaded) {
                Some(answer) => answer,
                None => self.decide(order, &mut loaded, &mut decided, &mut numbers)?,
            };
            decided.answers.push(answer);
        }
        if decided.rail && !rail_alone {
            return Err(Trouble::RailAlone);
        }
        let node = self.parts.node.no;
        let mut rare = Rare { session: &mut *session, sealer: &self.parts.sealer, node };
        let writing = async {
            for write in &decided.rare {
                rare.write(write).await?;
            }
            if decided.concerns_all { rare.tell_all().await } else { Ok(()) }
        };
        self.patiently(writing).await.map_err(stuck)??;
        session.warned();
        let flushing = flush(session, &decided.changed, &loaded.rows, &loaded.chains, node);
        match self.patiently(flushing).await {
            // A warning at a commit: it may not have reached the standby.
            Ok(Ok(())) if session.warned() => Err(Trouble::Unknown(decided.answers)),
            Ok(Ok(())) => Ok(decided.answers),
            Ok(Err(error)) => match fate(&error) {
                Fate::Lost => {
                    tracing::warn!(%error, "the answer to a commit was lost");
                    Err(Trouble::Unknown(decided.answers))
                }
                Fate::Again => Err(Trouble::Again(error)),
                Fate::RolledBack => Err(Trouble::Not(error)),
            },
            Err(_) => Err(Trouble::Unknown(decided.answers)),
        }
    }

    /// Waits for what the database is asked, and lets it be known that it does not answer. An error: it took
    /// so long that the connection counts as lost.
    async fn patiently<T>(&self, asked: impl Future<Output = T>) -> Result<T, ()> {
        let mut asked = std::pin::pin!(asked);
        if let Ok(done) = timeout(SLOW, &mut asked).await {
            return Ok(done);
        }
        self.is_away(Some(&StoreError::Busy));
        timeout(STUCK, asked).await.map_err(|_| ())
    }

    /// Begins, and writes the batch's number down: how often its serials were to be given up. `None`: this
    /// node has been ended by another, or the database does not have what it had.
    async fn begin(&self, session: &mut Session, batch: i64) -> Result<Option<i64>, StoreError> {
        // A database that went back to before the last batch does not have its number.
        let mark = "UPDATE nodes SET batch = $2 WHERE no = $1 AND ended_at IS NULL AND batch = $3 \
                    RETURNING renewed";
        let mark = session.prepared(mark).await?;
        let begin = session.client.batch_execute("BEGIN");
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&self.parts.node.no, &batch, &self.committed];
        let mark = session.client.query_opt(&mark, &params);
        let ((), marked) = futures_util::future::try_join(begin, mark).await?;
        Ok(marked.map(|row| row.get(0)))
    }

    fn decide(
        &mut self,
        order: &Order,
        loaded: &mut Loaded,
        decided: &mut Decided,
        numbers: &mut Option<PartnerNumbers>,
    ) -> Result<Answer, Trouble> {
        let placed = match (numbers, &order.command) {
            (Some(numbers), Command::AddPartner(_)) => match numbers.next() {
                None => return Ok(Err(Code::T0503.into())),
                placed => placed,
            },
            _ => None,
        };
        self.latest = self.latest.max((self.parts.clock)());
        let epochs = self.parts.epochs.load();
        let context = Context {
            now: self.latest,
            serial: placed.unwrap_or(self.serials.next()),
            epochs: &epochs,
            rules: self.parts.rules,
        };
        let change = match decide(&loaded.rows.view(&order.command.reads()), order, &context) {
            Ok(change) => change,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if placed.is_none() {
            self.serials.used(change.serials)?;
        }
        for write in change.writes {
            decided.take(write, loaded, &self.parts.sealer)?;
        }
        Ok(Ok(change.reply))
    }

    /// Accounts' blind indexes under the keys of this moment: the callers' may be of before a rotation that
    /// has re-indexed the rows since. `None`: no order has one.
    fn indexed_anew(&self, orders: &[Order]) -> Option<Vec<Order>> {
        let registers = |order: &Order| matches!(order.command, Command::RegisterKey(_));
        orders
            .iter()
            .any(registers)
            .then(|| orders.iter().map(|one| self.with_index(one)).collect())
    }

    fn with_index(&self, order: &Order) -> Order {
        let Command::RegisterKey(new) = &order.command else { return order.clone() };
        let sub_id = new.sub_id.as_deref();
        let prints = self.parts.sealer.fingerprints(new.partner, sub_id, &new.bank, &new.account);
        let new = NewKey { fingerprints: prints, ..(**new).clone() };
        Order { actor: order.actor.clone(), command: Command::RegisterKey(Box::new(new)) }
    }

    /// Whether the last batch was committed. Waits for the transaction to end that may still hold this
    /// node's row, and writes: once that is acknowledged, whatever was committed before it is on the
    /// standby too. `None`: this node has been ended.
    async fn look(&mut self) -> Result<Option<bool>, StoreError> {
        let mut session = self.connected().await?;
        let sql = "UPDATE nodes SET looks = looks + 1 WHERE no = $1 AND ended_at IS NULL \
                   RETURNING batch";
        let node = self.parts.node.no;
        let looking = async {
            let statement = session.prepared(sql).await?;
            session.warned();
            let found = session.client.query_opt(&statement, &[&node]).await?;
            match session.warned() {
                false => Ok::<_, StoreError>(found),
                true => Err(StoreError::Busy),
            }
        };
        match timeout(ONE_LOOK, looking).await.unwrap_or(Err(StoreError::Busy)) {
            Ok(None) if !self.is_so(&mut session).await => Err(StoreError::Busy),
            Ok(found) => {
                self.parts.link.trust(&session.server);
                self.session = Some(session);
                Ok(found.map(|row| row.get::<_, i64>(0) == self.batch))
            }
            Err(error) => {
                self.parts.link.doubt(&session.server);
                Err(error)
            }
        }
    }

    /// Runs the batch until it is known what became of it.
    async fn until_known(&mut self, orders: &[Order]) -> Result<Vec<Answer>, StoreError> {
        let (mut again, mut rail_alone) = (0, false);
        loop {
            match self.transact(orders, rail_alone).await {
                Ok(answers) => {
                    self.is_away(None);
                    return Ok(answers);
                }
                Err(Trouble::RailAlone) => rail_alone = true,
                Err(Trouble::Again(_)) if again < AGAIN_MAX => again += 1,
                Err(Trouble::Again(error) | Trouble::Not(error)) => {
                    // Slow, and then refused, is an answer too.
                    let lost = error.is_outage();
                    self.is_away(lost.then_some(&error));
                    return Err(error);
                }
                Err(Trouble::Fenced) => end_as_fenced(),
                Err(Trouble::Unknown(answers)) => {
                    self.is_away(Some(&StoreError::Busy));
                    if self.was_committed().await {
                        self.committed = self.batch;
                        self.is_away(None);
                        return Ok(answers);
                    }
                    self.serials.forget();
                    // Known not to be: the same batch again, decided on what is there now.
                }
            }
        }
    }

    /// Whether the database answers; its going and coming are logged.
    fn is_away(&self, why: Option<&StoreError>) {
        let was = self.outage.swap(why.is_some(), Ordering::SeqCst);
        match why {
            Some(error) if !was => tracing::error!(%error, "the database does not answer"),
            None if was => tracing::warn!("the database answers again"),
            _ => {}
        }
    }

    async fn was_committed(&mut self) -> bool {
        loop {
            match self.look().await {
                Ok(Some(committed)) => {
                    tracing::info!(committed, "what became of a commit is known");
                    return committed;
                }
                Ok(None) => end_as_fenced(),
                Err(error) => tracing::warn!(%error, "what became of a commit is not known yet"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }
}

/// What is said to an order whose partner is not served here; `None`: it is decided. Nothing is written. The
/// engine is told to come again while the shard may come back, and to forget what another cell took over.
fn elsewhere(order: &Order, loaded: &Loaded) -> Option<Answer> {
    if loaded.away.is_empty() {
        return None;
    }
    let reads = order.command.reads();
    let notice = reads.notice.and_then(|no| loaded.rows.notices.get(&no));
    let proposal = reads.proposal.and_then(|no| loaded.rows.proposals.get(&no));
    let named = [
        reads.partner,
        notice.map(|notice| notice.partner),
        proposal.map(|proposal| proposal.act.partner),
    ];
    let away = named.into_iter().flatten().find_map(|partner| loaded.away.get(&partner))?;
    Some(match (away, &order.actor) {
        (Away::Gone, Actor::Engine) => Ok(Reply::Stale),
        _ => Err(Code::T0503.into()),
    })
}

/// What a caller is told of an order of which nothing was written.
fn not_written(error: &StoreError) -> Code {
    if error.is_outage() {
        // Logged once, when it began.
        return Code::T0503;
    }
    let full = |error: &tokio_postgres::Error| {
        error.code() == Some(&tokio_postgres::error::SqlState::DISK_FULL)
    };
    if matches!(error, StoreError::Postgres(error) if full(error)) {
        tracing::error!(%error, "the disk is full: refused, nothing was written");
        return Code::T0503;
    }
    tracing::error!(%error, "an order could not be written and was rolled back");
    Code::T0999
}

impl Drop for PostgresBackend {
    fn drop(&mut self) {
        self.parts.node.leave();
        let (link, node) = (Arc::clone(&self.parts.link), Arc::clone(&self.parts.node));
        let ended = self.parts.link.wait(PATIENCE, async move {
            let mut session = link.bounded(SERVER).await?;
            super::nodes::end(&session, node.no).await?;
            // What a restore would have to reach.
            node.tell_witness(&link, &mut session).await
        });
        if let Err(error) = ended {
            tracing::warn!(%error, "the other nodes wait for this one's lease to be over");
        }
    }
}

impl Backend for PostgresBackend {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        let handle = self.parts.link.handle();
        handle.block_on(async {
            match self.until_known(orders).await {
                Ok(answers) => answers,
                Err(error) if orders.len() > 1 && not_written(&error) == Code::T0999 => {
                    // One by one, so that only the order that cannot be written is told so.
                    let mut answers = Vec::with_capacity(orders.len());
                    for order in orders {
                        let one = self.until_known(std::slice::from_ref(order)).await;
                        let refused = |error| vec![Err(not_written(&error).into())];
                        answers.extend(one.unwrap_or_else(refused));
                    }
                    answers
                }
                Err(error) => {
                    let code = not_written(&error);
                    orders.iter().map(|_| Err(code.into())).collect()
                }
            }
        })
    }

    fn reseal(&mut self, after: i64, limit: usize) -> Result<Option<i64>, StoreError> {
        super::reseal::slice(self, after, limit)
    }

    fn outage(&self) -> Option<Arc<AtomicBool>> {
        Some(Arc::clone(&self.outage))
    }
}
