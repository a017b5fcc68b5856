//! SQLite's rows as [`crate::rows`] reads them.

use crate::rows::{self, Cells, Raw};
use ichae_domain::billing::{Charge, Payer, Trade};
use ichae_domain::group::Group;
use ichae_domain::key::BillingKey;
use ichae_domain::ledger::{Ledger, Posting};
use ichae_domain::matter::Proposal;
use ichae_domain::notice::Notice;
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::view::{Event, StatementRead};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Error, Result, Row};

pub(super) use rows::billing::{CHARGE, CHARGE_COLUMNS, PAYER, PAYER_COLUMNS, TRADE};
pub(super) use rows::{
    ATTEMPT, EVENT, GROUP, HOLD, KEY, LEDGER, LEDGER_COLUMNS, NOTICE, OPERATOR, PARTNER, PAYOUT,
    POSTING, PROPOSAL, RAIL, RAIL_COLUMNS, STATEMENT, about_columns, actor_columns,
    subject_columns,
};

impl Cells for Row<'_> {
    type Error = Error;

    fn raw(&self, at: usize) -> Result<Raw<'_>> {
        Ok(match self.get_ref(at)? {
            ValueRef::Null => Raw::Null,
            ValueRef::Integer(number) => Raw::Int(number),
            ValueRef::Text(text) => Raw::Text(std::str::from_utf8(text)?),
            ValueRef::Blob(bytes) => Raw::Bytes(bytes),
            ValueRef::Real(_) => return Err(Self::bad(at)),
        })
    }

    fn bad(at: usize) -> Error {
        Error::InvalidColumnType(at, "not of its vocabulary".to_owned(), Type::Null)
    }
}

/// The same functions for this one kind of row, as its statements take them.
macro_rules! of_row {
    ($($from:path: $name:ident -> $kind:ty;)*) => { $(
        pub(super) fn $name(row: &Row<'_>) -> Result<$kind> {
            $from(row)
        }
    )* };
}

of_row! {
    rows::partner: partner -> Partner;
    rows::ledger: ledger -> Ledger;
    rows::rail: rail -> Rail;
    rows::payout: payout -> Payout;
    rows::posting: posting -> Posting;
    rows::notice: notice -> Notice;
    rows::event: event -> Event;
    rows::hold: hold -> Hold;
    rows::operator: operator -> Operator;
    rows::proposal: proposal -> Proposal;
    rows::statement: statement -> StatementRead;
    rows::billing::payer: payer -> Payer;
    rows::billing::charge: charge -> Charge;
    rows::billing::trade: trade -> Trade;
}

pub(super) fn group(row: &Row<'_>, from: usize) -> Result<Group> {
    rows::group(row, from)
}

pub(super) fn key(row: &Row<'_>, from: usize) -> Result<BillingKey> {
    rows::key(row, from)
}

pub(super) fn attempt(row: &Row<'_>, from: usize) -> Result<Option<Attempt>> {
    rows::attempt(row, from)
}

/// A hash as SQLite keeps it: the same bits, signed.
pub fn from_hash(hash: u64) -> i64 {
    i64::from_ne_bytes(hash.to_ne_bytes())
}

pub fn to_hash(number: i64) -> u64 {
    u64::from_ne_bytes(number.to_ne_bytes())
}
