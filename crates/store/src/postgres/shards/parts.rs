//! What a shard is made of: the tables with partners' rows, one list for copying, comparing and clearing.

use super::super::link::Session;
use crate::port::StoreError;

/// One table.
pub(super) struct Part {
    pub table: &'static str,
    /// What its rows are told apart by, or brought together with: one number.
    pub key: &'static str,
    pub partner: &'static str,
    /// What stands in a column after the move, where that is not what stood there.
    pub instead: &'static [(&'static str, &'static str)],
    /// Rows are only added.
    pub append_only: bool,
    pub numbered: bool,
}

pub(super) const LEDGERS: &str = "ledgers";

const PLAIN: Part = Part {
    table: "",
    key: "no",
    partner: "partner",
    instead: &[],
    append_only: false,
    numbered: false,
};

/// Rows of a node that has ended: what it had sent is asked about.
const NODE: &[(&str, &str)] = &[("node", "(SELECT no FROM arrival)")];

/// In the order in which they are copied. Whoever may call, and what is held back, is brought last, in the
/// moment of the handing over.
pub(super) const PARTS: &[Part] = &[
    Part { table: LEDGERS, key: "partner", instead: &[("away", "3")], ..PLAIN },
    Part { table: "groups", ..PLAIN },
    Part { table: "billing_keys", ..PLAIN },
    Part { table: "payouts", ..PLAIN },
    Part { table: "attempts", key: "payout", instead: NODE, ..PLAIN },
    Part { table: "postings", append_only: true, numbered: true, ..PLAIN },
    Part { table: "funds", key: "partner", ..PLAIN },
    Part { table: "notices", numbered: true, ..PLAIN },
    Part { table: "events", append_only: true, numbered: true, ..PLAIN },
    Part { table: "proposals", ..PLAIN },
    Part { table: "payers", ..PLAIN },
    Part { table: "charges", ..PLAIN },
    Part { table: "trades", instead: NODE, ..PLAIN },
];

/// Brought whole, last.
pub(super) const PARTNERS: Part = Part { table: "partners", partner: "no", ..PLAIN };
pub(super) const HOLDS: Part = Part {
    table: "holds",
    key: "payout",
    partner: "(SELECT p.partner FROM payouts p WHERE p.no = holds.payout)",
    ..PLAIN
};

impl Part {
    /// Whether a row is of that shard.
    pub fn of_shard(&self, shard: u16) -> String {
        format!("mod({}, 1024) = {shard}", self.partner)
    }

    /// Columns, but for those that follow from others.
    pub async fn columns(&self, session: &Session) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass \
                   AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum";
        let rows = session.client.query(sql, &[&self.table]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// What stands in each of them after the move, of rows that are called `s`.
    pub fn values(&self, columns: &[String]) -> String {
        let value = |column: &String| {
            let other = self.instead.iter().find(|(name, _)| name == column);
            other.map_or_else(|| format!("s.{column}"), |(_, value)| (*value).to_owned())
        };
        columns.iter().map(value).collect::<Vec<_>>().join(", ")
    }
}
