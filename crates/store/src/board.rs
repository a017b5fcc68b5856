//! What is left of every partner's limit, in memory: put up after the commit and before its answers,
//! so that a reader sees every answer that was given before it, and waits for neither disk nor writer.

use ichae_domain::ident::PartnerNo;
use ichae_domain::ledger::Ledger;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

#[derive(Default)]
pub(crate) struct Board {
    ledgers: RwLock<HashMap<PartnerNo, Ledger>>,
}

impl Board {
    pub fn put(&self, ledgers: impl Iterator<Item = Ledger>) {
        let mut board = self.ledgers.write().unwrap_or_else(PoisonError::into_inner);
        board.extend(ledgers.map(|ledger| (ledger.partner, ledger)));
    }

    pub fn ledger(&self, partner: PartnerNo) -> Option<Ledger> {
        let board = self.ledgers.read().unwrap_or_else(PoisonError::into_inner);
        board.get(&partner).cloned()
    }
}
