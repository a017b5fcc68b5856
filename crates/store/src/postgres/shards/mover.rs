//! Moves one shard: its rows are brought while it is served, then it is frozen for a moment, the rest is
//! brought and compared, and it is handed over.
//!
//! The handing over is one commit, in the cell that had the shard: before it that cell has it, after it the
//! other one, which was given everything before. So there are never two that have it. Between the two there
//! may be none for a moment, or, where the mover died right there, until the same command is run again or a
//! node of the other cell looks, which each does every two seconds.

use super::super::confirm::acknowledged;
use super::super::link::Session;
use super::carry::{Carrier, clear, unwatch, watch};
use super::init::{come_to, go_on_above};
use super::map::{COLUMNS, Cell, Shard, State, TELL, back_to_steady, is_cell, shard, tell};
use super::{KNOWS, MOVING};
use crate::port::StoreError;
use ichae_domain::time::Time;
use ichae_domain::view::EventKind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;

/// Moving a shard of a hundred million rows takes less.
const LIMIT: Duration = Duration::from_secs(24 * 3_600);
/// So few changes are brought in a moment.
const FEW: i64 = 500;
/// Times that changes are brought before what is left is taken as few.
const ROUNDS: usize = 20;

/// What a move is at.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// In pages of the table.
    Copying {
        table: &'static str,
        done: i64,
        of: i64,
    },
    Comparing {
        table: &'static str,
        done: i64,
        of: i64,
    },
    /// So many rows had changed since.
    Changes {
        rows: i64,
    },
    Freezing,
    HandedOver {
        frozen: Duration,
    },
    Clearing {
        table: &'static str,
        done: i64,
        of: i64,
    },
}

/// What became of a move.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    pub version: i64,
    /// Rows that were brought; one that changed meanwhile counts each time.
    pub rows: u64,
    /// From the first refusal to the handing over; `None` where an earlier call had come that far.
    pub frozen: Option<Duration>,
}

/// Moves a shard from one cell to another. `frozen` bounds how long nothing of it is taken: where that is not
/// enough it stays where it is. The same call again finishes one that was cut.
///
/// Errors: [`StoreError::Refused`] says what to do; of an outage, run it again.
pub fn move_shard(
    from: &Cell,
    to: &Cell,
    shard: u16,
    frozen: Duration,
    now: Time,
    progress: impl FnMut(Step) + Send + Sync + 'static,
) -> Result<Moved, StoreError> {
    let (from, to) = (from.clone(), to.clone());
    let link = Arc::clone(&from.link);
    link.wait(LIMIT, async move {
        let ends = Ends { from: end(&from).await?, to: end(&to).await?, cells: [from, to], now };
        let mut mover = Mover { ends, shard, frozen, progress };
        mover.run().await
    })
}

/// A session in one of the two cells, held by this move alone.
async fn end(cell: &Cell) -> Result<Session, StoreError> {
    let mut session = cell.link.session().await?;
    acknowledged(&cell.link, &mut session, 0).await?;
    is_cell(&session, cell.no).await?;
    // Ours alone, planned for tables of which a part is read, and soon known to be gone where we are.
    let set = "SET plan_cache_mode = auto; SET join_collapse_limit = 8; \
               SET idle_in_transaction_session_timeout = '10s'; \
               SET client_connection_check_interval = '1s'; SET tcp_keepalives_idle = 5; \
               SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; \
               SET lock_timeout = '15s'";
    session.client.batch_execute(set).await?;
    // What a mover that has just died was at ends in a moment.
    match session.client.query_one("SELECT pg_advisory_lock($1)", &[&MOVING]).await {
        Ok(_) => session.client.batch_execute("RESET lock_timeout").await?,
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            return Err(StoreError::Refused(format!(
                "cell {} is at something already: another shard moves, or keys are rotated; wait for \
                 it",
                cell.no
            )));
        }
        Err(error) => return Err(error.into()),
    }
    // A store that was restored is looked at by its node first: what was sent meanwhile is asked about, and
    // what moved meanwhile is another's.
    let sql = "SELECT EXISTS (SELECT 1 FROM epochs WHERE in_doubt), EXISTS ( \
               SELECT 1 FROM nodes n JOIN leases l ON l.node = n.no WHERE n.ended_at IS NULL \
               AND l.seen_at > clock_timestamp() - interval '10 s')";
    let row = session.client.query_one(sql, &[]).await?;
    if row.get(0) || !row.get::<_, bool>(1) {
        return Err(StoreError::Refused(format!(
            "no node of cell {} serves: start one, which first looks at what was sent and moved \
             since, and move the shard then",
            cell.no
        )));
    }
    let sql = "SELECT name FROM nodes WHERE ended_at IS NULL AND knows < $1";
    if let Some(row) = session.client.query_opt(&format!("{sql} LIMIT 1"), &[&KNOWS]).await? {
        let name: String = row.get(0);
        return Err(StoreError::Refused(format!(
            "node {name} of cell {} is of a version that knows nothing of shards: upgrade it first",
            cell.no
        )));
    }
    Ok(session)
}

struct Ends {
    from: Session,
    to: Session,
    cells: [Cell; 2],
    now: Time,
}

struct Mover<P> {
    ends: Ends,
    shard: u16,
    frozen: Duration,
    progress: P,
}

impl<P: FnMut(Step)> Mover<P> {
    fn number(&self) -> i16 {
        i16::try_from(self.shard).unwrap_or_default()
    }

    async fn run(&mut self) -> Result<Moved, StoreError> {
        let [from, to] = self.ends.cells.each_ref().map(|cell| cell.no);
        let (here, there) = (self.row(&self.ends.from).await?, self.row(&self.ends.to).await?);
        // What was read is so only where a standby has it.
        let Ends { from: source, to: target, cells, .. } = &mut self.ends;
        acknowledged(&cells[0].link, source, 0).await?;
        acknowledged(&cells[1].link, target, 0).await?;
        if here.state == State::Clearing {
            // It was handed over, and the mover died; it may have moved on since.
            let now = if there.cell == to && there.version > here.version { there } else { here };
            if now.cell != to {
                return Err(StoreError::Refused(format!(
                    "shard {} was handed over to cell {} and has to be opened there first: move it to \
                     cell {} once more",
                    self.shard, now.cell, now.cell
                )));
            }
            self.finish(&now).await?;
            return Ok(Moved { version: now.version, rows: 0, frozen: None });
        }
        if here.cell != from {
            return Err(StoreError::Refused(format!(
                "shard {} is cell {}'s, not cell {from}'s: see `ichae shard list`",
                self.shard, here.cell
            )));
        }
        if there.cell == to || there.version > here.version {
            return Err(StoreError::Refused(format!(
                "cell {to} says that shard {} moved since: start a node of cell {from}, which learns it",
                self.shard
            )));
        }
        match self.bring(&here).await {
            Ok((rows, frozen)) => {
                let handed_over = self.row(&self.ends.from).await?;
                self.finish(&handed_over).await?;
                Ok(Moved { version: handed_over.version, rows, frozen: Some(frozen) })
            }
            Err(error) => {
                // Where that fails too, the nodes thaw it in time, and the next move cleans up.
                if let Err(more) = self.give_up().await {
                    tracing::warn!(error = %more, "the move could not be taken back in order");
                }
                Err(error)
            }
        }
    }

    async fn row(&self, session: &Session) -> Result<Shard, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM shards s WHERE s.shard = $1");
        shard(&session.client.query_one(&sql, &[&self.number()]).await?)
    }

    /// Up to the handing over: rows that were brought, and how long it was frozen.
    async fn bring(&mut self, here: &Shard) -> Result<(u64, Duration), StoreError> {
        let Ends { from, to, cells, .. } = &self.ends;
        let [source, target] = cells.each_ref().map(|cell| cell.no);
        alike(from, to, self.shard).await?;
        // Served as before, also where an earlier mover left it frozen.
        from.client.batch_execute("BEGIN").await?;
        back_to_steady(from, self.number()).await?;
        begin(from, self.number(), State::Leaving, source, target).await?;
        from.client.batch_execute("COMMIT").await?;
        // What an earlier try left, or what was not cleared after it had left there.
        clear(to, self.shard, &mut self.progress).await?;
        begin(to, self.number(), State::Arriving, source, source).await?;
        // As old as where it comes from: a start there learns nothing newer meanwhile.
        let sql = "UPDATE shards SET version = $2 WHERE shard = $1";
        to.client.execute(sql, &[&self.number(), &here.version]).await?;
        know_epochs(from, to).await?;
        let mut carrier = None;
        if !nobody(from, self.shard).await? {
            watch(from, self.shard).await?;
            let name = format!("shard {} from cell {source}", self.shard);
            let carrier = carrier.insert(Carrier::new(from, to, self.shard, &name).await?);
            carrier.copy(&mut self.progress).await?;
            drained(carrier, &mut self.progress).await?;
            carrier.compare(&mut self.progress).await?;
            drained(carrier, &mut self.progress).await?;
        }
        (self.progress)(Step::Freezing);
        let began = Instant::now();
        freeze(from, self.number(), self.frozen).await?;
        let mut rows = 0;
        if let Some(carrier) = &mut carrier {
            let changed = carrier.drain().await?;
            (self.progress)(Step::Changes { rows: changed });
            carrier.last().await?;
            carrier.proved().await?;
            rows = carrier.rows;
        }
        // What is newer stands later.
        go_on_above(to, target, &come_to(from).await?).await?;
        brought(from, to, self.number()).await?;
        let Ends { from, to, cells, now } = &mut self.ends;
        // What the other cell was given must be on its standby before anything rests on it.
        acknowledged(&cells[1].link, to, 0).await?;
        hand_over(from, here, target, *now).await?;
        let frozen = began.elapsed();
        (self.progress)(Step::HandedOver { frozen });
        Ok((rows, frozen))
    }

    /// After the handing over: the other cell serves it, and once that is certain nothing of it is needed
    /// here any more.
    async fn finish(&mut self, handed_over: &Shard) -> Result<(), StoreError> {
        let Ends { to, cells, now, .. } = &mut self.ends;
        open_arrived(to, cells[1].no, handed_over, *now).await?;
        acknowledged(&cells[1].link, to, 0).await?;
        let there = self.row(&self.ends.to).await?;
        if there.cell != handed_over.cell || there.version < handed_over.version {
            return Err(StoreError::Refused(format!(
                "cell {} does not have shard {}, which was handed over to it: it was restored to \
                 before; restore it to a later time. Nothing is removed here",
                handed_over.cell, self.shard
            )));
        }
        unwatch(&self.ends.from).await?;
        clear(&self.ends.from, self.shard, &mut self.progress).await?;
        tell(&self.ends.from).await
    }

    /// Before the handing over: it stays where it is. Nothing is changed where it was handed over after all.
    async fn give_up(&mut self) -> Result<(), StoreError> {
        let shard = self.number();
        let Ends { from, to, .. } = &self.ends;
        from.client.batch_execute("ROLLBACK; BEGIN").await?;
        let sql = "SELECT 1 FROM shards WHERE shard = $1 AND state IN (1, 2) FOR UPDATE";
        let ours = from.client.query_opt(sql, &[&shard]).await?.is_some();
        if ours {
            back_to_steady(from, shard).await?;
        }
        from.client.batch_execute("COMMIT").await?;
        unwatch(from).await?;
        to.client.batch_execute("ROLLBACK").await?;
        if ours {
            clear(to, self.shard, &mut self.progress).await?;
        }
        Ok(())
    }
}

/// Whether nobody is or ever was in a shard; nobody comes while it leaves.
pub(super) async fn nobody(session: &Session, shard: u16) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM ledgers WHERE mod(partner, 1024) = $1 LIMIT 1";
    Ok(session.client.query_opt(sql, &[&i64::from(shard)]).await?.is_none())
}

async fn drained<P: FnMut(Step)>(
    carrier: &mut Carrier<'_>,
    progress: &mut P,
) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let rows = carrier.drain().await?;
        progress(Step::Changes { rows });
        if rows < FEW {
            break;
        }
    }
    Ok(())
}

/// Rows are sealed under keys, and mean the same, in both.
async fn alike(from: &Session, to: &Session, shard: u16) -> Result<(), StoreError> {
    let sql = "SELECT environment FROM store";
    let environment = async |session: &Session| -> Result<String, StoreError> {
        Ok(session.client.query_one(sql, &[]).await?.get(0))
    };
    if environment(from).await? != environment(to).await? {
        return Err(StoreError::Refused("one of the cells is TEST, the other LIVE".to_owned()));
    }
    let prints = async |session: &Session| -> Result<Vec<(String, i64, Vec<u8>)>, StoreError> {
        let sql = "SELECT kind, id, print FROM key_prints ORDER BY kind, id";
        let rows = session.client.query(sql, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
    };
    if prints(from).await? != prints(to).await? {
        return Err(StoreError::Refused(
            "the two cells are not under the same keys: copy the key folder to all nodes, and let \
             a rotation finish in both"
                .to_owned(),
        ));
    }
    let sql = "SELECT cst_id FROM partners WHERE mod(no, 1024) = $1";
    let names: Vec<String> =
        from.client.query(sql, &[&i64::from(shard)]).await?.iter().map(|row| row.get(0)).collect();
    let sql = "SELECT cst_id FROM partners WHERE cst_id = ANY($1) AND mod(no, 1024) <> $2 LIMIT 1";
    match to.client.query_opt(sql, &[&names, &i64::from(shard)]).await? {
        None => Ok(()),
        Some(row) => Err(StoreError::Refused(format!(
            "both cells have a partner {}: they were added at the same time; end one of them first",
            row.get::<_, String>(0)
        ))),
    }
}

/// Marks a shard as one that goes or comes. Waits for those that just add a partner to it.
async fn begin(
    session: &Session,
    shard: i16,
    state: State,
    cell: u8,
    other: u8,
) -> Result<(), StoreError> {
    let sql = "UPDATE shards SET state = $2, cell = $3, other = $4, until = NULL WHERE shard = $1";
    let (cell, other) = (i16::from(cell), i16::from(other));
    session.client.execute(sql, &[&shard, &(state as i16), &cell, &other]).await?;
    Ok(())
}

/// Numbers that were given under an epoch of the one mean the same in the other.
async fn know_epochs(from: &Session, to: &Session) -> Result<(), StoreError> {
    let sql = "SELECT epoch, first_serial, cell FROM epochs";
    for row in from.client.query(sql, &[]).await? {
        let (epoch, first, cell): (i32, i64, Option<i16>) = (row.get(0), row.get(1), row.get(2));
        let sql = "INSERT INTO epochs (epoch, first_serial, cell) VALUES ($1, $2, $3) \
                   ON CONFLICT (epoch) DO NOTHING";
        to.client.execute(sql, &[&epoch, &first, &cell]).await?;
    }
    Ok(())
}

/// From its commit on nothing of the shard is taken here. It waits for what is under way: for batches by
/// their ledgers, for what names a notice or a proposal by the table and the desk. One statement, so that no
/// lock outlives a mover that stands still; directories are told nothing, because the shard still is here.
async fn freeze(session: &Session, shard: i16, frozen: Duration) -> Result<(), StoreError> {
    let (limit, seconds) = (frozen.as_millis().clamp(100, 2_000), frozen.as_secs_f64());
    let sql = format!(
        "SET LOCAL statement_timeout = {limit}; \
         DO $$ BEGIN \
           PERFORM one FROM store FOR UPDATE; \
           PERFORM 1 FROM ledgers WHERE mod(partner, 1024) = {shard} ORDER BY partner FOR UPDATE; \
           UPDATE ledgers SET away = 1 WHERE mod(partner, 1024) = {shard} AND away = 0; \
           LOCK TABLE notices IN EXCLUSIVE MODE; \
           UPDATE shards SET state = 2, until = clock_timestamp() + make_interval(secs => {seconds}) \
             WHERE shard = {shard} AND state = 1; \
         END $$"
    );
    Ok(session.client.batch_execute(&sql).await?)
}

/// Everything is there. It is of that one freezing: what an earlier try brought must never be opened.
async fn brought(from: &Session, to: &Session, shard: i16) -> Result<(), StoreError> {
    let sql = "SELECT (extract(epoch FROM until) * 1000000)::bigint FROM shards WHERE shard = $1";
    let until: Option<i64> = from.client.query_one(sql, &[&shard]).await?.get(0);
    let sql = "UPDATE shards SET state = 5, \
               until = timestamptz 'epoch' + $2::bigint * interval '1 microsecond' \
               WHERE shard = $1 AND state = 3";
    match to.client.execute(sql, &[&shard, &until]).await? {
        1 => Ok(()),
        _ => Err(StoreError::Refused(
            "the other cell has begun something else with the shard: it stays where it is; move it \
             again"
                .to_owned(),
        )),
    }
}

/// The one commit that counts, and one statement. Nothing where the shard was thawed meanwhile, or is not the
/// one that was brought.
async fn hand_over(
    session: &mut Session,
    here: &Shard,
    to: u8,
    now: Time,
) -> Result<(), StoreError> {
    let (shard, version) = (here.shard, here.version);
    let note = told(now, &format!("shard {shard} was handed over to cell {to}"));
    let sql = format!(
        "DO $$ BEGIN \
           UPDATE shards SET cell = {to}, state = 4, version = version + 1 \
             WHERE shard = {shard} AND state = 2 AND version = {version} \
             AND until > clock_timestamp(); \
           IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = '{THAWED}'; END IF; \
           UPDATE ledgers SET away = 2 WHERE mod(partner, 1024) = {shard}; \
           {note}; {TELL}; \
         END $$"
    );
    session.warned();
    match session.client.batch_execute(&sql).await {
        Ok(()) if session.warned() => {
            // Here, and perhaps on no standby.
            Err(StoreError::Busy)
        }
        Ok(()) => Ok(()),
        Err(error) if error.code().is_some_and(|code| code.code() == THAWED) => {
            Err(StoreError::Refused(
                "the rest could not be brought in the time that a shard may be frozen: it stays \
                 where it is; try it at a quieter hour, or allow more with --freeze-ms"
                    .to_owned(),
            ))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the statement says where there is nothing to hand over.
const THAWED: &str = "IC001";

/// Writes an event, no earlier than the last one.
fn told(now: Time, note: &str) -> String {
    format!(
        "INSERT INTO events (at, actor_kind, kind, about_kind, about, note) \
         VALUES (greatest({}, (SELECT coalesce(max(at), 0) FROM ( \
         SELECT at FROM events ORDER BY no DESC LIMIT 1) AS last)), 2, {}, 6, 0, '{note}')",
        now.0,
        EventKind::ShardMoved as i16
    )
}

/// A shard that was handed over to this cell, and was brought whole before, is served here from now on.
pub(super) async fn open_arrived(
    session: &Session,
    cell: u8,
    handed_over: &Shard,
    now: Time,
) -> Result<(), StoreError> {
    if handed_over.cell != cell {
        return Ok(());
    }
    let Shard { shard, version, .. } = handed_over;
    // Of that one freezing, and no other.
    let Some(until) = handed_over.until else { return Ok(()) };
    let note = told(now, &format!("shard {shard} arrived; it moved for the {version}. time"));
    // Nodes first: batches that are under way end before, and later ones give up the serials that they keep.
    let sql = format!(
        "SET LOCAL statement_timeout = '3s'; \
         DO $$ BEGIN \
           UPDATE nodes SET renewed = renewed + 1 WHERE ended_at IS NULL; \
           UPDATE shards SET cell = {cell}, state = 0, version = {version}, other = NULL, until = NULL \
             WHERE shard = {shard} AND state = 5 AND version < {version} \
             AND (extract(epoch FROM until) * 1000000)::bigint = {until}; \
           IF FOUND THEN \
             UPDATE ledgers SET away = 0 WHERE away = 3 AND mod(partner, 1024) = {shard}; \
             {note}; {TELL}; \
           END IF; \
         END $$"
    );
    Ok(session.client.batch_execute(&sql).await?)
}
