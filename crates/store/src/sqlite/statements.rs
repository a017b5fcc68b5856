//! What is asked for again and again, word by word: SQLite takes a partial index only where its
//! condition stands in the statement as it stands in the index. A test holds every plan.

use crate::rows::told_kinds;
use ichae_domain::view::EventKind;

/// What the engine asks for again and again. SQLite takes a partial index only where its condition
/// stands in the statement word by word: `own = 1` alone would read every payout there is. A test
/// holds every plan.
pub(super) const WORKING_PARTNERS: &str = "WITH RECURSIVE at(partner) AS ( \
       SELECT min(partner) FROM payouts WHERE own IN (1, 2, 5) AND own = 1 \
       UNION ALL \
       SELECT (SELECT min(p.partner) FROM payouts p \
               WHERE p.own IN (1, 2, 5) AND p.own = 1 AND p.partner > at.partner) \
       FROM at WHERE at.partner IS NOT NULL) \
     SELECT partner FROM at WHERE partner IS NOT NULL \
     UNION SELECT partner FROM groups WHERE unclaimed > 0";
pub(super) const EXECUTING_ROWS: &str = "SELECT no, grp, billing_key FROM payouts \
     WHERE own IN (1, 2, 5) AND own = 1 AND partner = ?1 AND no > ?2 ORDER BY no LIMIT ?3";
pub(super) const EXECUTING_GROUPS: &str =
    "SELECT no FROM groups WHERE unclaimed > 0 AND partner = ?1 ORDER BY no";
pub(super) const UNCLAIMED: &str = "SELECT no, grp, billing_key FROM payouts \
     WHERE grp = ?1 AND no > ?2 AND own IS NULL ORDER BY no LIMIT ?3";
pub(super) const SENDING: &str = "SELECT p.no, p.partner, p.billing_key, a.bank_no, a.sends, a.day, p.amount \
     FROM payouts p JOIN attempts a ON a.payout = p.no \
     WHERE p.own IN (1, 2, 5) AND p.own = 2 AND p.no > ?1 ORDER BY p.no LIMIT ?2";
pub(super) const DUE_INQUIRIES: &str = "SELECT p.no, p.partner, p.billing_key, a.bank_no, a.sends, a.day, p.amount \
     FROM attempts a JOIN payouts p ON p.no = a.payout \
     WHERE a.inquire_at <= ?1 AND a.bank_no IS NOT NULL AND p.own = 5 \
     ORDER BY a.inquire_at LIMIT ?2";
pub(super) const UNKNOWN: &str = "SELECT no FROM payouts WHERE own IN (1, 2, 5) AND own = 5 AND no > ?1 \
     ORDER BY no LIMIT ?2";
pub(super) const UNKNOWN_SUM: &str = "SELECT count(*), ifnull(sum(amount), 0) FROM payouts \
     WHERE own IN (1, 2, 5) AND own = 5";
/// One step a partner in the index, however many notices wait.
pub(super) const DUE_NOTICE_PARTNERS: &str = "WITH RECURSIVE due(partner) AS ( \
       SELECT min(partner) FROM notices WHERE state = 0 \
       UNION ALL \
       SELECT (SELECT min(n.partner) FROM notices n \
               WHERE n.state = 0 AND n.partner > due.partner) \
       FROM due WHERE due.partner IS NOT NULL) \
     SELECT partner FROM due WHERE partner IS NOT NULL AND \
       (SELECT min(n.next_at) FROM notices n \
        WHERE n.state = 0 AND n.partner = due.partner) <= ?1";
#[cfg(test)]
pub(super) const ENGINE: [&str; 9] = [
    UNKNOWN,
    UNKNOWN_SUM,
    WORKING_PARTNERS,
    EXECUTING_ROWS,
    EXECUTING_GROUPS,
    UNCLAIMED,
    SENDING,
    DUE_INQUIRIES,
    DUE_NOTICE_PARTNERS,
];

/// Counts corrections, which are few, by the same index.
pub(super) fn corrected_sql() -> String {
    let (kinds, corrected) = (told_kinds(), EventKind::Corrected as i64);
    format!(
        "SELECT count(*) FROM events INDEXED BY events_of \
         WHERE kind IN ({kinds}) AND about_kind = 3 AND kind = {corrected}"
    )
}

pub(super) fn story_sql(columns: &str) -> String {
    let kinds = told_kinds();
    format!(
        "SELECT {columns} FROM (SELECT * FROM events WHERE kind IN ({kinds}) AND about_kind = 3 \
         AND about = ?1 UNION ALL SELECT * FROM events WHERE kind IN ({kinds}) \
         AND about_kind = 4 AND about = ?2) ORDER BY no"
    )
}
