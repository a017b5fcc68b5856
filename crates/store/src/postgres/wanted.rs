//! What a batch names, each kind of row once and in order: the order in which rows are locked.

use ichae_domain::command::{Order, Reads};
use std::collections::BTreeSet;

/// Columns of numbers and texts as statements take them.
#[derive(Default)]
pub(super) struct Wanted {
    pub partners: Vec<i64>,
    pub cst_ids: Vec<String>,
    pub open_groups: Vec<i64>,
    pub groups: Vec<i64>,
    pub keys: Vec<i64>,
    pub fingerprints: Vec<Vec<u8>>,
    /// (partner, `distinct_key`), as two columns.
    pub distinct: (Vec<i64>, Vec<String>),
    pub payouts: Vec<i64>,
    pub attempts: Vec<i64>,
    pub funds: (Vec<i64>, Vec<String>),
    pub notices: Vec<i64>,
    pub holds: Vec<i64>,
    /// All of them are read: they are few.
    pub operators: bool,
    pub proposals: Vec<i64>,
    pub payers: Vec<i64>,
    pub aliases: (Vec<i64>, Vec<Vec<u8>>),
    pub oids: (Vec<i64>, Vec<String>),
    pub months: (Vec<i64>, Vec<i32>),
    pub charges: Vec<i64>,
    pub trades: Vec<i64>,
    pub rail: bool,
    /// What no partner's lock covers is done by one node at a time.
    pub desk: bool,
}

#[derive(Default)]
struct Sets<'a> {
    partners: BTreeSet<i64>,
    cst_ids: BTreeSet<&'a str>,
    open_groups: BTreeSet<i64>,
    groups: BTreeSet<i64>,
    keys: BTreeSet<i64>,
    fingerprints: BTreeSet<[u8; 16]>,
    distinct: BTreeSet<(i64, &'a str)>,
    payouts: BTreeSet<i64>,
    attempts: BTreeSet<i64>,
    funds: BTreeSet<(i64, &'a str)>,
    notices: BTreeSet<i64>,
    holds: BTreeSet<i64>,
    proposals: BTreeSet<i64>,
    payers: BTreeSet<i64>,
    aliases: BTreeSet<(i64, [u8; 16])>,
    oids: BTreeSet<(i64, &'a str)>,
    months: BTreeSet<(i64, i32)>,
    charges: BTreeSet<i64>,
    trades: BTreeSet<i64>,
    operators: bool,
    rail: bool,
    desk: bool,
}

impl Wanted {
    pub fn of(orders: &[Order]) -> Wanted {
        let mut sets = Sets::default();
        for order in orders {
            sets.add(&order.command.reads());
        }
        let list = |set: BTreeSet<i64>| set.into_iter().collect();
        let texts = |set: BTreeSet<(i64, &str)>| {
            set.into_iter().map(|(no, text)| (no, text.to_owned())).unzip()
        };
        Wanted {
            partners: list(sets.partners),
            cst_ids: sets.cst_ids.into_iter().map(str::to_owned).collect(),
            open_groups: list(sets.open_groups),
            groups: list(sets.groups),
            keys: list(sets.keys),
            fingerprints: sets.fingerprints.into_iter().map(Vec::from).collect(),
            distinct: texts(sets.distinct),
            payouts: list(sets.payouts),
            attempts: list(sets.attempts),
            funds: texts(sets.funds),
            notices: list(sets.notices),
            holds: list(sets.holds),
            operators: sets.operators,
            proposals: list(sets.proposals),
            payers: list(sets.payers),
            aliases: sets.aliases.into_iter().map(|(no, alias)| (no, alias.to_vec())).unzip(),
            oids: texts(sets.oids),
            months: sets.months.into_iter().unzip(),
            charges: list(sets.charges),
            trades: list(sets.trades),
            rail: sets.rail,
            desk: sets.desk,
        }
    }
}

impl<'a> Sets<'a> {
    fn add(&mut self, reads: &Reads<'a>) {
        let partner = reads.partner.map(|no| no.0);
        self.partners.extend(partner);
        self.cst_ids.extend(reads.cst_id);
        self.open_groups.extend(partner.filter(|_| reads.open_group));
        self.groups.extend(reads.group.map(|no| no.0));
        self.keys.extend(reads.key.map(|no| no.0));
        self.fingerprints.extend(reads.fingerprints.iter().map(|print| print.0));
        self.distinct.extend(partner.zip(reads.distinct_key));
        for row in reads.bulk {
            self.keys.extend(row.key.map(|no| no.0));
            self.distinct.insert((row.partner.0, &row.distinct_key));
        }
        self.payouts.extend(reads.payouts.iter().chain(&reads.payout).map(|no| no.0));
        self.attempts.extend(reads.payout.map(|no| no.0));
        self.funds.extend(partner.zip(reads.fund));
        self.notices.extend(reads.notice.map(|no| no.0));
        self.holds.extend(reads.payout.filter(|_| reads.hold).map(|no| no.0));
        self.operators |= reads.operator.is_some() || reads.signers;
        self.proposals.extend(reads.proposal.map(|no| no.0));
        self.rail |= reads.rail;
        self.desk |= self.operators || reads.proposal.is_some() || reads.cst_id.is_some();
        self.billing(partner, reads);
    }

    fn billing(&mut self, partner: Option<i64>, reads: &Reads<'a>) {
        self.payers.extend(reads.payer.map(|no| no.0));
        self.aliases.extend(partner.zip(reads.alias.map(|alias| alias.0)));
        self.oids.extend(partner.zip(reads.oid));
        self.months.extend(reads.monthly.map(|(payer, month)| (payer.0, month.0)));
        self.charges.extend(reads.charges.iter().chain(&reads.charge).map(|no| no.0));
        self.trades.extend(reads.trade.map(|no| no.0));
    }
}
