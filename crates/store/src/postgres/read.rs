//! Reads from the primary, each of them one statement and so one snapshot.

use super::pool::{Params, PostgresReader, most, params};
use super::shards::served;
use crate::port::{Funds, ListBy, NoticeFilter, Reader, Row, Sent, Shown, StoreError, Tally, Work};
use crate::rows;
use crate::rows::joined::{self, Opener, Sealed};
use ichae_domain::group::{Group, Mode};
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
use ichae_domain::payout::{State, state_of};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::time::{Day, Time};
use ichae_domain::view::{Deposit, Event, StatementRead};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_postgres::Row as Found;

type Read<T> = Result<T, StoreError>;

/// Own states, and modes of the group of a row without one, that are shown.
fn shown_numbers(shown: Shown) -> (Vec<i16>, Vec<i16>) {
    let own =
        State::ALL.into_iter().filter(|state| shown.shows(state_of(Some(*state), Mode::Open)));
    let modes = Mode::ALL.into_iter().filter(|mode| shown.shows(state_of(None, *mode)));
    (own.map(|state| state as i16).collect(), modes.map(|mode| mode as i16).collect())
}

fn work(r: &Found) -> Read<Work> {
    Ok(Work {
        payout: PayoutNo(r.try_get(0)?),
        group: GroupNo(r.try_get(1)?),
        key: KeyNo(r.try_get(2)?),
    })
}

/// Intents without an answer, with the node that made each.
const SENDING: &str = "SELECT p.no, p.partner, p.billing_key, a.bank_no, a.sends, a.day, p.amount \
     FROM payouts p JOIN attempts a ON a.payout = p.no JOIN nodes n ON n.no = a.node \
     WHERE p.own IN (1, 2, 5) AND p.own = 2 AND p.no > $1 AND a.bank_no IS NOT NULL";

fn deposit(r: &Found) -> Read<Deposit> {
    Ok(Deposit {
        payout: PayoutNo(r.try_get(0)?),
        partner: PartnerNo(r.try_get(1)?),
        key: KeyNo(r.try_get(2)?),
        bank_no: BankNo(r.try_get(3)?),
        sends: r.try_get(4)?,
        day: Day(r.try_get(5)?),
        amount: Won(r.try_get(6)?),
    })
}

macro_rules! sent_where {
    ($condition:literal) => {
        concat!(
            "SELECT p.own, g.mode, p.no, a.bank_no, p.amount, a.day FROM attempts a \
             JOIN payouts p ON p.no = a.payout JOIN groups g ON g.no = p.grp WHERE ",
            $condition
        )
    };
}

pub(super) const SENT_OF: &str = sent_where!("a.bank_no = $1");
/// A partner's, after (day, number), from one day to another.
pub(super) const SENT_PAGE: &str = sent_where!(
    "a.partner = $1 AND (a.day, a.payout) > ($2, $3) AND a.day >= $4 AND a.day <= $5 \
     ORDER BY a.day, a.payout LIMIT $6"
);

pub(super) fn sent(r: &Found) -> Read<Sent> {
    Ok(Sent {
        payout: PayoutNo(r.try_get(2)?),
        bank_no: r.try_get::<_, Option<i64>>(3)?.map(BankNo),
        amount: Won(r.try_get(4)?),
        day: Day(r.try_get(5)?),
        state: joined::state(r, 0, 1)?,
    })
}

/// A partner whose shard is here and this node's; `$1` and `$2` are what [`PostgresReader::share`] says.
pub(super) fn mine(column: &str) -> String {
    format!("mod(mod({column}, 1024), $1) = $2 AND {}", served(column))
}

impl PostgresReader {
    fn opened(&self, sealed: Vec<Sealed>) -> Read<Vec<Row>> {
        let mut opener = Opener::new(&self.sealer);
        sealed.into_iter().map(|row| opener.open(row)).collect()
    }
}

impl Reader for PostgresReader {
    fn is_far(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn may_act(&self) -> bool {
        self.node.may_act()
    }

    fn other_nodes(&self) -> Read<i64> {
        let sql = "SELECT count(*) FROM nodes WHERE ended_at IS NULL AND no <> $1".to_owned();
        let found = self.one(sql, params![self.node.no], |r| Ok(r.try_get(0)?));
        Ok(found?.unwrap_or(0))
    }

    fn answers(&self) -> Read<()> {
        self.hint("SELECT 1".to_owned(), vec![]).map(drop)
    }

    /// Only says whether to look at what it stands for.
    fn version(&self) -> Read<i64> {
        let found = self.hint("SELECT version FROM versions".to_owned(), vec![])?;
        found.first().map_or(Ok(0), |row| Ok(row.try_get(0)?))
    }

    fn epochs(&self) -> Read<Epochs> {
        let found = self.ask(super::open::STARTS.to_owned(), vec![])?;
        let epochs = super::open::epochs_of(&found)?;
        self.epochs.store(Arc::new(epochs.clone()));
        Ok(epochs)
    }

    fn map(&self) -> Read<i64> {
        let found = self.hint("SELECT map FROM versions".to_owned(), vec![])?;
        found.first().map_or(Ok(0), |row| Ok(row.try_get(0)?))
    }

    fn newest_map(&self) -> i64 {
        PostgresReader::newest_map(self)
    }

    fn store_id(&self) -> Read<Vec<u8>> {
        let id =
            self.one("SELECT store_id FROM store".to_owned(), vec![], |r| Ok(r.try_get(0)?))?;
        id.ok_or_else(|| StoreError::Damaged("the store has no id".to_owned()))
    }

    fn latest(&self) -> Read<Time> {
        let sql = "SELECT at FROM events ORDER BY no DESC LIMIT 1".to_owned();
        Ok(Time(self.one(sql, vec![], |r| Ok(r.try_get(0)?))?.unwrap_or(0)))
    }

    fn rail(&self) -> Read<Rail> {
        let missing = || StoreError::Damaged("the rail's row is missing".to_owned());
        let sql = format!("SELECT {} FROM rails WHERE no = 1", rows::RAIL);
        self.one(sql, vec![], rows::rail)?.ok_or_else(missing)
    }

    fn settlement(&self) -> Read<Won> {
        let sql =
            "SELECT coalesce(sum(settlement), 0)::bigint FROM ledgers WHERE away < 2".to_owned();
        Ok(Won(self.one(sql, vec![], |r| Ok(r.try_get(0)?))?.unwrap_or(0)))
    }

    fn partners(&self) -> Read<Vec<Partner>> {
        self.all(
            format!(
                "SELECT {} FROM partners WHERE NOT EXISTS (SELECT 1 FROM ledgers l \
                 WHERE l.partner = partners.no AND l.away >= 2) ORDER BY no",
                rows::PARTNER
            ),
            vec![],
            rows::partner,
        )
    }

    fn webhook_secret(&self, partner: PartnerNo) -> Read<Option<SecretString>> {
        let sql = "SELECT webhook_secret FROM partners WHERE no = $1".to_owned();
        let sealed =
            self.one(sql, params![partner.0], |r| Ok(r.try_get::<_, Option<Vec<u8>>>(0)?))?;
        sealed.flatten().map(|sealed| self.sealer.open_secret(partner.0, &sealed)).transpose()
    }

    fn ledger(&self, partner: PartnerNo) -> Read<Option<Ledger>> {
        let sql = format!("SELECT {} FROM ledgers WHERE partner = $1", rows::LEDGER);
        self.one(sql, params![partner.0], rows::ledger)
    }

    fn group(&self, no: GroupNo) -> Read<Option<Group>> {
        let sql = format!("SELECT {} FROM groups g WHERE g.no = $1", rows::GROUP);
        self.one(sql, params![no.0], |r| rows::group(r, 0))
    }

    fn waiting_groups(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Group>> {
        let sql = format!(
            "SELECT {} FROM groups g WHERE g.partner = $1 AND g.waits \
             ORDER BY g.no DESC LIMIT $2",
            rows::GROUP
        );
        self.all(sql, params![partner.0, most(limit)], |r| rows::group(r, 0))
    }

    fn key(&self, no: KeyNo) -> Read<Option<(BillingKey, Account)>> {
        let sql = format!("SELECT {}, k.account FROM billing_keys k WHERE k.no = $1", rows::KEY);
        self.one(sql, params![no.0], |r| {
            let sealed: Vec<u8> = r.try_get(rows::KEY_COLUMNS)?;
            Ok((rows::key(r, 0)?, self.sealer.open_account(no.0, &sealed)?))
        })
    }

    fn row(&self, no: PayoutNo) -> Read<Option<Row>> {
        Ok(self.rows_of(&[no])?.pop().flatten())
    }

    fn rows_of(&self, numbers: &[PayoutNo]) -> Read<Vec<Option<Row>>> {
        let sql = format!(
            "SELECT {} FROM payouts p JOIN groups g ON g.no = p.grp \
             JOIN billing_keys k ON k.no = p.billing_key \
             LEFT JOIN attempts a ON a.payout = p.no WHERE p.no = ANY($1)",
            joined::columns()
        );
        let wanted: Vec<i64> = numbers.iter().map(|no| no.0).collect();
        let found = self.opened(self.all(sql, params![wanted], joined::sealed)?)?;
        let mut found: HashMap<PayoutNo, Row> =
            found.into_iter().map(|row| (row.payout.no, row)).collect();
        // The same number may be asked for twice.
        let mut left: HashMap<PayoutNo, usize> = HashMap::new();
        numbers.iter().for_each(|no| *left.entry(*no).or_default() += 1);
        let take = |no: &PayoutNo| {
            let left = left.get_mut(no)?;
            *left -= 1;
            if *left > 0 { found.get(no).cloned() } else { found.remove(no) }
        };
        Ok(numbers.iter().map(take).collect())
    }

    fn rows(&self, by: ListBy, shown: Shown, after: PayoutNo, limit: usize) -> Read<Vec<Row>> {
        let columns = joined::columns();
        let (own, modes) = shown_numbers(shown);
        let shows = "(p.own = ANY($3) OR p.own IS NULL AND g.mode = ANY($4))";
        let (sql, params): (String, Params) = match by {
            ListBy::Group(group) => (
                format!(
                    "SELECT {columns} FROM payouts p JOIN groups g ON g.no = p.grp \
                     JOIN billing_keys k ON k.no = p.billing_key \
                     LEFT JOIN attempts a ON a.payout = p.no \
                     WHERE p.grp = $1 AND p.no > $2 AND {shows} ORDER BY p.no LIMIT $5"
                ),
                params![group.0, after.0, own, modes, most(limit)],
            ),
            ListBy::Day(partner, day) => (
                format!(
                    "SELECT {columns} FROM attempts a JOIN payouts p ON p.no = a.payout \
                     JOIN groups g ON g.no = p.grp JOIN billing_keys k ON k.no = p.billing_key \
                     WHERE a.partner = $6 AND a.day = $1 AND a.payout > $2 AND {shows} \
                     ORDER BY a.payout LIMIT $5"
                ),
                params![day.0, after.0, own, modes, most(limit), partner.0],
            ),
        };
        self.opened(self.all(sql, params, joined::sealed)?)
    }

    fn tally(&self, group: GroupNo, key: Option<KeyNo>) -> Read<Vec<Tally>> {
        let sql = "SELECT p.own, g.mode, count(*), sum(p.amount)::bigint FROM payouts p \
                   JOIN groups g ON g.no = p.grp \
                   WHERE p.grp = $1 AND ($2::bigint IS NULL OR p.billing_key = $2) \
                   GROUP BY p.own, g.mode ORDER BY p.own NULLS FIRST";
        Ok(joined::merge(self.all(
            sql.to_owned(),
            params![group.0, key.map(|k| k.0)],
            joined::tally,
        )?))
    }

    fn day_under_way(&self, partner: PartnerNo, day: Day) -> Read<(i64, Won)> {
        let sql = "SELECT p.own, g.mode, count(*), sum(p.amount)::bigint FROM attempts a \
                   JOIN payouts p ON p.no = a.payout JOIN groups g ON g.no = p.grp \
                   WHERE a.partner = $1 AND a.day = $2 GROUP BY p.own, g.mode";
        let counted = self.all(sql.to_owned(), params![partner.0, day.0], joined::tally)?;
        Ok(joined::under_way(&counted))
    }

    fn waiting_on_key(&self, group: GroupNo, key: KeyNo) -> Read<Vec<PayoutNo>> {
        let sql = "SELECT p.no, p.own, g.mode FROM payouts p JOIN groups g ON g.no = p.grp \
                   WHERE p.grp = $1 AND p.billing_key = $2 ORDER BY p.no";
        let rows = self.all(sql.to_owned(), params![group.0, key.0], |r| {
            Ok((PayoutNo(r.try_get(0)?), joined::state(r, 1, 2)?))
        })?;
        let waits = |(no, state)| (state == State::Requested).then_some(no);
        Ok(rows.into_iter().filter_map(waits).collect())
    }

    fn working_partners(&self) -> Read<Vec<PartnerNo>> {
        let sql = format!(
            "WITH RECURSIVE at (partner) AS ( \
               (SELECT partner FROM payouts WHERE own IN (1, 2, 5) AND own = 1 \
                ORDER BY partner LIMIT 1) \
               UNION ALL \
               SELECT (SELECT p.partner FROM payouts p WHERE p.own IN (1, 2, 5) AND p.own = 1 \
                       AND p.partner > at.partner ORDER BY p.partner LIMIT 1) \
               FROM at WHERE at.partner IS NOT NULL) \
             SELECT partner FROM (SELECT partner FROM at WHERE partner IS NOT NULL \
             UNION SELECT partner FROM groups WHERE works) AS working \
             WHERE {} ORDER BY partner",
            mine("partner")
        );
        let (count, place) = self.share();
        self.work(sql, params![count, place], |r| Ok(PartnerNo(r.try_get(0)?)))
    }

    fn executing_rows(&self, partner: PartnerNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>> {
        let sql = "SELECT no, grp, billing_key FROM payouts WHERE own IN (1, 2, 5) AND own = 1 \
                   AND partner = $1 AND no > $2 ORDER BY no LIMIT $3";
        self.work(sql.to_owned(), params![partner.0, after.0, most(limit)], work)
    }

    fn executing_groups(&self, partner: PartnerNo) -> Read<Vec<GroupNo>> {
        let sql = "SELECT no FROM groups WHERE works AND partner = $1 ORDER BY no";
        self.work(sql.to_owned(), params![partner.0], |r| Ok(GroupNo(r.try_get(0)?)))
    }

    fn unclaimed(&self, group: GroupNo, after: PayoutNo, limit: usize) -> Read<Vec<Work>> {
        let sql = "SELECT no, grp, billing_key FROM payouts WHERE grp = $1 AND no > $2 \
                   AND own IS NULL ORDER BY no LIMIT $3";
        self.work(sql.to_owned(), params![group.0, after.0, most(limit)], work)
    }

    fn sending(&self, after: PayoutNo, limit: usize) -> Read<Vec<Deposit>> {
        let sql = format!(
            "{SENDING} AND (n.no = $3 OR n.ended_at IS NOT NULL) AND {} ORDER BY p.no LIMIT $2",
            served("p.partner")
        );
        self.work(sql, params![after.0, most(limit), self.node.no], deposit)
    }

    fn abandoned(&self, after: PayoutNo, limit: usize) -> Read<Vec<Deposit>> {
        let sql = format!(
            "{SENDING} AND n.ended_at IS NOT NULL AND {} ORDER BY p.no LIMIT $2",
            served("p.partner")
        );
        self.work(sql, params![after.0, most(limit)], deposit)
    }

    fn due_inquiries(&self, now: Time, limit: usize) -> Read<Vec<Deposit>> {
        let sql = format!(
            "SELECT p.no, p.partner, p.billing_key, a.bank_no, a.sends, a.day, p.amount \
             FROM attempts a JOIN payouts p ON p.no = a.payout \
             WHERE a.inquire_at <= $3 AND a.inquire_at IS NOT NULL AND a.bank_no IS NOT NULL \
             AND p.own = 5 AND {} ORDER BY a.inquire_at, a.payout LIMIT $4",
            mine("p.partner")
        );
        let (count, place) = self.share();
        self.work(sql, params![count, place, now.0, most(limit)], deposit)
    }

    fn holds(&self) -> Read<Vec<(PayoutNo, Hold)>> {
        let sql = format!("SELECT {}, payout FROM holds ORDER BY payout", rows::HOLD);
        self.all(sql, vec![], |r| Ok((PayoutNo(r.try_get(3)?), rows::hold(r)?)))
    }

    fn payout_of(&self, bank_no: BankNo) -> Read<Option<PayoutNo>> {
        let sql = "SELECT payout FROM attempts WHERE bank_no = $1".to_owned();
        self.one(sql, params![bank_no.0], |r| Ok(PayoutNo(r.try_get(0)?)))
    }

    fn due_notice_partners(&self, now: Time) -> Read<Vec<PartnerNo>> {
        // One step a partner in the index, however many notices wait.
        let sql = format!(
            "WITH RECURSIVE due (partner) AS ( \
               (SELECT partner FROM notices WHERE state = 0 ORDER BY partner LIMIT 1) \
               UNION ALL \
               SELECT (SELECT n.partner FROM notices n WHERE n.state = 0 \
                       AND n.partner > due.partner ORDER BY n.partner LIMIT 1) \
               FROM due WHERE due.partner IS NOT NULL) \
             SELECT partner FROM due WHERE partner IS NOT NULL AND {} AND \
               (SELECT n.next_at FROM notices n WHERE n.state = 0 AND n.partner = due.partner \
                ORDER BY n.next_at LIMIT 1) <= $3 ORDER BY partner",
            mine("partner")
        );
        let (count, place) = self.share();
        self.work(sql, params![count, place, now.0], |r| Ok(PartnerNo(r.try_get(0)?)))
    }

    fn due_notices(&self, partner: PartnerNo, now: Time, limit: usize) -> Read<Vec<Notice>> {
        let sql = format!(
            "SELECT {} FROM notices n WHERE state = 0 AND partner = $1 AND next_at <= $2 \
             AND NOT EXISTS (SELECT 1 FROM notices earlier WHERE earlier.subject = n.subject \
             AND earlier.no < n.no AND earlier.state = 0) ORDER BY next_at, no LIMIT $3",
            rows::NOTICE
        );
        self.work(sql, params![partner.0, now.0, most(limit)], rows::notice)
    }

    fn notice(&self, no: NoticeNo) -> Read<Option<Notice>> {
        let sql = format!("SELECT {} FROM notices WHERE no = $1", rows::NOTICE);
        self.one(sql, params![no.0], rows::notice)
    }

    fn notices(&self, filter: NoticeFilter, after: NoticeNo, limit: usize) -> Read<Vec<Notice>> {
        let sql = format!(
            "SELECT {} FROM notices WHERE no > $1 AND ($2::bigint IS NULL OR partner = $2) \
             AND ($3::smallint IS NULL OR state = $3) ORDER BY no LIMIT $4",
            rows::NOTICE
        );
        let partner = filter.partner.map(|no| no.0);
        let state = filter.state.map(|state| state as i16);
        self.all(sql, params![after.0, partner, state, most(limit)], rows::notice)
    }

    fn unknown(&self, after: PayoutNo, limit: usize) -> Read<Vec<Row>> {
        let sql = format!(
            "SELECT {} FROM payouts p JOIN groups g ON g.no = p.grp \
             JOIN billing_keys k ON k.no = p.billing_key \
             LEFT JOIN attempts a ON a.payout = p.no \
             WHERE p.own IN (1, 2, 5) AND p.own = 5 AND p.no > $1 AND {} ORDER BY p.no LIMIT $2",
            joined::columns(),
            served("p.partner")
        );
        self.opened(self.all(sql, params![after.0, most(limit)], joined::sealed)?)
    }

    fn unknown_sum(&self) -> Read<(i64, Won)> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(amount), 0)::bigint FROM payouts \
             WHERE own IN (1, 2, 5) AND own = 5 AND {}",
            served("partner")
        );
        let sum = self.one(sql, vec![], |r| Ok((r.try_get(0)?, Won(r.try_get(1)?))))?;
        Ok(sum.unwrap_or((0, Won::ZERO)))
    }

    fn story(&self, payout: PayoutNo, group: GroupNo) -> Read<Vec<Event>> {
        let kinds = rows::told_kinds();
        let sql = format!(
            "SELECT {} FROM events WHERE kind IN ({kinds}) AND (about_kind = 3 AND about = $1 \
             OR about_kind = 4 AND about = $2) ORDER BY no",
            rows::EVENT
        );
        self.all(sql, params![payout.0, group.0], rows::event)
    }

    fn funds(&self) -> Read<Funds> {
        let sum = |column: &str| format!("coalesce(sum({column}), 0)::bigint");
        let columns =
            ["available", "held", "suspense", "funded", "captured", "refunding", "receivable"];
        let sums = columns.map(sum).join(", ");
        let sql = format!(
            "SELECT {sums}, (SELECT {} FROM groups WHERE waits AND {}) FROM ledgers WHERE away < 2",
            sum("waiting_sum"),
            served("partner")
        );
        let funds = self.one(sql, vec![], |r| {
            let won = |at: usize| Ok::<_, StoreError>(Won(r.try_get(at)?));
            Ok(Funds {
                available: won(0)?,
                held: won(1)?,
                suspense: won(2)?,
                funded: won(3)?,
                captured: won(4)?,
                refunding: won(5)?,
                receivable: won(6)?,
                waiting: won(7)?,
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
        let (day, no) = (after.0.0, after.1.0);
        let params = params![partner.0, day, no, days.0.0, days.1.0, most(limit)];
        self.all(SENT_PAGE.to_owned(), params, sent)
    }

    fn operators(&self) -> Read<Vec<Operator>> {
        let sql = format!("SELECT {} FROM operators ORDER BY added_at, name", rows::OPERATOR);
        self.all(sql, vec![], rows::operator)
    }

    fn proposal(&self, no: ProposalNo) -> Read<Option<Proposal>> {
        let sql = format!("SELECT {} FROM proposals WHERE no = $1", rows::PROPOSAL);
        self.one(sql, params![no.0], rows::proposal)
    }

    fn proposals(&self, open: bool, limit: usize) -> Read<Vec<Proposal>> {
        let only = if open { "WHERE state = 0" } else { "" };
        let sql =
            format!("SELECT {} FROM proposals {only} ORDER BY no DESC LIMIT $1", rows::PROPOSAL);
        self.all(sql, params![most(limit)], rows::proposal)
    }

    fn statement(&self, digest: &[u8; 32]) -> Read<Option<StatementRead>> {
        let sql = format!("SELECT {} FROM statements WHERE digest = $1", rows::STATEMENT);
        self.one(sql, params![digest.to_vec()], rows::statement)
    }

    fn events(&self, partner: Option<PartnerNo>, limit: usize) -> Read<Vec<Event>> {
        let sql = format!(
            "SELECT {} FROM events WHERE $1::bigint IS NULL OR partner = $1 \
             ORDER BY no DESC LIMIT $2",
            rows::EVENT
        );
        self.all(sql, params![partner.map(|no| no.0), most(limit)], rows::event)
    }
}
