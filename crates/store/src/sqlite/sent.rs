//! What was sent, read from outside beside a running server, for a statement to be matched with. It
//! reads no account and no name, so it needs no keys.

use super::read;
use crate::port::{Sent, StoreError};
use ichae_domain::ident::{BankNo, PartnerNo, PayoutNo};
use ichae_domain::time::Day;
use rusqlite::Connection;
use std::path::Path;

/// Rows of one read; each is a short transaction of its own.
const PAGE: usize = 10_000;

pub struct SentBook {
    db: Connection,
}

impl SentBook {
    /// Opens a store to read it; its server may go on.
    pub fn open(file: &Path) -> Result<SentBook, StoreError> {
        Ok(SentBook { db: read::connect(file)? })
    }

    /// The payout of that number.
    pub fn of(&self, bank_no: BankNo) -> Result<Option<Sent>, StoreError> {
        read::sent_as(&self.db, bank_no)
    }

    /// Everything with a business date of those days.
    pub fn on(
        &self,
        first: Day,
        last: Day,
    ) -> Result<impl Iterator<Item = Result<Sent, StoreError>> + '_, StoreError> {
        let partners = read::partner_numbers(&self.db)?.into_iter();
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
            let page = read::sent_page(&self.db, partner, (first, last), after?, PAGE);
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
