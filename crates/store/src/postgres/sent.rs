//! What was sent, from a store on PostgreSQL.

use super::link::Link;
use super::pool::{Params, most, params};
use super::read::{SENT_OF, SENT_PAGE, sent};
use crate::port::{Sent, StoreError};
use crate::sent::SentRows;
use ichae_domain::ident::{BankNo, PartnerNo, PayoutNo};
use ichae_domain::time::Day;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// A page of ten thousand rows takes far less.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct PostgresSent(pub Arc<Link>);

impl PostgresSent {
    fn ask(&self, sql: &'static str, params: Params) -> Result<Vec<Row>, StoreError> {
        let link = Arc::clone(&self.0);
        self.0.wait(LIMIT, async move {
            let params: Vec<&(dyn ToSql + Sync)> =
                params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
            Ok(link.session().await?.client.query(sql, &params).await?)
        })
    }
}

impl SentRows for PostgresSent {
    fn of(&self, bank_no: BankNo) -> Result<Option<Sent>, StoreError> {
        self.ask(SENT_OF, params![bank_no.0])?.first().map(sent).transpose()
    }

    fn partners(&self) -> Result<Vec<PartnerNo>, StoreError> {
        let found = self.ask("SELECT no FROM partners ORDER BY no", params![])?;
        found.iter().map(|row| Ok(PartnerNo(row.try_get(0)?))).collect()
    }

    fn page(
        &self,
        partner: PartnerNo,
        days: (Day, Day),
        after: (Day, PayoutNo),
        limit: usize,
    ) -> Result<Vec<Sent>, StoreError> {
        let (day, no) = (after.0.0, after.1.0);
        let params = params![partner.0, day, no, days.0.0, days.1.0, most(limit)];
        self.ask(SENT_PAGE, params)?.iter().map(sent).collect()
    }
}
