//! What was sent, read from outside beside a running server, for a statement to be matched with. It
//! reads no account and no name, so it needs no keys.

use crate::port::{Sent, StoreError};
use crate::postgres::{Link, sent::PostgresSent};
use crate::sqlite::sent::SqliteSent;
use ichae_domain::ident::{BankNo, PartnerNo, PayoutNo};
use ichae_domain::time::Day;
use std::path::Path;
use std::sync::Arc;

/// Rows of one read; each is a short transaction of its own.
const PAGE: usize = 10_000;

/// What each kind of store does for it.
pub(crate) trait SentRows {
    fn of(&self, bank_no: BankNo) -> Result<Option<Sent>, StoreError>;
    fn partners(&self) -> Result<Vec<PartnerNo>, StoreError>;
    /// A partner's, with a business date of those days, after (day, number).
    fn page(
        &self,
        partner: PartnerNo,
        days: (Day, Day),
        after: (Day, PayoutNo),
        limit: usize,
    ) -> Result<Vec<Sent>, StoreError>;
}

pub struct SentBook {
    rows: Box<dyn SentRows>,
}

impl SentBook {
    /// Opens a store's file to read it; its server may go on.
    pub fn open(file: &Path) -> Result<SentBook, StoreError> {
        Ok(SentBook { rows: Box::new(SqliteSent::open(file)?) })
    }

    /// The same of a store on PostgreSQL.
    pub fn on_postgres(link: Arc<Link>) -> SentBook {
        SentBook { rows: Box::new(PostgresSent(link)) }
    }

    /// The payout of that number.
    pub fn of(&self, bank_no: BankNo) -> Result<Option<Sent>, StoreError> {
        self.rows.of(bank_no)
    }

    /// Everything with a business date of those days.
    pub fn on(
        &self,
        first: Day,
        last: Day,
    ) -> Result<impl Iterator<Item = Result<Sent, StoreError>> + '_, StoreError> {
        let partners = self.rows.partners()?.into_iter();
        Ok(partners.flat_map(move |partner| self.of_partner(partner, first, last)))
    }

    fn of_partner(
        &self,
        partner: PartnerNo,
        first: Day,
        last: Day,
    ) -> impl Iterator<Item = Result<Sent, StoreError>> + '_ {
        let mut after = Some((first, PayoutNo(0)));
        let pages = std::iter::from_fn(move || {
            let page = self.rows.page(partner, (first, last), after?, PAGE);
            after = match &page {
                Ok(page) if page.len() == PAGE => page.last().map(|s| (s.day, s.payout)),
                _ => None,
            };
            Some(page)
        });
        pages.flat_map(|page| {
            let (rows, error) = match page {
                Ok(rows) => (rows, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            rows.into_iter().map(Ok).chain(error)
        })
    }
}
