//! The auditor: a second opinion on every answer, after TigerBeetle's `auditor.zig`.
//!
//! It keeps no counters and no balances. A partner's money is what was funded less the rows that
//! hold or were paid, a group is the rows that name it: each number that the core maintains is
//! counted here from scratch, so the two can only agree where both are right.

mod client;
mod compare;
mod engine;
mod lookup;

use crate::violation::{Checked, Violation, ensure};
use ichae_domain::bank::BankCode;
use ichae_domain::code::Code;
use ichae_domain::command::{Command, Order};
use ichae_domain::ident::{BankNo, GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::key::Fingerprint;
use ichae_domain::notice::{NoticeState, Outcome};
use ichae_domain::payout::State;
use ichae_domain::view::{Reply, Rules};
use ichae_store::port::Answer;
use std::collections::{BTreeMap, BTreeSet};

/// A partner, as far as answers depend on it.
#[derive(Debug)]
struct Partner {
    cst_id: String,
    suspended: bool,
    held: bool,
    cap: Option<i64>,
    has_url: bool,
    funded: i64,
    open_group: Option<GroupNo>,
}

#[derive(Debug)]
struct Key {
    partner: PartnerNo,
    print: Option<Fingerprint>,
    dead: Option<BankCode>,
}

/// A payout as it was requested, and where it is.
#[derive(Debug)]
pub struct Row {
    pub partner: PartnerNo,
    pub group: GroupNo,
    pub key: KeyNo,
    pub amount: i64,
    sub_id: Option<String>,
    print: Option<String>,
    pub state: State,
    /// What it was sent under, until own-side trouble answers it.
    pub bank_no: Option<BankNo>,
    /// How often it was sent.
    sends: i64,
    /// The engine took it up at least once.
    claimed: bool,
}

#[derive(Debug)]
struct Told {
    payout: PayoutNo,
    outcome: Outcome,
    state: NoticeState,
    tries: i64,
}

/// What should be true by now.
#[derive(Debug)]
pub struct Model {
    rules: Rules,
    partners: BTreeMap<PartnerNo, Partner>,
    keys: BTreeMap<KeyNo, Key>,
    groups: BTreeMap<GroupNo, PartnerNo>,
    /// Groups of bulk calls that still take rows.
    filling: BTreeSet<GroupNo>,
    rows: BTreeMap<PayoutNo, Row>,
    distinct: BTreeMap<(PartnerNo, String), PayoutNo>,
    funds: BTreeMap<(PartnerNo, String), i64>,
    bank_nos: BTreeSet<BankNo>,
    /// Payouts that operators hold.
    holds: BTreeSet<PayoutNo>,
    paused: bool,
    returns_seen: i64,
    /// In the order of their outcomes; a notice's number is its place, from 1.
    notices: Vec<Told>,
    /// How often each state was entered, and each code was given.
    pub entered: BTreeMap<&'static str, u64>,
    pub refusals: BTreeMap<&'static str, u64>,
}

/// The name under which a wrong answer is reported.
const ANSWER: &str = "every answer is the one that the model predicts";

impl Model {
    pub fn new(rules: Rules) -> Model {
        Model {
            rules,
            partners: BTreeMap::new(),
            keys: BTreeMap::new(),
            groups: BTreeMap::new(),
            filling: BTreeSet::new(),
            rows: BTreeMap::new(),
            distinct: BTreeMap::new(),
            funds: BTreeMap::new(),
            bank_nos: BTreeSet::new(),
            holds: BTreeSet::new(),
            paused: false,
            returns_seen: 0,
            notices: Vec::new(),
            entered: BTreeMap::new(),
            refusals: BTreeMap::new(),
        }
    }

    /// Takes in one order and its answer, in the order of the commit.
    ///
    /// # Errors
    /// Where the answer is not the predicted one.
    pub fn observe(&mut self, order: &Order, answer: &Answer) -> Checked {
        if let Err(refusal) = answer {
            *self.refusals.entry(refusal.code.name()).or_default() += 1;
        }
        let judged = match &order.command {
            Command::AddPartner(new) => self.add_partner(new, answer),
            Command::SetPartner { partner, settings } => self.set(*partner, settings, answer),
            Command::Suspend { partner, suspended } => {
                let known = self.partners.get_mut(partner).ok_or(Code::P0101);
                plain(known.map(|p| p.suspended = *suspended).map(|()| Reply::Done), answer)
            }
            Command::RotateCustKey { partner, .. }
            | Command::RotateWebhookSecret { partner, .. } => {
                let known = self.partners.get(partner).ok_or(Code::P0101);
                plain(known.map(|_| Reply::Done), answer)
            }
            Command::Fund { partner, entry, amount, reference } => {
                let expected = self.fund(*partner, *entry, amount.0, reference);
                plain(expected, answer)
            }
            Command::RegisterKey(new) => self.register(new, answer),
            Command::Request(request) => self.request(request, answer),
            Command::Bulk(bulk) => self.bulk(bulk, answer),
            Command::Execute(execute) => self.execute(execute, &order.actor, answer),
            Command::Claim { payout, partner, group, key } => {
                self.claim(*payout, *partner, *group, *key, answer)
            }
            // A simulated store never goes back, so nobody may doubt its rows.
            Command::Doubt(_) => {
                Err(Violation::new(ANSWER, "a doubt without a restore".to_owned()))
            }
            Command::Outcome(told) => {
                let expected = self.outcome(told)?;
                plain(expected, answer)
            }
            Command::Return { payout, partner, notice, .. } => {
                let expected = self.returned(*payout, *partner, *notice)?;
                plain(expected, answer)
            }
            Command::PauseRail { .. } => plain(Ok(self.pause(true)), answer),
            Command::ResumeRail => plain(Ok(self.pause(false)), answer),
            Command::Hold(hold) => plain(self.hold(hold), answer),
            // Persons that end what no bank can tell, and payments with keys, have tests of their own.
            Command::TakeCounters { .. }
            | Command::AddOperator { .. }
            | Command::RevokeOperator { .. }
            | Command::Sign { .. }
            | Command::Act(_)
            | Command::Approve { .. }
            | Command::Withdraw { .. }
            | Command::NoteBalance { .. }
            | Command::NoteStatement { .. }
            | Command::RotateRefundKey { .. }
            | Command::AddPayer(_)
            | Command::RemovePayer { .. }
            | Command::Charge(_)
            | Command::Refund(_)
            | Command::Receipt(_)
            | Command::Traded(_)
            | Command::SettleCharges { .. } => {
                Err(Violation::new(ANSWER, "a command that no party of a run gives".to_owned()))
            }
            Command::Delivered { notice, .. } => plain(self.delivered(*notice), answer),
            Command::NotDelivered { notice, status } => {
                plain(self.not_delivered(*notice, *status), answer)
            }
            Command::Resend { notice } => plain(self.resend(*notice), answer),
        };
        judged.map_err(|v| Violation { detail: format!("{order:?}: {}", v.detail), ..v })
    }

    /// What a partner can spend: what it funded less what its rows hold or were paid (decision H8).
    fn available(&self, partner: PartnerNo) -> i64 {
        let funded = self.partners.get(&partner).map_or(0, |p| p.funded);
        let gone = |row: &&Row| row.partner == partner && (held(row.state) || paid(row.state));
        funded - self.rows.values().filter(gone).map(|row| row.amount).sum::<i64>()
    }

    fn held(&self, partner: PartnerNo) -> i64 {
        let mine = self.rows.values().filter(|row| row.partner == partner && held(row.state));
        mine.map(|row| row.amount).sum()
    }

    /// Moves a row on; only along the lifecycle (decision H13).
    fn enter(&mut self, payout: PayoutNo, next: State) -> Checked {
        let Some(row) = self.rows.get_mut(&payout) else { return Ok(()) };
        let from = row.state;
        ensure(from.may_become(next), "payouts move only along the lifecycle", || {
            format!("{payout:?}: {from:?} to {next:?}")
        })?;
        row.state = next;
        *self.entered.entry(next.name()).or_default() += 1;
        let outcome = match next {
            State::Settled => Outcome::Settled,
            State::Failed => Outcome::Failed,
            State::Returned => Outcome::Returned,
            _ => return Ok(()),
        };
        self.notices.push(Told { payout, outcome, state: NoticeState::Pending, tries: 0 });
        Ok(())
    }
}

/// Money that waits, is under way or is not known (decision H13).
fn held(state: State) -> bool {
    [State::Requested, State::Executing, State::Sending, State::Unknown].contains(&state)
}

/// Money that left and did not come back.
fn paid(state: State) -> bool {
    state == State::Settled
}

/// Compares an answer with the predicted one.
fn plain(expected: Result<Reply, Code>, answer: &Answer) -> Checked {
    let given = answer.as_ref().map_err(|refusal| refusal.code);
    ensure(given == expected.as_ref().map_err(|code| *code), ANSWER, || {
        format!("expected {expected:?}, was told {answer:?}")
    })
}

/// Where a refusal is predicted: that it is this one. `false`: go on, it should be accepted.
fn refused(expected: Option<Code>, answer: &Answer) -> Checked<bool> {
    let given = answer.as_ref().err().map(|refusal| refusal.code);
    ensure(given == expected, ANSWER, || format!("expected {expected:?}, was told {answer:?}"))?;
    Ok(expected.is_some())
}
