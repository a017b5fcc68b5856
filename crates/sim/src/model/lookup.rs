//! What a partner is shown when it looks up (decision H14).

use super::{Model, Row};
use crate::violation::{Checked, ensure};
use ichae_domain::ident::{GroupNo, PartnerNo, PayoutNo};
use ichae_domain::payout::State;
use ichae_store::port::{ListBy, Reader, Shown};

const LIST_MAX: usize = 1_000;
const LOOKUP: &str = "look-ups show what is";

impl Model {
    /// Looks a group up in every way there is.
    ///
    /// # Errors
    /// Where a look-up shows something else than the model has.
    pub fn look_up(&self, reader: &dyn Reader, partner: PartnerNo, group: GroupNo) -> Checked {
        let mine: Vec<(&PayoutNo, &Row)> =
            self.rows.iter().filter(|(_, row)| row.group == group).collect();
        for shown in [Shown::Waiting, Shown::Completed, Shown::UnderWay] {
            let listed = reader.rows(ListBy::Group(group), shown, PayoutNo(0), LIST_MAX)?;
            let listed: Vec<_> = listed.iter().map(|row| (row.payout.no, row.state)).collect();
            let expected = mine.iter().filter(|(_, row)| shown.shows(row.state));
            let expected: Vec<_> = expected.map(|(no, row)| (**no, row.state)).collect();
            ensure(listed == expected, LOOKUP, || {
                format!("{group:?} {shown:?}: {listed:?}, expected {expected:?}")
            })?;
        }
        for tally in reader.tally(group, None)? {
            let same = mine.iter().filter(|(_, row)| row.state == tally.state);
            let (count, sum) = same.fold((0, 0), |(n, sum), (_, row)| (n + 1, sum + row.amount));
            ensure((tally.count, tally.sum.0) == (count, sum), LOOKUP, || {
                format!("{group:?} {tally:?}, counted {count} of {sum}")
            })?;
        }
        let remain = reader.ledger(partner)?.map(|ledger| ledger.available.0);
        let known = self.partners.contains_key(&partner).then(|| self.available(partner));
        ensure(remain == known, LOOKUP, || format!("{partner:?}: {remain:?}, expected {known:?}"))?;
        let waits = |row: &Row| row.partner == partner && row.state == State::Requested;
        let waiting: i64 = self.rows.values().filter(|row| waits(row)).map(|row| row.amount).sum();
        let groups = reader.waiting_groups(partner, LIST_MAX)?;
        let told: i64 = groups.iter().map(|group| group.waiting_sum.0).sum();
        ensure(told == waiting, LOOKUP, || format!("{partner:?} waits on {told}, not {waiting}"))
    }
}
