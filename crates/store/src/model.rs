//! The reference model: every row that a decision can see and write, as plain maps. The memory store is
//! all of it; the PostgreSQL store brings the rows that a batch names into one and decides on that.

mod billing;

pub use billing::BillingRows;

use ichae_domain::command::{Reads, Request};
use ichae_domain::group::Group;
use ichae_domain::ident::{GroupNo, KeyNo, NoticeNo, PartnerNo, PayoutNo, ProposalNo};
use ichae_domain::key::{Account, BillingKey, Fingerprint};
use ichae_domain::ledger::{Account as Side, Ledger, Posting};
use ichae_domain::matter::Proposal;
use ichae_domain::money::Won;
use ichae_domain::notice::Notice;
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::payout::{Attempt, Payout, State, state_of};
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::time::Time;
use ichae_domain::view::{BulkRow, Event, StatementRead, View, Write};
use secrecy::SecretString;
use std::collections::{BTreeMap, HashMap};

/// Everything a store holds, as plain values.
#[derive(Default)]
pub struct Rows {
    pub partners: BTreeMap<PartnerNo, Partner>,
    pub secrets: HashMap<PartnerNo, SecretString>,
    pub ledgers: BTreeMap<PartnerNo, Ledger>,
    pub groups: BTreeMap<GroupNo, Group>,
    pub keys: BTreeMap<KeyNo, (BillingKey, Account, Fingerprint)>,
    pub payouts: BTreeMap<PayoutNo, Payout>,
    pub attempts: BTreeMap<PayoutNo, Attempt>,
    pub postings: Vec<Posting>,
    pub funds: BTreeMap<(PartnerNo, String), (Won, Time)>,
    pub notices: BTreeMap<NoticeNo, Notice>,
    pub events: Vec<Event>,
    pub rail: Rail,
    pub settlement: i64,
    pub holds: BTreeMap<PayoutNo, Hold>,
    pub operators: BTreeMap<String, Operator>,
    pub proposals: BTreeMap<ProposalNo, Proposal>,
    pub statements: HashMap<[u8; 32], StatementRead>,
    pub billing: BillingRows,
    pub(crate) distinct: HashMap<(PartnerNo, String), PayoutNo>,
    pub(crate) next_serial: i64,
}

impl Rows {
    pub(crate) fn view<'a>(&'a self, reads: &Reads<'_>) -> View<'a> {
        let by_id = |id: &str| self.partners.values().find(|p| p.cst_id == id).map(|p| p.no);
        let partner = reads.partner.or_else(|| by_id(reads.cst_id?));
        let ledger = partner.and_then(|no| self.ledgers.get(&no));
        let open = ledger.and_then(|l| l.open_group);
        let group = if reads.open_group { open } else { reads.group };
        let key = reads.key.or_else(|| self.key_of(reads.fingerprints));
        let first = || {
            let at = (partner?, reads.distinct_key?.to_owned());
            let first = self.payouts.get(self.distinct.get(&at)?)?;
            Some((first, self.groups.get(&first.group)?))
        };
        let payout = |no: &PayoutNo| self.payouts.get(no);
        let prior = |row: &Request| {
            let first = self.distinct.get(&(row.partner, row.distinct_key.clone()))?;
            let first = self.payouts.get(first)?;
            Some((first, self.groups.get(&first.group)?))
        };
        let bulk = |row: &Request| BulkRow {
            key: row.key.and_then(|no| self.keys.get(&no)).map(|(key, ..)| key),
            prior: prior(row),
        };
        let fund = || self.funds.get(&(partner?, reads.fund?.to_owned())).map(|(won, _)| *won);
        let view = View {
            partner: partner.and_then(|no| self.partners.get(&no)),
            ledger,
            group: group.and_then(|no| self.groups.get(&no)),
            key: key.and_then(|no| self.keys.get(&no)).map(|(key, ..)| key),
            prior: first(),
            bulk: reads.bulk.iter().map(bulk).collect(),
            payouts: reads.payouts.iter().filter_map(payout).collect(),
            payout: reads.payout.as_ref().and_then(payout),
            attempt: reads.payout.and_then(|no| self.attempts.get(&no)),
            fund: fund(),
            notice: reads.notice.and_then(|no| self.notices.get(&no)),
            rail: reads.rail.then_some(&self.rail),
            hold: reads.payout.filter(|_| reads.hold).and_then(|no| self.holds.get(&no)),
            operator: reads.operator.and_then(|name| self.operators.get(name)),
            proposal: reads.proposal.and_then(|no| self.proposals.get(&no)),
            signers: self.operators.values().filter(|o| reads.signers && o.may_sign()).count(),
            ..View::default()
        };
        self.billing.view(reads, view)
    }

    fn key_of(&self, prints: &[Fingerprint]) -> Option<KeyNo> {
        prints.iter().find_map(|print| {
            let of_account = self.keys.values().filter(|(_, _, have)| have == print);
            of_account.map(|(key, ..)| (key.dead.is_none(), key.no)).max().map(|(_, no)| no)
        })
    }

    pub(crate) fn write(&mut self, write: Write) {
        let Some(write) = self.billing.write(write) else { return };
        match write {
            Write::Partner(partner) => {
                self.partners.insert(partner.no, partner);
            }
            Write::WebhookSecret(no, secret) => {
                self.secrets.insert(no, secret);
            }
            Write::Ledger(ledger) => {
                self.ledgers.insert(ledger.partner, ledger);
            }
            Write::Group(group) => {
                self.groups.insert(group.no, group);
            }
            Write::NewKey(key, account, print) => {
                self.keys.insert(key.no, (key, account, print));
            }
            Write::Key(key) => {
                if let Some(row) = self.keys.get_mut(&key.no) {
                    row.0 = key;
                }
            }
            Write::NewPayout(payout) => {
                let at = (payout.partner, payout.distinct_key.clone());
                self.distinct.insert(at, payout.no);
                self.payouts.insert(payout.no, payout);
            }
            Write::Own(no, state, url) => {
                if let Some(payout) = self.payouts.get_mut(&no) {
                    payout.own = Some(state);
                    payout.webhook_url = url.or(payout.webhook_url.take());
                }
            }
            Write::Attempt(attempt) => {
                self.attempts.insert(attempt.payout, attempt);
            }
            Write::Posting(posting) => {
                let (debit, credit) = posting.entry.legs();
                let credited = i64::from(credit == Side::Settlement);
                let debited = i64::from(debit == Side::Settlement);
                self.settlement += (credited - debited) * posting.amount.0;
                self.postings.push(posting);
            }
            Write::Fund { partner, reference, amount, at } => {
                self.funds.insert((partner, reference), (amount, at));
            }
            Write::NewNotice(mut notice) => {
                let last = self.notices.keys().next_back().map_or(0, |no| no.0);
                notice.no = NoticeNo(last + 1);
                self.notices.insert(notice.no, notice);
            }
            Write::Notice(notice) => {
                self.notices.insert(notice.no, notice);
            }
            Write::Rail(rail) => self.rail = rail,
            Write::Hold(no, Some(hold)) => {
                self.holds.insert(no, hold);
            }
            Write::Hold(no, None) => {
                self.holds.remove(&no);
            }
            Write::Operator(operator) => {
                self.operators.insert(operator.name.clone(), operator);
            }
            Write::Proposal(proposal) => {
                self.proposals.insert(proposal.no, proposal);
            }
            Write::Statement(statement) => {
                self.statements.entry(statement.digest).or_insert(statement);
            }
            Write::Event(event) => self.events.push(event),
            // Written above.
            Write::NewPayer(..)
            | Write::Payer(_)
            | Write::NewCharge(..)
            | Write::Charge(_)
            | Write::Trade(_) => {}
        }
    }

    /// The state of a payout, with its group's word where it has none of its own.
    pub fn state(&self, payout: &Payout) -> State {
        let group = self.groups.get(&payout.group);
        group.map_or(State::Requested, |group| state_of(payout.own, group.mode))
    }
}
