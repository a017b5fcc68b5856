//! Reads on connections of their own: they never wait for the writer.

use super::row;
use super::statements::*;
use crate::board::Board;
use crate::port::{Funds, ListBy, NoticeFilter, Reader, Row, Sent, Shown, StoreError, Tally, Work};
use crate::rows::joined::{self, Opener, Sealed};
use crate::seal::Sealer;
use ichae_domain::group::Group;
use ichae_domain::ident::{
    BankNo, Epochs, GroupNo, KeyNo, NoticeNo, PartnerNo, PayoutNo, ProposalNo,
};
use ichae_domain::key::{Account, BillingKey};
use ichae_domain::ledger::Ledger;
use ichae_domain::matter::Proposal;
use ichae_domain::money::Won;
use ichae_domain::notice::Notice;
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::State;
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::time::{Day, Time};
use ichae_domain::view::{Deposit, Event, StatementRead};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, params};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

/// Idle read connections that are kept.
const POOL_MAX: usize = 16;

pub struct SqliteReader {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    epochs: Arc<Epochs>,
    sealer: Arc<Sealer>,
    board: Arc<Board>,
}

type Read<T> = Result<T, StoreError>;

/// A connection that can only read.
pub(super) fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    super::open::keep_plans(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

impl SqliteReader {
    pub(super) fn open(
        file: &Path,
        epochs: Arc<Epochs>,
        sealer: Arc<Sealer>,
        board: Arc<Board>,
    ) -> Read<SqliteReader> {
        let first = connect(file)?;
        {
            let sql = format!("SELECT {} FROM ledgers", row::LEDGER);
            let mut ledgers = first.prepare(&sql)?;
            let ledgers = ledgers.query_map([], row::ledger)?.collect::<Result<Vec<_>, _>>()?;
            board.put(ledgers.into_iter());
        }
        let idle = Mutex::new(vec![first]);
        Ok(SqliteReader { file: file.to_owned(), idle, epochs, sealer, board })
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Lends a connection, a new one where none is idle.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Connection) -> Read<T>) -> Read<T> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.file)?,
        };
        let done = work(&connection);
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < POOL_MAX
        {
            idle.push(connection);
        }
        done
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Read<Option<T>> {
        self.with(|db| Ok(db.prepare_cached(sql)?.query_row(params, map).optional()?))
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Read<Vec<T>> {
        self.with(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map(params, map)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

impl Reader for SqliteReader {
    fn epochs(&self) -> Read<Epochs> {
        Ok((*self.epochs).clone())
    }

    fn store_id(&self) -> Read<Vec<u8>> {
        let id = self.one("SELECT store_id FROM store", [], |r| r.get(0))?;
        id.ok_or_else(|| StoreError::Damaged("the store has no id".to_owned()))
    }

    fn latest(&self) -> Read<Time> {
        let at = self.one("SELECT max(no), at FROM events", [], |r| r.get::<_, Option<i64>>(1))?;
        Ok(Time(at.flatten().unwrap_or(0)))
    }

    fn rail(&self) -> Read<Rail> {
        let sql = format!("SELECT {} FROM rails WHERE no = 1", row::RAIL);
        let missing = || StoreError::Damaged("the rail's row is missing".to_owned());
        self.one(&sql, [], row::rail)?.ok_or_else(missing)
    }

    fn settlement(&self) -> Read<Won> {
        let won = self.one("SELECT settlement FROM rails WHERE no = 1", [], |r| r.get(0))?;
        Ok(Won(won.unwrap_or(0)))
    }

    fn partners(&self) -> Read<Vec<Partner>> {
        let sql = format!("SELECT {} FROM partners ORDER BY no", row::PARTNER);
        self.all(&sql, [], row::partner)
    }

    fn webhook_secret(&self, partner: PartnerNo) -> Read<Option<SecretString>> {
        let sql = "SELECT webhook_secret FROM partners WHERE no = ?1";
        let sealed = self.one(sql, [partner.0], |r| r.get::<_, Option<Vec<u8>>>(0))?.flatten();
        sealed.map(|sealed| self.sealer.open_secret(partner.0, &sealed)).transpose()
    }

    fn ledger(&self, partner: PartnerNo) -> Read<Option<Ledger>> {
        Ok(self.board.ledger(partner))
    }

    fn group(&self, no: GroupNo) -> Read<Option<Group>> {
        let sql = format!("SELECT {} FROM groups g WHERE g.no = ?1", row::GROUP);
        self.one(&sql, [no.0], |r| row::group(r, 0))
    }

    fn waiting_groups(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Group>> {
        let sql = format!(
            "SELECT {} FROM groups g WHERE g.partner = ?1 AND g.waiting > 0 \
             ORDER BY g.no DESC LIMIT ?2",
            row::GROUP
        );
        self.all(&sql, params![partner.0, most(limit)], |r| row::group(r, 0))
    }

    fn key(&self, no: KeyNo) -> Read<Option<(BillingKey, Account)>> {
        let sql = format!("SELECT {}, k.account FROM billing_keys k WHERE k.no = ?1", row::KEY);
        let found = self.one(&sql, [no.0], |r| Ok((row::key(r, 0)?, r.get::<_, Vec<u8>>(6)?)))?;
        let open = |(key, sealed): (BillingKey, Vec<u8>)| {
            Ok((key, self.sealer.open_account(no.0, &sealed)?))
        };
        found.map(open).transpose()
    }

    fn row(&self, no: PayoutNo) -> Read<Option<Row>> {
        Ok(self.rows_of(&[no])?.pop().flatten())
    }

    fn rows_of(&self, numbers: &[PayoutNo]) -> Read<Vec<Option<Row>>> {
        let sealed = self.with(|db| {
            // One transaction: taking and leaving a snapshot costs more than the look-up itself.
            db.prepare_cached("BEGIN")?.execute([])?;
            let found = rows_in(db, numbers);
            db.prepare_cached("COMMIT")?.execute([])?;
            found
        })?;
        let mut opener = Opener::new(&self.sealer);
        sealed.into_iter().map(|row| row.map(|row| opener.open(row)).transpose()).collect()
    }

    fn rows(&self, by: ListBy, shown: Shown, after: PayoutNo, limit: usize) -> Read<Vec<Row>> {
        let columns = joined::columns();
        let (sql, params) = match by {
            ListBy::Group(group) => (
                format!(
                    "SELECT {columns} FROM payouts p JOIN groups g ON g.no = p.grp \
                     JOIN billing_keys k ON k.no = p.billing_key \
                     LEFT JOIN attempts a ON a.payout = p.no \
                     WHERE p.grp = ?1 AND p.no > ?2 ORDER BY p.no"
                ),
                vec![group.0, after.0],
            ),
            ListBy::Day(partner, day) => (
                format!(
                    "SELECT {columns} FROM attempts a JOIN payouts p ON p.no = a.payout \
                     JOIN groups g ON g.no = p.grp JOIN billing_keys k ON k.no = p.billing_key \
                     WHERE a.partner = ?3 AND a.day = ?1 AND a.payout > ?2 ORDER BY a.payout"
                ),
                vec![i64::from(day.0), after.0, partner.0],
            ),
        };
        let sealed = self.with(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut found = statement.query(rusqlite::params_from_iter(params))?;
            let mut rows = Vec::new();
            while rows.len() < limit
                && let Some(r) = found.next()?
            {
                // The state is read first: a row that is not shown costs no more than that.
                if shown.shows(joined::state(r, 10, joined::GROUP_AT + 3)?) {
                    rows.push(joined::sealed(r)?);
                }
            }
            Ok(rows)
        })?;
        let mut opener = Opener::new(&self.sealer);
        sealed.into_iter().map(|row| opener.open(row)).collect()
    }

    fn tally(&self, group: GroupNo, key: Option<KeyNo>) -> Read<Vec<Tally>> {
        let sql = "SELECT p.own, g.mode, count(*), sum(p.amount) FROM payouts p \
                   JOIN groups g ON g.no = p.grp \
                   WHERE p.grp = ?1 AND (?2 IS NULL OR p.billing_key = ?2) GROUP BY p.own";
        let counted = self.all(sql, params![group.0, key.map(|k| k.0)], |r| joined::tally(r))?;
        Ok(joined::merge(counted))
    }

    fn day_under_way(&self, partner: PartnerNo, day: Day) -> Read<(i64, Won)> {
        let sql = "SELECT p.own, g.mode, count(*), sum(p.amount) FROM attempts a \
                   JOIN payouts p ON p.no = a.payout JOIN groups g ON g.no = p.grp \
                   WHERE a.partner = ?1 AND a.day = ?2 GROUP BY p.own, g.mode";
        let counted = self.all(sql, params![partner.0, day.0], |r| joined::tally(r))?;
        Ok(joined::under_way(&counted))
    }

    fn waiting_on_key(&self, group: GroupNo, key: KeyNo) -> Read<Vec<PayoutNo>> {
        let sql = "SELECT p.no, p.own, g.mode FROM payouts p JOIN groups g ON g.no = p.grp \
                   WHERE p.grp = ?1 AND p.billing_key = ?2 ORDER BY p.no";
        let rows = self.all(sql, params![group.0, key.0], |r| {
            Ok((PayoutNo(r.get(0)?), joined::state(r, 1, 2)?))
        })?;
        let waits = |(no, state)| (state == State::Requested).then_some(no);
        Ok(rows.into_iter().filter_map(waits).collect())
    }

    fn working_partners(&self) -> Read<Vec<PartnerNo>> {
        self.all(WORKING_PARTNERS, [], |r| r.get(0).map(PartnerNo))
    }

    fn executing_rows(&self, partner: PartnerNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>> {
        self.all(EXECUTING_ROWS, params![partner.0, after.0, most(limit)], work)
    }

    fn executing_groups(&self, partner: PartnerNo) -> Read<Vec<GroupNo>> {
        self.all(EXECUTING_GROUPS, [partner.0], |r| r.get(0).map(GroupNo))
    }

    fn unclaimed(&self, group: GroupNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>> {
        self.all(UNCLAIMED, params![group.0, after.0, most(limit)], work)
    }

    fn sending(&self, after: PayoutNo, limit: usize) -> Read<Vec<Deposit>> {
        self.all(SENDING, params![after.0, most(limit)], deposit)
    }

    fn due_inquiries(&self, now: Time, limit: usize) -> Read<Vec<Deposit>> {
        self.all(DUE_INQUIRIES, params![now.0, most(limit)], deposit)
    }

    fn holds(&self) -> Read<Vec<(PayoutNo, Hold)>> {
        let sql = format!("SELECT {}, payout FROM holds ORDER BY payout", row::HOLD);
        self.all(&sql, [], |r| Ok((PayoutNo(r.get(3)?), row::hold(r)?)))
    }

    fn payout_of(&self, bank_no: BankNo) -> Read<Option<PayoutNo>> {
        let sql = "SELECT payout FROM attempts WHERE bank_no = ?1";
        self.one(sql, [bank_no.0], |r| r.get(0).map(PayoutNo))
    }

    fn due_notice_partners(&self, now: Time) -> Read<Vec<PartnerNo>> {
        self.all(DUE_NOTICE_PARTNERS, [now.0], |r| r.get(0).map(PartnerNo))
    }

    fn due_notices(&self, partner: PartnerNo, now: Time, limit: usize) -> Read<Vec<Notice>> {
        let sql = format!(
            "SELECT {} FROM notices n WHERE state = 0 AND partner = ?1 AND next_at <= ?2 \
             AND NOT EXISTS (SELECT 1 FROM notices earlier WHERE earlier.subject = n.subject \
             AND earlier.no < n.no AND earlier.state = 0) ORDER BY next_at, no LIMIT ?3",
            row::NOTICE
        );
        self.all(&sql, params![partner.0, now.0, most(limit)], row::notice)
    }

    fn notice(&self, no: NoticeNo) -> Read<Option<Notice>> {
        let sql = format!("SELECT {} FROM notices WHERE no = ?1", row::NOTICE);
        self.one(&sql, [no.0], row::notice)
    }

    fn notices(&self, filter: NoticeFilter, after: NoticeNo, limit: usize) -> Read<Vec<Notice>> {
        let sql = format!(
            "SELECT {} FROM notices WHERE no > ?1 AND (?2 IS NULL OR partner = ?2) \
             AND (?3 IS NULL OR state = ?3) ORDER BY no LIMIT ?4",
            row::NOTICE
        );
        let partner = filter.partner.map(|no| no.0);
        let state = filter.state.map(|state| state as i64);
        self.all(&sql, params![after.0, partner, state, most(limit)], row::notice)
    }

    fn unknown(&self, after: PayoutNo, limit: usize) -> Read<Vec<Row>> {
        let numbers =
            self.all(UNKNOWN, params![after.0, most(limit)], |r| r.get(0).map(PayoutNo))?;
        Ok(self.rows_of(&numbers)?.into_iter().flatten().collect())
    }

    fn unknown_sum(&self) -> Read<(i64, Won)> {
        let sum = self.one(UNKNOWN_SUM, [], |r| Ok((r.get(0)?, Won(r.get(1)?))))?;
        Ok(sum.unwrap_or((0, Won::ZERO)))
    }

    fn story(&self, payout: PayoutNo, group: GroupNo) -> Read<Vec<Event>> {
        static SQL: LazyLock<String> = LazyLock::new(|| story_sql(row::EVENT));
        self.all(&SQL, [payout.0, group.0], row::event)
    }

    fn funds(&self) -> Read<Funds> {
        // One statement, one snapshot: what waits is part of what is held.
        let sql = "SELECT ifnull(sum(available), 0), ifnull(sum(held), 0), \
                   ifnull(sum(suspense), 0), ifnull(sum(funded), 0), \
                   ifnull(sum(captured), 0), ifnull(sum(refunding), 0), \
                   ifnull(sum(receivable), 0), \
                   (SELECT ifnull(sum(waiting_sum), 0) FROM groups WHERE waiting > 0) \
                   FROM ledgers";
        let funds = self.one(sql, [], |r| {
            Ok(Funds {
                available: Won(r.get(0)?),
                held: Won(r.get(1)?),
                suspense: Won(r.get(2)?),
                funded: Won(r.get(3)?),
                captured: Won(r.get(4)?),
                refunding: Won(r.get(5)?),
                receivable: Won(r.get(6)?),
                waiting: Won(r.get(7)?),
            })
        })?;
        Ok(funds.unwrap_or_default())
    }

    fn sent_on(
        &self,
        partner: PartnerNo,
        days: (Day, Day),
        after: (Day, PayoutNo),
        limit: usize,
    ) -> Read<Vec<Sent>> {
        self.with(|db| sent_page(db, partner, days, after, limit))
    }

    fn operators(&self) -> Read<Vec<Operator>> {
        let sql = format!("SELECT {} FROM operators ORDER BY added_at, name", row::OPERATOR);
        self.all(&sql, [], row::operator)
    }

    fn proposal(&self, no: ProposalNo) -> Read<Option<Proposal>> {
        let sql = format!("SELECT {} FROM proposals WHERE no = ?1", row::PROPOSAL);
        self.one(&sql, [no.0], row::proposal)
    }

    fn proposals(&self, open: bool, limit: usize) -> Read<Vec<Proposal>> {
        let only = if open { "WHERE state = 0" } else { "" };
        let sql =
            format!("SELECT {} FROM proposals {only} ORDER BY no DESC LIMIT ?1", row::PROPOSAL);
        self.all(&sql, [most(limit)], row::proposal)
    }

    fn statement(&self, digest: &[u8; 32]) -> Read<Option<StatementRead>> {
        let sql = format!("SELECT {} FROM statements WHERE digest = ?1", row::STATEMENT);
        self.one(&sql, [&digest[..]], row::statement)
    }

    fn events(&self, partner: Option<PartnerNo>, limit: usize) -> Read<Vec<Event>> {
        let sql = format!(
            "SELECT {} FROM events WHERE ?1 IS NULL OR partner = ?1 ORDER BY no DESC LIMIT ?2",
            row::EVENT
        );
        self.all(&sql, params![partner.map(|no| no.0), most(limit)], row::event)
    }
}

const SENT: &str = "SELECT a.payout, a.bank_no, p.amount, a.day, p.own, g.mode FROM attempts a \
     JOIN payouts p ON p.no = a.payout JOIN groups g ON g.no = p.grp";

fn sent(r: &rusqlite::Row<'_>) -> rusqlite::Result<Sent> {
    Ok(Sent {
        payout: PayoutNo(r.get(0)?),
        bank_no: r.get::<_, Option<i64>>(1)?.map(BankNo),
        amount: Won(r.get(2)?),
        day: Day(r.get(3)?),
        state: joined::state(r, 4, 5)?,
    })
}

pub(super) fn sent_page(
    db: &Connection,
    partner: PartnerNo,
    days: (Day, Day),
    after: (Day, PayoutNo),
    limit: usize,
) -> Read<Vec<Sent>> {
    let sql = format!(
        "{SENT} WHERE a.partner = ?1 AND a.day <= ?3 AND a.day >= ?2 \
         AND (a.day, a.payout) > (?4, ?5) ORDER BY a.day, a.payout LIMIT ?6"
    );
    let (first, last) = (days.0.max(after.0), days.1);
    let params = params![partner.0, first.0, last.0, after.0.0, after.1.0, most(limit)];
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params, sent)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn sent_as(db: &Connection, bank_no: BankNo) -> Read<Option<Sent>> {
    let sql = format!("{SENT} WHERE a.bank_no = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([bank_no.0], sent).optional()?)
}

pub(super) fn partner_numbers(db: &Connection) -> Read<Vec<PartnerNo>> {
    let mut statement = db.prepare("SELECT no FROM partners ORDER BY no")?;
    let numbers = statement.query_map([], |r| r.get(0).map(PartnerNo))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

fn rows_in(db: &Connection, numbers: &[PayoutNo]) -> Read<Vec<Option<Sealed>>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {} FROM payouts p JOIN groups g ON g.no = p.grp \
             JOIN billing_keys k ON k.no = p.billing_key LEFT JOIN attempts a ON a.payout = p.no \
             WHERE p.no = ?1",
            joined::columns()
        )
    });
    let mut statement = db.prepare_cached(&SQL)?;
    let mut one =
        |no: &PayoutNo| Ok(statement.query_row([no.0], |r| joined::sealed(r)).optional()?);
    numbers.iter().map(&mut one).collect()
}

fn work(r: &rusqlite::Row<'_>) -> rusqlite::Result<Work> {
    Ok(Work { payout: PayoutNo(r.get(0)?), group: GroupNo(r.get(1)?), key: KeyNo(r.get(2)?) })
}

fn deposit(r: &rusqlite::Row<'_>) -> rusqlite::Result<Deposit> {
    Ok(Deposit {
        payout: PayoutNo(r.get(0)?),
        partner: PartnerNo(r.get(1)?),
        key: KeyNo(r.get(2)?),
        bank_no: BankNo(r.get(3)?),
        sends: r.get(4)?,
        day: Day(r.get(5)?),
        amount: Won(r.get(6)?),
    })
}

/// A limit as SQLite takes it.
pub(super) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
