//! Claims what was executed and asks the bank to pay it.
//!
//! The intent is durable before the bank is called. No more is claimed than may be in flight, and
//! partners take turns: one partner's hundred thousand rows do not delay another's one.

use super::{Limits, label, outcome, pause};
use crate::hub::Hub;
use ichae_domain::bank::{Answer, Why};
use ichae_domain::code::Code;
use ichae_domain::command::{Asked, Command};
use ichae_domain::ident::{GroupNo, PartnerNo, PayoutNo};
use ichae_domain::view::{Deposit, Reply};
use ichae_rail::port::Payee;
use ichae_store::port::{Row, StoreError, Work};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Rows that one partner's turn takes at most.
const TURN_ROWS: usize = 64;

struct Settle {
    hub: Arc<Hub>,
    limits: Limits,
    room: Arc<Semaphore>,
    calls: JoinSet<()>,
    /// How far an executed group was handed out, so that its claimed rows are not read again.
    handed_out: HashMap<GroupNo, PayoutNo>,
}

/// What a turn found.
enum Turn {
    Claimed,
    Nothing,
    /// The rail is paused or the store is busy: no other partner can be served either.
    Halt,
}

pub(super) async fn run(hub: Arc<Hub>, limits: Limits, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(limits.in_flight));
    let calls = JoinSet::new();
    let mut settle = Settle { hub, limits, room, calls, handed_out: HashMap::new() };
    while !*stopped.borrow() {
        while settle.calls.try_join_next().is_some() {}
        // Never given up half-way: between a claim and its call lies a payout that nobody has sent.
        match settle.round(&mut stopped).await {
            Ok(true) => {}
            Ok(false) => {
                if !pause(&settle.hub.bells.work, &mut stopped).await {
                    break;
                }
            }
            Err(error) => {
                tracing::error!(%error, "the engine cannot read its work");
                if !pause(&settle.hub.bells.work, &mut stopped).await {
                    break;
                }
            }
        }
    }
    // Open calls are answered or time out; what they say is written.
    while settle.calls.join_next().await.is_some() {}
}

impl Settle {
    /// One turn of every partner that has work. Says whether anything was claimed.
    async fn round(&mut self, stopped: &mut watch::Receiver<bool>) -> Result<bool, StoreError> {
        let partners = self.hub.read(|r| r.working_partners()).await?;
        if partners.is_empty() {
            self.handed_out.clear();
        }
        let mut worked = false;
        for partner in partners {
            if *stopped.borrow() {
                break;
            }
            match self.turn(partner, stopped).await? {
                Turn::Claimed => worked = true,
                Turn::Nothing => {}
                Turn::Halt => return Ok(false),
            }
        }
        Ok(worked)
    }

    async fn turn(
        &mut self,
        partner: PartnerNo,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<Turn, StoreError> {
        let place = tokio::select! {
            place = Arc::clone(&self.room).acquire_owned() => place.ok(),
            _ = stopped.changed() => None,
        };
        let Some(first) = place else { return Ok(Turn::Halt) };
        let mut permits = vec![first];
        while permits.len() < TURN_ROWS
            && let Ok(permit) = Arc::clone(&self.room).try_acquire_owned()
        {
            permits.push(permit);
        }
        let work = self.work(partner, permits.len()).await?;
        if work.is_empty() {
            return Ok(Turn::Nothing);
        }
        let rows = self.rows(&work).await?;
        let claims = work.iter().map(|work| {
            self.hub.record(Command::Claim {
                payout: work.payout,
                partner,
                group: work.group,
                key: work.key,
            })
        });
        let answers = futures_util::future::join_all(claims).await;
        let mut turn = Turn::Claimed;
        for ((answer, row), permit) in answers.into_iter().zip(rows).zip(permits) {
            match answer {
                Ok(Reply::Send(deposit)) => self.send(deposit, row, permit),
                Ok(_) => {}
                Err(refusal) => {
                    // Paused or busy: the rows stay as they are and are read again from the start.
                    self.handed_out.clear();
                    if refusal.code != Code::T0503 {
                        tracing::error!(code = refusal.code.name(), "a claim was refused");
                    }
                    turn = Turn::Halt;
                }
            }
        }
        Ok(turn)
    }

    /// The partner's next rows: those with a state of their own first, then executed groups.
    async fn work(&mut self, partner: PartnerNo, limit: usize) -> Result<Vec<Work>, StoreError> {
        let mut work = self.hub.read(move |r| r.executing_rows(partner, limit)).await?;
        if work.len() == limit {
            return Ok(work);
        }
        for group in self.hub.read(move |r| r.executing_groups(partner)).await? {
            let after = self.handed_out.get(&group).copied().unwrap_or(PayoutNo(0));
            let left = limit - work.len();
            let rows = self.hub.read(move |r| r.unclaimed(group, after, left)).await?;
            if let Some(last) = rows.last() {
                self.handed_out.insert(group, last.payout);
            } else {
                self.handed_out.remove(&group);
            }
            work.extend(rows);
            if work.len() == limit {
                break;
            }
        }
        Ok(work)
    }

    /// Where each row goes, read before anything is claimed: a row that cannot be read is not sent.
    async fn rows(&self, work: &[Work]) -> Result<Vec<Row>, StoreError> {
        let numbers: Vec<PayoutNo> = work.iter().map(|work| work.payout).collect();
        self.hub
            .read(move |r| {
                let row = |no: &PayoutNo| {
                    let missing = || StoreError::Damaged(format!("payout {} is missing", no.0));
                    r.row(*no)?.ok_or_else(missing)
                };
                numbers.iter().map(row).collect()
            })
            .await
    }

    fn send(&mut self, deposit: Deposit, row: Row, permit: OwnedSemaphorePermit) {
        let hub = Arc::clone(&self.hub);
        let limit = self.limits.bank_timeout;
        self.calls.spawn(async move {
            let to = Payee { bank: row.key.bank, account: row.account, print: row.payout.print };
            hub.metrics.bank_in_flight.inc();
            let answer = tokio::time::timeout(limit, hub.rail.deposit(&deposit, &to)).await;
            hub.metrics.bank_in_flight.dec();
            let answer = answer.unwrap_or(Answer::Unknown(Why::TimedOut));
            hub.metrics.bank_calls.get_or_create(&label(&answer)).inc();
            if let Answer::OwnSide { code } = answer {
                tracing::error!(code = code.0, "the bank names trouble on our side: rail paused");
            }
            if let Err(refusal) = hub.record(outcome(&deposit, Asked::Deposit, answer)).await {
                let (payout, code) = (deposit.payout.0, refusal.code.name());
                tracing::error!(payout, code, "an outcome was refused");
            }
            drop(permit);
        });
    }
}
