//! What a partner has for the bank, in order, past what has to wait: what operators hold, and what goes
//! to a bank that takes nothing now.

use crate::hub::Hub;
use ichae_domain::ident::{GroupNo, PartnerNo, PayoutNo};
use ichae_domain::rail::Hold;
use ichae_domain::time::Time;
use ichae_rail::port::BankStatus;
use ichae_store::port::{Reader, Row, StoreError, Work};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of one look, and looks past rows that have to wait, in one turn, at most.
const PAGE_ROWS: usize = 128;
const PAGES: usize = 16;
/// How long a payout rests whose call did not get through.
const REST_MS: i64 = 2_000;
/// When rows that wait for no known moment are looked at again: bells ring before.
const LOOK_AGAIN_MS: i64 = 30_000;

#[derive(Default)]
pub(super) struct Queue {
    places: Places,
    holds: HashSet<PayoutNo>,
    /// When what was passed over is looked at again.
    again: Option<Time>,
    pub(super) resting: Resting,
}

/// Payouts whose last call did not get through: they rest a little, so that those behind them go.
#[derive(Clone, Default)]
pub(super) struct Resting(Arc<Mutex<HashMap<PayoutNo, Time>>>);

impl Resting {
    pub(super) fn rest(&self, no: PayoutNo, now: Time) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > now);
        resting.insert(no, now.plus_ms(REST_MS));
    }

    fn until(&self, no: PayoutNo, now: Time) -> Option<Time> {
        let resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(&no).copied().filter(|until| *until > now)
    }
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

    /// A put-back, or an execution by key, may bring a row below those that were passed over, so none
    /// is waited for longer than that.
    fn again_at(&mut self, at: Time) {
        self.again = Some(self.again.map_or(at, |before| before.min(at)));
    }

    /// The partner's next rows that may go, `limit` at most, and where each goes. All is read before
    /// anything is claimed: a row that cannot be read is not sent. Pages are read whole, however few
    /// may go, so that those that have to wait do not hide the others.
    pub(super) async fn next(
        &mut self,
        hub: &Arc<Hub>,
        partner: PartnerNo,
        limit: usize,
    ) -> Result<(Vec<Work>, Vec<Row>), StoreError> {
        for _ in 0..PAGES {
            let places = self.places.clone();
            let (work, rows) = hub.read(move |r| page(r, partner, &places)).await?;
            let full = work.len() == PAGE_ROWS;
            let mut ready: Vec<(Work, Row)> = Vec::new();
            for (work, row) in work.into_iter().zip(rows) {
                if ready.len() == limit {
                    break;
                }
                let waits = self.goes(hub, &row);
                // A row of its own that goes leaves this list when it is claimed.
                if row.payout.own.is_none() {
                    self.places.groups.insert(work.group, work.payout);
                } else if waits.is_some() {
                    self.places.own.insert(partner, work.payout);
                }
                match waits {
                    Some(at) => self.again_at(at),
                    None => ready.push((work, row)),
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
            return Some(opens.min(now.plus_ms(LOOK_AGAIN_MS)));
        }
        if let Some(until) = self.resting.until(row.payout.no, now) {
            return Some(until);
        }
        let shut = hub.banks.load().get(&row.key.bank).is_some_and(|s| *s != BankStatus::Open);
        let held = self.holds.contains(&row.payout.no);
        (shut || held).then(|| now.plus_ms(LOOK_AGAIN_MS))
    }
}

/// Rows with a state of their own first, then executed groups.
fn page(
    reader: &dyn Reader,
    partner: PartnerNo,
    places: &Places,
) -> Result<(Vec<Work>, Vec<Row>), StoreError> {
    let after = places.own.get(&partner).copied().unwrap_or(PayoutNo(0));
    let mut work = reader.executing_rows(partner, after, PAGE_ROWS)?;
    if work.len() < PAGE_ROWS {
        for group in reader.executing_groups(partner)? {
            let after = places.groups.get(&group).copied().unwrap_or(PayoutNo(0));
            work.extend(reader.unclaimed(group, after, PAGE_ROWS - work.len())?);
            if work.len() == PAGE_ROWS {
                break;
            }
        }
    }
    let numbers: Vec<PayoutNo> = work.iter().map(|work| work.payout).collect();
    let missing = |no: PayoutNo| StoreError::Damaged(format!("payout {}", no.0));
    let found = reader.rows_of(&numbers)?.into_iter().zip(&numbers);
    let rows = found.map(|(row, no)| row.ok_or_else(|| missing(*no)));
    Ok((work, rows.collect::<Result<Vec<Row>, _>>()?))
}
