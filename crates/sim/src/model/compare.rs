//! The store's rows against the model, after every commit.

use super::Model;
use crate::violation::{Checked, ensure};
use ichae_domain::ident::{GroupNo, NoticeNo};
use ichae_domain::notice::Subject;
use ichae_domain::payout::State;
use ichae_store::memory::Rows;
use std::collections::BTreeMap;

impl Model {
    /// # Errors
    /// The first row that is not as it should be.
    pub fn compare(&self, rows: &Rows) -> Checked {
        self.payouts(rows)?;
        self.partners(rows)?;
        self.groups(rows)?;
        self.keys(rows)?;
        self.notices(rows)?;
        let rail = (rows.rail.pause.is_some(), rows.rail.notices_seen);
        ensure(rail == (self.paused, self.returns_seen), "the rail is as it was left", || {
            format!("{:?}", rows.rail)
        })
    }

    fn payouts(&self, rows: &Rows) -> Checked {
        let stored = rows.payouts.values().map(|p| (p.no, rows.state(p)));
        let expected = self.rows.iter().map(|(no, row)| (*no, row.state));
        let off = stored.clone().zip(expected.clone()).find(|(one, other)| one != other);
        ensure(
            off.is_none() && stored.len() == expected.len(),
            "payouts are where the model is",
            || format!("{} stored, {} expected, {off:?}", stored.len(), expected.len()),
        )
    }

    fn partners(&self, rows: &Rows) -> Checked {
        let stored: Vec<(i64, i64, i64)> =
            rows.ledgers.values().map(|l| (l.partner.0, l.available.0, l.held.0)).collect();
        let of = |no| (self.available(no), self.held(no));
        let expected: Vec<(i64, i64, i64)> =
            self.partners.keys().map(|no| (no.0, of(*no).0, of(*no).1)).collect();
        ensure(stored == expected, "balances are what the rows add up to", || {
            format!("(partner, available, held): {stored:?}, expected {expected:?}")
        })
    }

    /// A group's counters are its rows (decision H7).
    fn groups(&self, rows: &Rows) -> Checked {
        let mut counted: BTreeMap<GroupNo, (i64, i64, i64)> = BTreeMap::new();
        for row in self.rows.values() {
            let waits = row.state == State::Requested;
            let count = counted.entry(row.group).or_default();
            count.0 += 1;
            count.1 += i64::from(waits);
            count.2 += if waits { row.amount } else { 0 };
        }
        for group in rows.groups.values() {
            let expected = counted.get(&group.no).copied().unwrap_or_default();
            let stored = (group.rows, group.waiting, group.waiting_sum.0);
            ensure(stored == expected, "group counters are their rows", || {
                format!("{group:?}, counted {expected:?}")
            })?;
            let known = self.groups.get(&group.no) == Some(&group.partner);
            ensure(known, "a group belongs to its partner", || format!("{group:?}"))?;
        }
        Ok(())
    }

    fn keys(&self, rows: &Rows) -> Checked {
        let stored: BTreeMap<_, _> = rows.keys.values().map(|(k, ..)| (k.no, k.dead)).collect();
        let expected: BTreeMap<_, _> = self.keys.iter().map(|(no, key)| (*no, key.dead)).collect();
        ensure(stored == expected, "billing keys live and die as they should", || {
            format!("{stored:?}, expected {expected:?}")
        })
    }

    /// One notice per outcome, in the order of the outcomes (decision H17).
    fn notices(&self, rows: &Rows) -> Checked {
        let stored = rows.notices.values().map(|n| (n.no, n.subject, n.outcome, n.state, n.tries));
        let expected = (1..).zip(&self.notices).map(|(place, told)| {
            (NoticeNo(place), Subject::Payout(told.payout), told.outcome, told.state, told.tries)
        });
        let off = stored.clone().zip(expected).find(|(one, other)| one != other);
        let counts = (stored.len(), self.notices.len());
        ensure(off.is_none() && counts.0 == counts.1, "one notice per outcome", || {
            format!("stored and expected: {counts:?}, {off:?}")
        })
    }

    /// Rows by the state that they are in, for the report.
    pub fn ended(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for row in self.rows.values() {
            *counts.entry(row.state.name()).or_default() += 1;
        }
        counts
    }
}
