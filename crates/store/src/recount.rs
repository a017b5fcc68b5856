//! What every backend's check compares alike: the hash chains, and the counters of groups.

use crate::rows::posting_line;
use crate::seal::Sealer;
use ichae_domain::group::Mode;
use ichae_domain::ident::PartnerNo;
use ichae_domain::ledger::Posting;
use std::collections::HashMap;

/// Every partner's chain, as far as it was read.
#[derive(Default)]
pub(crate) struct Chains {
    /// Its head and its length.
    read: HashMap<PartnerNo, ([u8; 32], i64)>,
}

impl Chains {
    /// The next line of a partner, and the link that is stored with it. A finding where it does not fit.
    pub fn line(&mut self, sealer: &Sealer, posting: &Posting, stored: &[u8]) -> Option<String> {
        let (head, length) = self.read.entry(posting.partner).or_insert(([0; 32], 0));
        let next = sealer.link(head, &posting_line(posting));
        *length += 1;
        // Goes on from what is stored, so that one changed line is one finding.
        *head = stored.try_into().unwrap_or(next);
        let (partner, at) = (posting.partner.0, *length);
        let broken = next[..] != *stored;
        broken.then(|| format!("partner {partner}: the hash chain breaks at its line {at}"))
    }

    /// A finding where a partner's chain does not end as its ledger says.
    pub fn end(&mut self, partner: PartnerNo, head: &[u8], length: i64) -> Option<String> {
        let read = self.read.remove(&partner).unwrap_or(([0; 32], 0));
        let off = read.0[..] != *head || read.1 != length;
        off.then(|| format!("partner {}: its chain does not end where it should", partner.0))
    }
}

/// A finding where a group's (waiting, their sum, unclaimed) are not what its rows without a state of their
/// own, and their sum, come to.
pub(crate) fn counters(
    no: i64,
    mode: i64,
    counted: (i64, i64, i64),
    (rows, amount): (i64, i64),
) -> Option<String> {
    let expected = match Mode::from_number(mode) {
        Some(Mode::Open | Mode::Closed | Mode::Filling) => (rows, amount, 0),
        Some(Mode::Executing) => (0, 0, rows),
        Some(Mode::Canceled) | None => (0, 0, 0),
    };
    let (waiting, sum, unclaimed) = counted;
    (counted != expected).then(|| {
        format!(
            "group {no}: counts {waiting} waiting of {sum} won and {unclaimed} unclaimed, its rows \
             give {expected:?}"
        )
    })
}
