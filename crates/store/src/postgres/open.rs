//! Opening a store on PostgreSQL: version, durability, environment, keys and epoch are checked before it
//! serves.

use super::batch::{Parts, PostgresBackend};
use super::confirm::acknowledged;
use super::link::{Link, Session};
use super::nodes::{self, Node};
use super::pool::PostgresReader;
use super::shards::{self, Peer};
use crate::keys::Keys;
use crate::port::{Backend, Clock, StoreError};
use crate::prints::{self, Known};
use crate::seal::Sealer;
use crate::witness::Witness;
use arc_swap::ArcSwap;
use ichae_domain::command::{Actor, Command, Doubt, Order};
use ichae_domain::ident::{EPOCHS_MAX, Epochs, GroupNo, PartnerNo, PayoutNo, Start};
use ichae_domain::time::Time;
use ichae_domain::view::{EventKind, Rules};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::time::timeout;

mod migrations {
    refinery::embed_migrations!("src/postgres/migrations");
}

/// One node at a time looks whether the tables are there.
pub(super) const OPENING: i64 = 0x6963_6861_6500;
/// A start may have to wait for another node's.
const OPEN_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to show that it leads, and how many are tried.
const LOOK: Duration = Duration::from_secs(4);
const LOOKS: usize = 4;
/// An index on a hundred million rows takes less.
const MIGRATE_LIMIT: Duration = Duration::from_secs(6 * 3_600);
/// Payouts of one commit, of those that are in doubt.
const TOGETHER: i64 = 1_000;

/// How a store is opened.
#[derive(Clone)]
pub struct Settings {
    pub link: Arc<Link>,
    /// `test` or `live`; a store made for one is refused by the other.
    pub environment: &'static str,
    pub rules: Rules,
    pub clock: Clock,
    /// Keeps, outside the store, how far it was; tells a store that is older than it was.
    pub witness: Option<PathBuf>,
    /// What this node is called; no two that are there at once may have one name.
    pub node: String,
    /// One statement after the other, for the yardstick of the benchmark.
    pub one_by_one: bool,
    /// The other cells of the installation, where there are some.
    pub peers: Vec<Arc<Peer>>,
}

/// An open store: its writer's half and its readers.
pub struct Opened {
    pub backend: PostgresBackend,
    pub reader: PostgresReader,
    /// Set where the store was found to be older than it was (decision I1).
    pub rolled_back: bool,
}

/// Opens the store, and makes it where there is none. The node is heard of from then on, until what was
/// opened is dropped.
pub fn open(settings: Settings, sealer: &Arc<Sealer>) -> Result<Opened, StoreError> {
    let link = Arc::clone(&settings.link);
    let keys = sealer.keys();
    let Ready { node, epochs, latest, rolled_back } =
        link.wait(OPEN_LIMIT, ready(settings.clone(), keys))?;
    let (node, epochs) = (Arc::new(node), Arc::new(ArcSwap::from_pointee(epochs)));
    let outage = Arc::new(AtomicBool::new(false));
    let parts = Parts {
        link: Arc::clone(&link),
        sealer: Arc::clone(sealer),
        rules: settings.rules,
        clock: settings.clock,
        epochs: Arc::clone(&epochs),
        one_by_one: settings.one_by_one,
        node: Arc::clone(&node),
        latest,
    };
    let mut backend = PostgresBackend::new(parts, outage);
    let reader =
        PostgresReader::new(Arc::clone(&link), Arc::clone(&epochs), Arc::clone(sealer), &node)?;
    // Heard of from now on: what is in doubt may take longer than a lease.
    link.handle().spawn(nodes::beat(Arc::downgrade(&node), Arc::downgrade(&link)));
    doubt_lost_time(&mut backend, &link, &epochs.load_full())?;
    Ok(Opened { backend, reader, rolled_back })
}

struct Ready {
    node: Node,
    epochs: Epochs,
    latest: Time,
    rolled_back: bool,
}

/// A session on a server that acknowledges: another that calls itself primary would leave us waiting, and our
/// session there holding what the next start needs.
async fn leading(link: &Link) -> Result<Session, StoreError> {
    let mut told = Err(StoreError::Busy);
    for _ in 0..LOOKS {
        let mut session = link.session().await?;
        told = match timeout(LOOK, acknowledged(link, &mut session, 0)).await {
            Ok(Ok(_)) => return Ok(session),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StoreError::Busy),
        };
        link.doubt(&session.server);
    }
    told
}

async fn ready(settings: Settings, keys: Keys) -> Result<Ready, StoreError> {
    let link = &settings.link;
    let mut session = leading(link).await?;
    session.client.query_one("SELECT pg_advisory_lock($1)", &[&OPENING]).await?;
    tables(&mut session, false).await?;
    identify(&session, settings.environment, (settings.clock)()).await?;
    know_keys(&session, &keys).await?;
    let store_id: Vec<u8> =
        session.client.query_one("SELECT store_id FROM store", &[]).await?.get(0);
    let witness = settings.witness.as_deref().map(|path| Witness::of(path, path));
    let rolled_back = match &witness {
        Some(witness) => start_epoch(&session, witness, &store_id, &settings).await?,
        None => false,
    };
    shards::settle(&session, &settings.peers, rolled_back, (settings.clock)()).await?;
    let witness = witness.map(|witness| (witness, store_id));
    let others = (settings.peers.clone(), Arc::clone(&settings.clock));
    let node = Node::register(&session, &settings.node, witness, others).await?;
    node.tell_witness(link, &mut session).await?;
    let epochs = epochs_now(&session).await?;
    let latest = latest_in(&session).await?;
    session.client.query_one("SELECT pg_advisory_unlock($1)", &[&OPENING]).await?;
    Ok(Ready { node, epochs, latest, rolled_back })
}

/// Brings the tables to this version: (before, now). Makes them where there are none.
pub fn migrate(link: &Arc<Link>) -> Result<(Option<i64>, i64), StoreError> {
    let of = Arc::clone(link);
    link.wait(MIGRATE_LIMIT, async move {
        let mut session = of.session().await?;
        session.client.query_one("SELECT pg_advisory_lock($1)", &[&OPENING]).await?;
        let before = version(&session).await?;
        tables(&mut session, true).await?;
        let after = version(&session).await?.unwrap_or_default();
        Ok((before, after))
    })
}

/// Makes the tables, or refuses older ones. Of a version newer by one is served too: that is how a fleet is
/// upgraded node by node.
pub(super) async fn tables(session: &mut Session, migrate: bool) -> Result<(), StoreError> {
    let runner = migrations::migrations::runner();
    let known = runner.get_migrations().iter().map(|m| i64::from(m.version())).max().unwrap_or(0);
    match version(session).await? {
        Some(version) if version > known + 1 => {
            return Err(StoreError::Refused(format!(
                "this store is of version {version}, this ichae knows up to {known}: use a newer \
                 ichae"
            )));
        }
        Some(version) if version >= known => return Ok(()),
        Some(version) if !migrate => {
            return Err(StoreError::Refused(format!(
                "this store is of version {version}, this ichae needs {known}: run `ichae migrate` \
                 once"
            )));
        }
        Some(_) | None => {}
    }
    // Nobody who serves waits long behind a change of the tables.
    session.client.batch_execute("SET lock_timeout = '5s'").await?;
    let done = runner.run_async(&mut session.client).await;
    session.client.batch_execute("RESET lock_timeout").await?;
    done.map(|_| ())
        .map_err(|error| StoreError::Refused(format!("the store cannot be upgraded: {error}")))
}

async fn version(session: &Session) -> Result<Option<i64>, StoreError> {
    if !has(session, "refinery_schema_history").await? {
        return Ok(None);
    }
    let sql = "SELECT max(version)::bigint FROM refinery_schema_history";
    Ok(session.client.query_one(sql, &[]).await?.get(0))
}

async fn has(session: &Session, table: &str) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass($1) IS NOT NULL";
    Ok(session.client.query_one(sql, &[&table]).await?.get(0))
}

/// Gives a new store its id and environment; refuses one of another environment.
pub(super) async fn identify(
    session: &Session,
    environment: &'static str,
    now: Time,
) -> Result<(), StoreError> {
    let client = &session.client;
    let found = client.query_opt("SELECT environment FROM store", &[]).await?;
    if let Some(found) = found {
        let made_for: String = found.get(0);
        return match made_for == environment {
            true => Ok(()),
            false => Err(StoreError::Refused(format!(
                "this store was made for {made_for}, not for {environment}"
            ))),
        };
    }
    let id = crate::keys::Key::random()?;
    let (id, made_at) = (&id.bytes()[..16], now.0);
    client.batch_execute("BEGIN").await?;
    let sql = "INSERT INTO store (one, store_id, made_at, environment) VALUES (1, $1, $2, $3)";
    client.execute(sql, &[&id, &made_at, &environment]).await?;
    client.execute("INSERT INTO epochs (epoch, first_serial) VALUES (0, 1)", &[]).await?;
    Ok(client.batch_execute("COMMIT").await?)
}

async fn known_keys(session: &Session) -> Result<Vec<Known>, StoreError> {
    let rows = session.client.query("SELECT kind, id, print FROM key_prints", &[]).await?;
    let known = |row: &tokio_postgres::Row| {
        let id = u32::try_from(row.get::<_, i64>(1));
        let id = id.map_err(|_| StoreError::Damaged("the number of a key".to_owned()))?;
        Ok((row.get(0), id, row.get(2)))
    };
    rows.iter().map(known).collect()
}

/// Numbers of the keys that rows are under.
async fn used_keys(session: &Session) -> Result<BTreeSet<u32>, StoreError> {
    let sql = "SELECT substr(account, 1, 4) FROM billing_keys UNION \
               SELECT substr(webhook_secret, 1, 4) FROM partners WHERE webhook_secret IS NOT NULL \
               UNION SELECT substr(instrument, 1, 4) FROM payers \
               UNION SELECT substr(texts, 1, 4) FROM charges";
    let damaged = || StoreError::Damaged("what a row is sealed under".to_owned());
    let rows = session.client.query(sql, &[]).await?;
    rows.iter().map(|row| Sealer::sealed_under(row.get(0)).ok_or_else(damaged)).collect()
}

/// As the embedded store: every key that the store knows must be there and the same. What is compared first
/// is what is known; what rows are under is read only where a key is missing.
pub(super) async fn compare_keys(session: &Session, keys: &Keys) -> Result<(), StoreError> {
    let known = known_keys(session).await?;
    let used = match prints::retired(&known, keys).is_empty() {
        true => BTreeSet::new(),
        false => used_keys(session).await?,
    };
    prints::compare(&known, keys, || Ok(used.clone()))
}

/// Compares the keys, and writes new ones down before anything is sealed under them.
pub(super) async fn know_keys(session: &Session, keys: &Keys) -> Result<(), StoreError> {
    compare_keys(session, keys).await?;
    let client = &session.client;
    for (kind, id) in prints::retired(&known_keys(session).await?, keys) {
        let sql = "DELETE FROM key_prints WHERE kind = $1 AND id = $2";
        client.execute(sql, &[&kind, &i64::from(id)]).await?;
    }
    for (kind, id, print) in prints::of(keys) {
        let sql = "INSERT INTO key_prints VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        client.execute(sql, &[&kind, &i64::from(id), &&print[..]]).await?;
    }
    Ok(())
}

fn bad_epochs() -> StoreError {
    StoreError::Damaged("the table of epochs".to_owned())
}

/// As a row says: first serial, epoch, cell.
pub(super) fn start_of(row: &tokio_postgres::Row) -> Result<Start, StoreError> {
    let epoch = u16::try_from(row.try_get::<_, i32>(1)?).map_err(|_| bad_epochs())?;
    let cell: Option<i16> = row.try_get(2)?;
    let cell = cell.map(u8::try_from).transpose().map_err(|_| bad_epochs())?;
    Ok(Start { first: row.try_get(0)?, epoch, cell })
}

pub(super) const STARTS: &str = "SELECT e.first_serial, e.epoch, e.cell, s.cell FROM epochs e \
     CROSS JOIN store s ORDER BY e.epoch";

/// Of the rows of [`STARTS`].
pub(super) fn epochs_of(rows: &[tokio_postgres::Row]) -> Result<Epochs, StoreError> {
    let starts = rows.iter().map(start_of).collect::<Result<Vec<_>, _>>()?;
    let cell: Option<i16> = rows.first().and_then(|row| row.get(3));
    let cell = cell.map(u8::try_from).transpose().map_err(|_| bad_epochs())?;
    Epochs::of_cell(starts, cell).ok_or_else(bad_epochs)
}

pub(super) async fn starts(session: &Session) -> Result<Vec<Start>, StoreError> {
    session.client.query(STARTS, &[]).await?.iter().map(start_of).collect()
}

pub(super) async fn epochs_now(session: &Session) -> Result<Epochs, StoreError> {
    epochs_of(&session.client.query(STARTS, &[]).await?)
}

/// The number of the last event of this store's own: what comes with a shard has numbers of another cell.
pub(super) const LAST_EVENT: &str = "SELECT coalesce((SELECT e.no FROM events e WHERE \
     coalesce(mod(e.no, 64) = (SELECT s.cell FROM store s), TRUE) ORDER BY e.no DESC LIMIT 1), 0)";

async fn last_event(session: &Session) -> Result<i64, StoreError> {
    Ok(session.client.query_one(LAST_EVENT, &[]).await?.get(0))
}

async fn latest_in(session: &Session) -> Result<Time, StoreError> {
    let sql = "SELECT at FROM events ORDER BY no DESC LIMIT 1";
    Ok(Time(session.client.query_opt(sql, &[]).await?.map_or(0, |row| row.get(0))))
}

/// The latest moment that a store has written down, before it is opened to serve; zero where there is no
/// store yet.
pub fn latest(link: &Arc<Link>) -> Result<Time, StoreError> {
    let of = Arc::clone(link);
    link.wait(OPEN_LIMIT, async move {
        let session = of.session().await?;
        match has(&session, "events").await? {
            true => latest_in(&session).await,
            false => Ok(Time(0)),
        }
    })
}

/// A store that is older than its witness starts a new epoch and pauses the rail: what was sent in the lost
/// time is known to the bank only (decision I1). A restore to a point in time is such a store.
async fn start_epoch(
    session: &Session,
    witness: &Witness,
    store_id: &[u8],
    settings: &Settings,
) -> Result<bool, StoreError> {
    // Before the store is asked: another node may have the same witness, and be ahead of this one.
    let seen = witness.read(store_id)?;
    let known = epochs_now(session).await?;
    let (epoch, events) = (known.current(), last_event(session).await?);
    // Where another node has begun a later epoch already, that one counts.
    let older =
        seen.filter(|seen| seen.epoch > epoch || seen.epoch == epoch && seen.events > events);
    if let Some(seen) = &older {
        let mut last = epoch.max(seen.epoch);
        for peer in &settings.peers {
            let theirs = peer.epochs().await.map_err(|error| silent(peer, &error))?;
            last = theirs.iter().map(|start| start.epoch).max().map_or(last, |one| one.max(last));
        }
        let next = last + 1;
        if next >= EPOCHS_MAX {
            return Err(StoreError::Refused(format!("all {EPOCHS_MAX} store epochs are used up")));
        }
        let lost = seen.events.saturating_sub(events);
        let reason = format!("the store is {lost} events older than it was; epoch {next} started");
        begin_epoch(session, next, known.cell(), settings, &reason).await?;
    }
    Ok(older.is_some())
}

/// As the embedded store: no number of the time before can come again, the rail is paused, and what may have
/// been sent in a lost time is marked to be asked about.
async fn begin_epoch(
    session: &Session,
    epoch: u16,
    cell: Option<u8>,
    settings: &Settings,
    reason: &str,
) -> Result<(), StoreError> {
    let (client, now) = (&session.client, (settings.clock)());
    for peer in &settings.peers {
        // What was numbered in the lost time may live there.
        let theirs = peer.numbers().await.map_err(|error| silent(peer, &error))?;
        shards::go_on_above(session, cell.unwrap_or_default(), &theirs).await?;
        let known = peer.epochs().await.map_err(|error| silent(peer, &error))?;
        let ours = known.iter().filter(|start| start.cell == cell).map(|start| start.first);
        let serials = [ours.max().unwrap_or_default()];
        shards::go_on_above(session, cell.unwrap_or_default(), &serials).await?;
    }
    let first: i64 = client.query_one("SELECT nextval('serials')", &[]).await?.get(0);
    // The other cells first: one that begins an epoch at the same time takes another number.
    for peer in &settings.peers {
        let start = Start { first, epoch, cell };
        peer.note_epoch(start).await.map_err(|error| silent(peer, &error))?;
    }
    client.batch_execute("BEGIN").await?;
    let sql = "INSERT INTO epochs (epoch, first_serial, in_doubt, cell) VALUES ($1, $2, TRUE, $3)";
    let cell = cell.map(i16::from);
    client.execute(sql, &[&i32::from(epoch), &first, &cell]).await?;
    let sql = "UPDATE rails SET paused_at = $1, paused_by = 'ichae', pause_reason = $2, \
               bank_counter = 0";
    client.execute(sql, &[&now.0, &reason]).await?;
    // Whoever still runs knows nothing of the new epoch: it writes nothing any more.
    let sql = "UPDATE nodes SET ended_at = clock_timestamp() WHERE ended_at IS NULL";
    client.execute(sql, &[]).await?;
    let sql = "INSERT INTO events (at, actor_kind, kind, about_kind, about, note) \
               VALUES ($1, 2, $2, 6, 0, $3)";
    client.execute(sql, &[&now.0, &(EventKind::EpochStarted as i16), &reason]).await?;
    Ok(client.batch_execute("COMMIT").await?)
}

fn silent(peer: &Peer, error: &StoreError) -> StoreError {
    StoreError::Refused(format!(
        "this store is older than it was and begins an epoch, which every cell must know; cell {} did \
         not take it ({error}): start again when it answers",
        peer.cell
    ))
}

/// Turns what is in doubt into unknown outcomes, before the store serves.
fn doubt_lost_time(
    backend: &mut PostgresBackend,
    link: &Arc<Link>,
    epochs: &Arc<Epochs>,
) -> Result<(), StoreError> {
    let ask = |sql: &'static str| {
        let of = Arc::clone(link);
        link.wait(OPEN_LIMIT, async move { Ok(of.session().await?.client.query(sql, &[]).await?) })
    };
    if ask("SELECT 1 FROM epochs WHERE in_doubt")?.is_empty() {
        return Ok(());
    }
    let mut doubted = 0;
    loop {
        let found = doubtful(link, epochs)?;
        if found.is_empty() {
            break;
        }
        let order =
            |doubt| Order { actor: Actor::Engine, command: Command::Doubt(Box::new(doubt)) };
        let orders: Vec<Order> = found.into_iter().map(order).collect();
        doubted += orders.len();
        // On a thread of its own: this one may be driving other work, and must not wait for a future.
        let told = std::thread::scope(|scope| scope.spawn(|| backend.commit(&orders)).join());
        let panicked =
            |_| StoreError::Refused("payouts of a lost time: the writer panicked".to_owned());
        let told = told.map_err(panicked)?;
        if let Some(Err(refusal)) = told.into_iter().find(Result::is_err) {
            let code = refusal.code.name();
            return Err(StoreError::Refused(format!(
                "payouts of a lost time could not be marked as unknown ({code}): start again"
            )));
        }
    }
    let of = Arc::clone(link);
    link.wait(OPEN_LIMIT, async move {
        let sql = "UPDATE epochs SET in_doubt = FALSE WHERE in_doubt";
        of.session().await?.client.execute(sql, &[]).await?;
        Ok(())
    })?;
    tracing::warn!(doubted, "may have been sent in a lost time: the bank is asked");
    Ok(())
}

/// The next payouts of before this epoch that wait or are executed; those that were marked are none any more.
fn doubtful(link: &Arc<Link>, epochs: &Arc<Epochs>) -> Result<Vec<Doubt>, StoreError> {
    let (of, start) = (Arc::clone(link), epochs.current_start());
    let rows = link.wait(OPEN_LIMIT, async move {
        let sql = format!(
            "SELECT p.no, p.partner, p.grp FROM payouts p JOIN groups g ON g.no = p.grp \
             WHERE p.no < $1 AND (p.own = 1 OR p.own IS NULL AND g.mode <> 3) AND {} \
             ORDER BY p.no LIMIT $2",
            shards::served("p.partner")
        );
        Ok(of.session().await?.client.query(&sql, &[&start, &TOGETHER]).await?)
    })?;
    let doubt = |row: &tokio_postgres::Row| {
        let (payout, partner) = (PayoutNo(row.get(0)), PartnerNo(row.get(1)));
        let bank_no = epochs.first_bank_no(partner, payout);
        Doubt { payout, partner, group: GroupNo(row.get(2)), bank_no }
    };
    Ok(rows.iter().map(doubt).collect())
}
