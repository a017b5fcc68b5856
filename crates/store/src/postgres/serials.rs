//! Serials of this node: blocks of the store's one sequence (docs/adr/0021).

use super::link::Session;
use crate::port::StoreError;
use ichae_domain::command::{Command, Order};
use ichae_domain::ident::TURN;

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
    /// the last one is another node's neighbour: what was left of the last is given up. `block`: how many
    /// come at once; of a cell's no two follow on each other.
    pub async fn reserve(
        &mut self,
        session: &mut Session,
        weight: usize,
        block: i64,
    ) -> Result<(), StoreError> {
        let need = 2 * i64::try_from(weight).unwrap_or(i64::MAX / 4) + SPARE;
        if block == TURN && need > TURN {
            return Err(StoreError::Damaged(
                "a batch needs more serials than a cell's turn".to_owned(),
            ));
        }
        while self.end - self.next < need {
            let statement = session.prepared("SELECT nextval('serials')").await?;
            let first: i64 = session.client.query_one(&statement, &[]).await?.get(0);
            if first != self.end {
                self.next = first;
            }
            self.end = first + block;
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

/// Numbers for new partners, where there are cells: a partner's number says which shard is its own, and that
/// has to be one that is here, and stays for as long as this transaction.
pub(super) struct PartnerNumbers(std::vec::IntoIter<i64>);

impl PartnerNumbers {
    /// One for each order that makes a partner, each in a shard of its own, those with the fewest first; the
    /// desk's lock keeps others from the same. `None`: any number will do.
    pub async fn of(
        session: &mut Session,
        orders: &[Order],
    ) -> Result<Option<PartnerNumbers>, StoreError> {
        let adds = |order: &&Order| matches!(order.command, Command::AddPartner(_));
        let count = orders.iter().filter(adds).count();
        if count == 0 {
            return Ok(None);
        }
        let statement = session.prepared("SELECT cell FROM store").await?;
        let cell: Option<i16> = session.client.query_one(&statement, &[]).await?.get(0);
        let Some(cell) = cell else { return Ok(None) };
        let emptiest = session.prepared(EMPTIEST).await?;
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = session.client.query(&emptiest, &[&cell, &limit]).await?;
        let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        Ok(Some(PartnerNumbers(numbers.into_iter())))
    }

    /// `None`: nothing that is here is steady.
    pub fn next(&mut self) -> Option<i64> {
        self.0.next()
    }
}

/// The next partner's number in each of the shards that are here, those with the fewest partners first. Shard
/// 0 begins one lap later: there is no partner 0.
const EMPTIEST: &str = "SELECT coalesce(l.last + 1024, nullif(m.shard, 0)::bigint, 1024) FROM shards m \
     LEFT JOIN (SELECT mod(partner, 1024) AS shard, count(*) AS partners, max(partner) AS last \
     FROM ledgers GROUP BY 1) l ON l.shard = m.shard WHERE m.cell = $1 AND m.state = 0 \
     ORDER BY coalesce(l.partners, 0), m.shard LIMIT $2 FOR SHARE OF m";
