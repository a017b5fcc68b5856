//! Rows in memory. Partners, ledgers, groups, keys and the rail stay between batches, because nobody
//! else writes them; the rest is of one batch. After a rollback all of it is dropped and read again.

use super::billing;
use super::distinct::DistinctKeys;
use super::row;
use crate::port::StoreError;
use ichae_domain::billing::{Charge, Payer, Trade};
use ichae_domain::command::Reads;
use ichae_domain::group::Group;
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayerNo, PayoutNo};
use ichae_domain::key::{BillingKey, Fingerprint};
use ichae_domain::ledger::Ledger;
use ichae_domain::matter::Proposal;
use ichae_domain::money::Won;
use ichae_domain::notice::Notice;
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::view::{BulkRow, View};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeSet, HashMap};

/// Rows of a kind that stay in memory between batches; past it all of them are dropped.
const KEPT_MAX: usize = 65_536;

/// A ledger with the end of its hash chain.
pub(super) struct Chained {
    pub ledger: Ledger,
    pub head: [u8; 32],
    pub length: i64,
}

#[derive(Default)]
pub(super) struct Cache {
    pub partners: HashMap<PartnerNo, Partner>,
    pub ledgers: HashMap<PartnerNo, Chained>,
    pub groups: HashMap<GroupNo, Group>,
    pub keys: HashMap<KeyNo, BillingKey>,
    pub rail: Option<Rail>,
    pub settlement: i64,
    // Of one batch only: rows that no later batch is likely to name.
    pub payouts: HashMap<PayoutNo, Payout>,
    pub attempts: HashMap<PayoutNo, Attempt>,
    pub notices: HashMap<i64, Notice>,
    /// What was changed in memory and is written once, at the end of the batch.
    pub dirty: Dirty,
}

/// In the order of their keys, so that pages are written side by side.
#[derive(Default)]
pub(super) struct Dirty {
    pub ledgers: BTreeSet<PartnerNo>,
    pub groups: BTreeSet<GroupNo>,
    pub attempts: BTreeSet<PayoutNo>,
    /// Payouts whose own state changed.
    pub own: BTreeSet<PayoutNo>,
    /// Payouts that are not in the file yet.
    pub new: BTreeSet<PayoutNo>,
    pub rail: bool,
}

/// What was found by other names than its own number.
#[derive(Default)]
pub(super) struct Found {
    partner: Option<PartnerNo>,
    group: Option<GroupNo>,
    key: Option<KeyNo>,
    prior: Option<PayoutNo>,
    fund: Option<Won>,
    bulk: Vec<Option<PayoutNo>>,
    hold: Option<Hold>,
    operator: Option<Operator>,
    proposal: Option<Proposal>,
    signers: usize,
    payer: Option<Payer>,
    alias: Option<PayerNo>,
    ordered: Option<Charge>,
    monthly: Option<Charge>,
    charge: Option<Charge>,
    receipt: Option<Trade>,
    charges: Vec<Charge>,
    trade: Option<Trade>,
}

impl Cache {
    pub fn view<'a>(&'a self, reads: &Reads<'_>, found: &'a Found) -> View<'a> {
        let payout = |no: &PayoutNo| self.payouts.get(no);
        let first = |no: PayoutNo| {
            let first = self.payouts.get(&no)?;
            Some((first, self.groups.get(&first.group)?))
        };
        let row = |(row, prior): (&ichae_domain::command::Request, &Option<PayoutNo>)| BulkRow {
            key: row.key.and_then(|no| self.keys.get(&no)),
            prior: prior.and_then(first),
        };
        View {
            partner: found.partner.and_then(|no| self.partners.get(&no)),
            ledger: found.partner.and_then(|no| self.ledgers.get(&no)).map(|c| &c.ledger),
            group: found.group.and_then(|no| self.groups.get(&no)),
            key: found.key.and_then(|no| self.keys.get(&no)),
            prior: found.prior.and_then(first),
            bulk: reads.bulk.iter().zip(&found.bulk).map(row).collect(),
            payouts: reads.payouts.iter().filter_map(payout).collect(),
            payout: reads.payout.as_ref().and_then(payout),
            attempt: reads.payout.and_then(|no| self.attempts.get(&no)),
            fund: found.fund,
            notice: reads.notice.and_then(|no| self.notices.get(&no.0)),
            rail: self.rail.as_ref().filter(|_| reads.rail),
            hold: found.hold.as_ref(),
            operator: found.operator.as_ref(),
            proposal: found.proposal.as_ref(),
            signers: found.signers,
            payer: found.payer.as_ref(),
            alias: found.alias,
            ordered: found.ordered.as_ref(),
            monthly: found.monthly.as_ref(),
            charge: found.charge.as_ref(),
            receipt: found.receipt.as_ref(),
            charges: found.charges.iter().collect(),
            trade: found.trade.as_ref(),
        }
    }

    /// After a commit: forgets what was of that batch only.
    pub fn settle(&mut self) {
        self.payouts.clear();
        self.attempts.clear();
        self.notices.clear();
        let kept = [self.partners.len(), self.groups.len(), self.keys.len()];
        if kept.into_iter().any(|rows| rows > KEPT_MAX) {
            *self = Cache::default();
        }
    }
}

/// Brings rows into the cache.
pub(super) struct Loader<'a> {
    pub db: &'a Connection,
    pub cache: &'a mut Cache,
    pub distinct: &'a DistinctKeys,
}

type Done = Result<(), StoreError>;

impl Loader<'_> {
    /// Brings the named rows into memory; gives what the view needs besides.
    pub fn load(&mut self, reads: &Reads<'_>) -> Result<Found, StoreError> {
        let mut found = Found::default();
        if let Some(cst_id) = reads.cst_id {
            found.partner = self.partner_by_id(cst_id)?;
        }
        if let Some(no) = reads.partner {
            self.partner(no)?;
            found.partner = Some(no);
            found.fund =
                reads.fund.map(|reference| self.fund(no, reference)).transpose()?.flatten();
        }
        let open = || self.cache.ledgers.get(&found.partner?)?.ledger.open_group;
        found.group = if reads.open_group { open() } else { reads.group };
        if let Some(no) = found.group {
            self.group(no)?;
        }
        found.key = match reads.key {
            Some(no) => Some(no),
            None => self.key_by_fingerprint(reads.fingerprints)?,
        };
        if let Some(no) = found.key {
            self.key(no)?;
        }
        if let (Some(distinct), Some(partner)) = (reads.distinct_key, reads.partner) {
            found.prior = self.prior(partner, distinct)?;
        }
        for row in reads.bulk {
            if let Some(no) = row.key {
                self.key(no)?;
            }
            found.bulk.push(self.prior(row.partner, &row.distinct_key)?);
        }
        for no in reads.payouts.iter().chain(&reads.payout) {
            self.payout(*no)?;
        }
        if let Some(no) = reads.payout {
            self.attempt(no)?;
        }
        if let Some(no) = reads.notice {
            let sql = format!("SELECT {} FROM notices WHERE no = ?1", row::NOTICE);
            let notice = self.db.prepare_cached(&sql)?.query_row([no.0], row::notice).optional()?;
            self.cache.notices.extend(notice.map(|n| (n.no.0, n)));
        }
        if reads.rail {
            self.rail()?;
        }
        self.persons(reads, &mut found)?;
        self.billing(reads, &mut found)?;
        Ok(found)
    }

    /// What persons decided: few rows, read anew each time.
    fn persons(&self, reads: &Reads<'_>, found: &mut Found) -> Done {
        if let Some(no) = reads.payout.filter(|_| reads.hold) {
            let sql = format!("SELECT {} FROM holds WHERE payout = ?1", row::HOLD);
            found.hold = self.db.prepare_cached(&sql)?.query_row([no.0], row::hold).optional()?;
        }
        if let Some(name) = reads.operator {
            let sql = format!("SELECT {} FROM operators WHERE name = ?1", row::OPERATOR);
            found.operator = self.db.query_row(&sql, [name], row::operator).optional()?;
        }
        if reads.signers {
            let sql = "SELECT count(*) FROM operators WHERE revoked_at IS NULL";
            let signers: i64 = self.db.query_row(sql, [], |r| r.get(0))?;
            found.signers = usize::try_from(signers).unwrap_or_default();
        }
        if let Some(no) = reads.proposal {
            let sql = format!("SELECT {} FROM proposals WHERE no = ?1", row::PROPOSAL);
            found.proposal = self.db.query_row(&sql, [no.0], row::proposal).optional()?;
        }
        Ok(())
    }

    /// Payers and payments: read anew each time, this batch's own writes among them.
    fn billing(&self, reads: &Reads<'_>, found: &mut Found) -> Done {
        let db = self.db;
        if let Some(no) = reads.payer {
            found.payer = billing::load_payer(db, no)?;
        }
        if let Some(partner) = reads.partner {
            if let Some(alias) = reads.alias {
                found.alias = billing::load_alias(db, partner, alias)?;
            }
            if let Some(oid) = reads.oid {
                found.ordered = billing::load_by_oid(db, partner, oid)?;
            }
        }
        if let Some((payer, month)) = reads.monthly {
            found.monthly = billing::load_by_month(db, payer, month)?;
        }
        if let Some(no) = reads.charge {
            found.charge = billing::load_charge(db, no)?;
            let receipt = found.charge.as_ref().and_then(|charge| charge.receipt);
            found.receipt = receipt.map(|no| billing::load_trade(db, no)).transpose()?.flatten();
        }
        for no in reads.charges {
            found.charges.extend(billing::load_charge(db, *no)?);
        }
        if let Some(no) = reads.trade {
            found.trade = billing::load_trade(db, no)?;
            if let (None, Some(trade)) = (reads.charge, &found.trade) {
                found.charge = billing::load_charge(db, trade.charge)?;
            }
        }
        Ok(())
    }

    fn partner_by_id(&mut self, cst_id: &str) -> Result<Option<PartnerNo>, StoreError> {
        let sql = "SELECT no FROM partners WHERE cst_id = ?1";
        let no: Option<i64> = self.db.query_row(sql, [cst_id], |r| r.get(0)).optional()?;
        if let Some(no) = no {
            self.partner(PartnerNo(no))?;
        }
        Ok(no.map(PartnerNo))
    }

    fn partner(&mut self, no: PartnerNo) -> Done {
        if self.cache.partners.contains_key(&no) && self.cache.ledgers.contains_key(&no) {
            return Ok(());
        }
        let sql = format!("SELECT {} FROM partners WHERE no = ?1", row::PARTNER);
        let partner = self.db.prepare_cached(&sql)?.query_row([no.0], row::partner).optional()?;
        let sql = format!(
            "SELECT {}, chain_head, chain_length FROM ledgers WHERE partner = ?1",
            row::LEDGER
        );
        let chained = self.db.prepare_cached(&sql)?.query_row([no.0], |r| {
            Ok(Chained {
                ledger: row::ledger(r)?,
                head: r.get(row::LEDGER_COLUMNS)?,
                length: r.get(row::LEDGER_COLUMNS + 1)?,
            })
        });
        self.cache.partners.extend(partner.map(|p| (no, p)));
        self.cache.ledgers.extend(chained.optional()?.map(|c| (no, c)));
        Ok(())
    }

    fn group(&mut self, no: GroupNo) -> Done {
        if !self.cache.groups.contains_key(&no) {
            let sql = format!("SELECT {} FROM groups g WHERE no = ?1", row::GROUP);
            let mut found = self.db.prepare_cached(&sql)?;
            let group = found.query_row([no.0], |r| row::group(r, 0)).optional()?;
            self.cache.groups.extend(group.map(|g| (no, g)));
        }
        Ok(())
    }

    fn key(&mut self, no: KeyNo) -> Done {
        if !self.cache.keys.contains_key(&no) {
            let sql = format!("SELECT {} FROM billing_keys k WHERE no = ?1", row::KEY);
            let mut found = self.db.prepare_cached(&sql)?;
            let key = found.query_row([no.0], |r| row::key(r, 0)).optional()?;
            self.cache.keys.extend(key.map(|k| (no, k)));
        }
        Ok(())
    }

    /// The newest key of that account, live before dead.
    fn key_by_fingerprint(&self, prints: &[Fingerprint]) -> Result<Option<KeyNo>, StoreError> {
        for print in prints {
            let sql = "SELECT no FROM billing_keys WHERE fingerprint = ?1 \
                       ORDER BY dead IS NOT NULL, no DESC LIMIT 1";
            let mut found = self.db.prepare_cached(sql)?;
            if let Some(no) = found.query_row([print.0], |r| r.get(0)).optional()? {
                return Ok(Some(KeyNo(no)));
            }
        }
        Ok(None)
    }

    /// The first request under a key. The index names candidates, the rows decide.
    fn prior(&mut self, partner: PartnerNo, key: &str) -> Result<Option<PayoutNo>, StoreError> {
        let mut candidates = Vec::new();
        self.distinct.candidates(partner, key, &mut candidates)?;
        for no in candidates {
            self.payout(no)?;
            let same = |p: &&Payout| p.partner == partner && p.distinct_key == key;
            if let Some(group) = self.cache.payouts.get(&no).filter(same).map(|p| p.group) {
                self.group(group)?;
                return Ok(Some(no));
            }
        }
        Ok(None)
    }

    fn payout(&mut self, no: PayoutNo) -> Done {
        if !self.cache.payouts.contains_key(&no) {
            let sql = format!("SELECT {} FROM payouts p WHERE no = ?1", row::PAYOUT);
            let payout = self.db.prepare_cached(&sql)?.query_row([no.0], row::payout).optional()?;
            self.cache.payouts.extend(payout.map(|p| (no, p)));
        }
        Ok(())
    }

    fn attempt(&mut self, no: PayoutNo) -> Done {
        if !self.cache.attempts.contains_key(&no) {
            let sql = format!("SELECT {} FROM attempts a WHERE payout = ?1", row::ATTEMPT);
            let mut found = self.db.prepare_cached(&sql)?;
            let attempt = found.query_row([no.0], |r| row::attempt(r, 0)).optional()?.flatten();
            self.cache.attempts.extend(attempt.map(|a| (no, a)));
        }
        Ok(())
    }

    pub fn rail(&mut self) -> Done {
        if self.cache.rail.is_none() {
            let sql = format!("SELECT {}, settlement FROM rails WHERE no = 1", row::RAIL);
            let (rail, settlement): (Rail, i64) =
                self.db.query_row(&sql, [], |r| Ok((row::rail(r)?, r.get(row::RAIL_COLUMNS)?)))?;
            self.cache.rail = Some(rail);
            // What this batch has moved already stands in the sum; the stored part comes to it.
            self.cache.settlement += settlement;
        }
        Ok(())
    }

    fn fund(&self, partner: PartnerNo, reference: &str) -> Result<Option<Won>, StoreError> {
        let sql = "SELECT amount FROM funds WHERE partner = ?1 AND reference = ?2";
        let mut found = self.db.prepare_cached(sql)?;
        Ok(found.query_row(params![partner.0, reference], |r| r.get(0).map(Won)).optional()?)
    }
}
