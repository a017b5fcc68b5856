//! Serials of this node: blocks of the store's one sequence (docs/adr/0021).

use super::link::Session;
use crate::port::StoreError;

/// Serials of a block, as the sequence steps.
const BLOCK: i64 = 1_024;
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
