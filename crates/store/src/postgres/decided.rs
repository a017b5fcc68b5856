//! What the orders of a batch have come to: their answers, and what is to be written.

use super::flush::Changed;
use super::load::{Chain, Loaded};
use crate::port::{Answer, StoreError};
use crate::rows::posting_line;
use crate::seal::Sealer;
use ichae_domain::ident::PartnerNo;
use ichae_domain::ledger::{Account as Side, Posting};
use ichae_domain::view::Write;

/// What a batch has come to, order by order.
#[derive(Default)]
pub(super) struct Decided {
    pub answers: Vec<Answer>,
    pub changed: Changed,
    pub rare: Vec<Write>,
    pub rail: bool,
    pub concerns_all: bool,
}

impl Decided {
    pub fn take(
        &mut self,
        write: Write,
        loaded: &mut Loaded,
        sealer: &Sealer,
    ) -> Result<(), StoreError> {
        let changed = &mut self.changed;
        match &write {
            Write::Ledger(ledger) => {
                changed.ledgers.insert(ledger.partner);
                let new = Chain { head: [0; 32], length: 0, settlement: 0 };
                loaded.chains.entry(ledger.partner).or_insert(new);
            }
            Write::Group(group) => {
                changed.groups.insert(group.no);
            }
            Write::NewPayout(payout) => {
                changed.new_payouts.insert(payout.no);
            }
            Write::Own(no, ..) => {
                changed.own.insert(*no);
            }
            Write::Attempt(attempt) => {
                changed.attempts.insert(attempt.payout);
            }
            Write::Notice(notice) => {
                changed.notices.insert(notice.no);
            }
            Write::Posting(posting) => self.post(posting.clone(), loaded, sealer)?,
            Write::NewNotice(notice) => changed.new_notices.push(notice.clone()),
            Write::Event(event) => changed.events.push(event.clone()),
            Write::Partner(_) | Write::WebhookSecret(..) => {
                // Every node keeps partners in memory.
                self.concerns_all = true;
                self.rare.push(write.clone());
            }
            Write::Rail(_) => {
                self.rail = true;
                self.rare.push(write.clone());
            }
            Write::NewKey(..)
            | Write::Key(_)
            | Write::Fund { .. }
            | Write::Hold(..)
            | Write::Operator(_)
            | Write::Proposal(_)
            | Write::Statement(_)
            | Write::NewPayer(..)
            | Write::Payer(_)
            | Write::NewCharge(..)
            | Write::Charge(_)
            | Write::Trade(_) => self.rare.push(write.clone()),
        }
        // Numbered by the database; no later order of this batch names one of them.
        if !matches!(write, Write::NewNotice(_) | Write::Event(_) | Write::Posting(_)) {
            loaded.rows.write(write);
        }
        Ok(())
    }

    /// Links a journal line to the one before it.
    fn post(
        &mut self,
        posting: Posting,
        loaded: &mut Loaded,
        sealer: &Sealer,
    ) -> Result<(), StoreError> {
        let missing = || StoreError::Damaged("a posting without a ledger".to_owned());
        let partner: PartnerNo = posting.partner;
        let chain = loaded.chains.get_mut(&partner).ok_or_else(missing)?;
        chain.head = sealer.link(&chain.head, &posting_line(&posting));
        chain.length += 1;
        let (debit, credit) = posting.entry.legs();
        let credited = i64::from(credit == Side::Settlement);
        let debited = i64::from(debit == Side::Settlement);
        chain.settlement += (credited - debited) * posting.amount.0;
        self.changed.ledgers.insert(partner);
        self.changed.postings.push((posting, chain.head));
        Ok(())
    }
}
