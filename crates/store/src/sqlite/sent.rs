//! What was sent, from the file of a store.

use super::read;
use crate::port::{Sent, StoreError};
use crate::sent::SentRows;
use ichae_domain::ident::{BankNo, PartnerNo, PayoutNo};
use ichae_domain::time::Day;
use rusqlite::Connection;
use std::path::Path;

pub(crate) struct SqliteSent {
    db: Connection,
}

impl SqliteSent {
    pub fn open(file: &Path) -> Result<SqliteSent, StoreError> {
        Ok(SqliteSent { db: read::connect(file)? })
    }
}

impl SentRows for SqliteSent {
    fn of(&self, bank_no: BankNo) -> Result<Option<Sent>, StoreError> {
        read::sent_as(&self.db, bank_no)
    }

    fn partners(&self) -> Result<Vec<PartnerNo>, StoreError> {
        read::partner_numbers(&self.db)
    }

    fn page(
        &self,
        partner: PartnerNo,
        days: (Day, Day),
        after: (Day, PayoutNo),
        limit: usize,
    ) -> Result<Vec<Sent>, StoreError> {
        read::sent_page(&self.db, partner, days, after, limit)
    }
}
