//! After a restore: whatever may have been sent in the time that was lost is asked about and never
//! sent (decision I1). Runs before the store serves, and again from where it was if it is cut.

use super::batch::SqliteBackend;
use crate::port::{Backend, StoreError};
use ichae_domain::command::{Actor, Command, Doubt, Order};
use ichae_domain::ident::{Epochs, GroupNo, PartnerNo, PayoutNo};
use rusqlite::{Connection, params};

/// Payouts of one commit.
const TOGETHER: i64 = 1_000;

pub(super) fn is_in_doubt(db: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM epochs WHERE in_doubt = 1)";
    Ok(db.query_row(sql, [], |r| r.get(0))?)
}

/// Payouts of before this epoch that wait or are executed, after `after`.
fn doubtful(db: &Connection, epochs: &Epochs, after: PayoutNo) -> Result<Vec<Doubt>, StoreError> {
    let counted: Vec<u16> = db
        .prepare_cached("SELECT epoch FROM epochs WHERE counted = 1")?
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let sql = "SELECT p.no, p.partner, p.grp FROM payouts p JOIN groups g ON g.no = p.grp \
               WHERE p.no > ?1 AND p.no < ?2 AND (p.own = 1 OR p.own IS NULL AND g.mode <> 3) \
               ORDER BY p.no LIMIT ?3";
    let mut rows = db.prepare_cached(sql)?;
    let key = params![after.0, epochs.current_start(), TOGETHER];
    let rows = rows.query_map(key, |r| {
        let (payout, partner) = (PayoutNo(r.get(0)?), PartnerNo(r.get(1)?));
        // Of a counted epoch the number may be another payout's: a person decides.
        let known = !counted.contains(&epochs.of(payout.0));
        let bank_no = known.then(|| epochs.first_bank_no(partner, payout)).flatten();
        Ok(Doubt { payout, partner, group: GroupNo(r.get(2)?), bank_no })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl SqliteBackend {
    /// Turns what is in doubt into unknown outcomes; gives how many there were.
    pub(super) fn doubt_lost_time(&mut self) -> Result<u64, StoreError> {
        if !is_in_doubt(self.db())? {
            return Ok(0);
        }
        let (mut after, mut doubted) = (PayoutNo(0), 0);
        loop {
            let found = doubtful(self.db(), &self.epochs(), after)?;
            let Some(last) = found.last() else { break };
            after = last.payout;
            let order =
                |doubt| Order { actor: Actor::Engine, command: Command::Doubt(Box::new(doubt)) };
            let orders: Vec<Order> = found.into_iter().map(order).collect();
            doubted += orders.len() as u64;
            if let Some(Err(refusal)) = self.commit(&orders).into_iter().find(Result::is_err) {
                let code = refusal.code.name();
                return Err(StoreError::Refused(format!(
                    "payouts of a lost time could not be marked as unknown ({code}): start again"
                )));
            }
        }
        self.db().execute("UPDATE epochs SET in_doubt = 0 WHERE in_doubt = 1", [])?;
        tracing::warn!(doubted, "may have been sent in a lost time: the bank is asked");
        Ok(doubted)
    }
}
