//! Serials of this node: blocks of the store's one sequence (docs/adr/0021).

use super::link::Session;
use crate::port::StoreError;
use ichae_domain::command::{Command, Order};
use ichae_domain::ident::{BLOCK, PartnerNo};
use std::collections::BTreeSet;

/// What any order may use besides one for each row.
const SPARE: i64 = 16;

/// The numbers that are left: from `next` up to, not with, `end`.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Serials {
    next: i64,
    end: i64,
}

impl Serials {
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Makes sure that orders of that weight have their numbers, in one row. A block that does not follow on
    /// the last one is another node's neighbour: what was left of the last is given up.
    pub async fn reserve(
        &mut self,
        session: &mut Session,
        weight: usize,
    ) -> Result<(), StoreError> {
        let need = 2 * i64::try_from(weight).unwrap_or(i64::MAX / 4) + SPARE;
        while self.end - self.next < need {
            let statement = session.prepared("SELECT nextval('serials')").await?;
            let first: i64 = session.client.query_one(&statement, &[]).await?.get(0);
            if first != self.end {
                self.next = first;
            }
            self.end = first + BLOCK;
        }
        Ok(())
    }

    pub fn used(&mut self, count: i64) -> Result<(), StoreError> {
        self.next += count;
        match self.next <= self.end {
            true => Ok(()),
            false => Err(StoreError::Damaged("an order used more serials than it has".to_owned())),
        }
    }

    /// Goes on to a number that is a partner's of a shard which is served here. `false`: none is left.
    pub fn skip_to(&mut self, places: &Places) -> bool {
        let fits = |no: &i64| places.shards.contains(&PartnerNo(*no).shard());
        let found = (self.next..self.end).find(fits);
        self.next = found.unwrap_or(self.next);
        found.is_some()
    }

    /// What is left after a rollback: a block that was taken in it may be given to another node, because
    /// what a sequence handed out is durable only with a commit after it.
    pub fn rolled_back(&mut self, before: Serials) {
        *self = before;
    }

    /// After a commit of which nobody knew, and that was none: its numbers may be in nobody's use, its block
    /// in another's.
    pub fn forget(&mut self) {
        *self = Serials::default();
    }
}

/// Where a new partner may be: a partner's number says which shard is its own.
pub(super) struct Places {
    shards: BTreeSet<u16>,
}

impl Places {
    /// For orders that make a partner, where there are cells: shards that are here and stay for as long as
    /// this transaction, and a whole block, which has a number of every shard.
    pub async fn of(
        session: &mut Session,
        orders: &[Order],
        serials: &mut Serials,
    ) -> Result<Option<Places>, StoreError> {
        if !orders.iter().any(|order| matches!(order.command, Command::AddPartner(_))) {
            return Ok(None);
        }
        let sql = "SELECT m.shard FROM shards m JOIN store s ON s.cell = m.cell WHERE m.state = 0 \
                   ORDER BY m.shard FOR SHARE OF m";
        let statement = session.prepared(sql).await?;
        let rows = session.client.query(&statement, &[]).await?;
        let shard = |row: &tokio_postgres::Row| {
            let shard = u16::try_from(row.get::<_, i16>(0));
            shard.map_err(|_| StoreError::Damaged("the map of shards".to_owned()))
        };
        let shards = rows.iter().map(shard).collect::<Result<BTreeSet<u16>, _>>()?;
        let statement = session.prepared("SELECT cell FROM store").await?;
        let cell: Option<i16> = session.client.query_one(&statement, &[]).await?.get(0);
        if cell.is_none() {
            return Ok(None);
        }
        *serials = Serials::default();
        Ok(Some(Places { shards }))
    }
}
