//! What a partner has for the bank, in order, past what has to wait: what operators hold, and what goes
//! to a bank that takes nothing now.

use crate::hub::Hub;
use ichae_domain::ident::{GroupNo, PartnerNo, PayoutNo};
use ichae_domain::rail::Hold;
use ichae_domain::time::Time;
use ichae_rail::port::BankStatus;
use ichae_store::port::{Reader, Row, StoreError, Work};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Looks past rows that have to wait, in one turn, at most.
const PAGES: usize = 16;
/// When rows that wait for no known moment are looked at again: bells ring before.
const LOOK_AGAIN_MS: i64 = 30_000;

#[derive(Default)]
pub(super) struct Queue {
    places: Places,
    holds: HashSet<PayoutNo>,
    /// When what was passed over is looked at again.
    again: Option<Time>,
}

/// How far each kind of rows was handed out or passed over, so that it is not read again.
#[derive(Clone, Default)]
struct Places {
    groups: HashMap<GroupNo, PayoutNo>,
    own: HashMap<PartnerNo, PayoutNo>,
}

impl Queue {
    /// Before a round.
    pub(super) fn begin(&mut self, now: Time, anew: bool, holds: Vec<(PayoutNo, Hold)>) {
        self.holds = holds.into_iter().map(|(no, _)| no).collect();
        if anew || self.again.is_some_and(|again| again <= now) {
            self.forget();
        }
    }

    /// Everything is read again from the start.
    pub(super) fn forget(&mut self) {
        self.places = Places::default();
        self.again = None;
    }

    pub(super) fn look_again(&mut self, now: Time) {
        self.again_at(now.plus_ms(LOOK_AGAIN_MS));
    }

    fn again_at(&mut self, at: Time) {
        self.again = Some(self.again.map_or(at, |before| before.min(at)));
    }

    /// The partner's next rows that may go, and where each goes. All is read before anything is
    /// claimed: a row that cannot be read is not sent.
    pub(super) async fn next(
        &mut self,
        hub: &Arc<Hub>,
        partner: PartnerNo,
        limit: usize,
    ) -> Result<(Vec<Work>, Vec<Row>), StoreError> {
        for _ in 0..PAGES {
            let places = self.places.clone();
            let (work, rows, places) = hub.read(move |r| page(r, partner, limit, places)).await?;
            self.places = places;
            let full = work.len() == limit;
            let (ready, waits): (Vec<_>, Vec<_>) =
                work.into_iter().zip(rows).partition(|(_, row)| self.goes(hub, row).is_none());
            for (work, row) in &waits {
                let at = self.goes(hub, row).unwrap_or(Time(0));
                self.again_at(at);
                if row.payout.own.is_some() {
                    self.places.own.insert(partner, work.payout);
                }
            }
            if !ready.is_empty() || !full {
                return Ok(ready.into_iter().unzip());
            }
        }
        Ok((Vec::new(), Vec::new()))
    }

    /// `None`: it may go now. Else when to look at it again.
    fn goes(&self, hub: &Hub, row: &Row) -> Option<Time> {
        let now = hub.now();
        let opens = hub.calendar.bank_open_from(&row.key.bank, now);
        if opens > now {
            return Some(opens);
        }
        let shut = hub.banks.load().get(&row.key.bank).is_some_and(|s| *s != BankStatus::Open);
        let held = self.holds.contains(&row.payout.no);
        (shut || held).then(|| now.plus_ms(LOOK_AGAIN_MS))
    }
}

type Page = (Vec<Work>, Vec<Row>, Places);

/// Rows with a state of their own first, then executed groups.
fn page(
    reader: &dyn Reader,
    partner: PartnerNo,
    limit: usize,
    mut places: Places,
) -> Result<Page, StoreError> {
    let work = next_rows(reader, partner, limit, &mut places)?;
    let numbers: Vec<PayoutNo> = work.iter().map(|work| work.payout).collect();
    let missing = |no: PayoutNo| StoreError::Damaged(format!("payout {}", no.0));
    let found = reader.rows_of(&numbers)?.into_iter().zip(&numbers);
    let rows = found.map(|(row, no)| row.ok_or_else(|| missing(*no)));
    Ok((work, rows.collect::<Result<Vec<Row>, _>>()?, places))
}

fn next_rows(
    reader: &dyn Reader,
    partner: PartnerNo,
    limit: usize,
    places: &mut Places,
) -> Result<Vec<Work>, StoreError> {
    let after = places.own.get(&partner).copied().unwrap_or(PayoutNo(0));
    let mut work = reader.executing_rows(partner, after, limit)?;
    if work.len() == limit {
        return Ok(work);
    }
    for group in reader.executing_groups(partner)? {
        let after = places.groups.get(&group).copied().unwrap_or(PayoutNo(0));
        let rows = reader.unclaimed(group, after, limit - work.len())?;
        if let Some(last) = rows.last() {
            places.groups.insert(group, last.payout);
        }
        work.extend(rows);
        if work.len() == limit {
            break;
        }
    }
    Ok(work)
}
