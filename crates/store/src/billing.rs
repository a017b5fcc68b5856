//! The port's half for payers and their payments.

use crate::port::StoreError;
use ichae_domain::billing::{Charge, Instrument, OrderText, Payer, PayerAlias, Trade};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::time::{Day, Time};

type Read<T> = Result<T, StoreError>;

/// What a `PCD_PAYER_ID` names, as far as it can be told without the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PayerQuery {
    pub partner: PartnerNo,
    /// An id of ours, decoded.
    pub no: Option<PayerNo>,
    /// Its sixteen bytes, for a key that was brought along.
    pub alias: Option<PayerAlias>,
}

/// A payer with what stands behind its key.
pub type PayerRow = (Payer, Instrument);

/// A payment with everything that an answer or a webhook says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargeRow {
    pub charge: Charge,
    pub texts: OrderText,
    pub payer: Payer,
    pub instrument: Instrument,
    /// Every call that was made for it, oldest first; the first one captures it.
    pub trades: Vec<Trade>,
}

impl ChargeRow {
    pub fn trade(&self, no: TradeNo) -> Option<&Trade> {
        self.trades.iter().find(|trade| trade.no == no)
    }
}

/// Reads about payers and payments. As those of [`crate::port::Reader`]: they never wait for the writer
/// and see every answer that was given before them.
pub trait BillingReader {
    /// One for each query, in one snapshot. A key of another partner's and one that does not exist are
    /// looked for alike; one that was deregistered is found.
    fn payers_by(&self, queries: &[PayerQuery]) -> Read<Vec<Option<PayerRow>>>;
    /// A partner's keys, ascending, after `after`.
    fn payers(&self, partner: PartnerNo, after: PayerNo, limit: usize) -> Read<Vec<PayerRow>>;

    fn charge(&self, no: ChargeNo) -> Read<Option<ChargeRow>>;
    /// The newest payment of a partner under this order number, on that day where one is named.
    fn charge_by_oid(
        &self,
        partner: PartnerNo,
        oid: &str,
        day: Option<Day>,
    ) -> Read<Option<ChargeRow>>;
    /// A partner's payments, newest first.
    fn charges(&self, partner: PartnerNo, limit: usize) -> Read<Vec<Charge>>;
    /// Captured payments up to a day that the acquirer has not paid out, and that no refund is under way
    /// for, ascending, after `after`.
    fn unsettled(
        &self,
        partner: PartnerNo,
        through: Day,
        after: ChargeNo,
        limit: usize,
    ) -> Read<Vec<ChargeNo>>;

    fn trade(&self, no: TradeNo) -> Read<Option<Trade>>;
    /// Intents without an answer, but for those of other nodes that are there: for the start after a
    /// crash.
    fn asking(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>>;
    /// Those of nodes that are gone.
    fn abandoned_trades(&self, _after: TradeNo, _limit: usize) -> Read<Vec<Trade>> {
        Ok(Vec::new())
    }
    /// Calls of which nobody knows what became, ascending, after `after`.
    fn unknown_trades(&self, after: TradeNo, limit: usize) -> Read<Vec<Trade>>;
    /// Those of them whose inquiry is due.
    fn due_trades(&self, now: Time, limit: usize) -> Read<Vec<Trade>>;
}
