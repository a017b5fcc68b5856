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
use ichae_store::port::{Reader, Row, StoreError, Work};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Rows that one partner's turn takes at most.
const TURN_ROWS: usize = 128;

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
        let round = settle.round(&mut stopped).await;
        settle.hub.settling.store(matches!(round, Ok(true)), Ordering::Relaxed);
        match round {
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
        let permits = self.gather(first).await;
        let (work, rows) = self.work(partner, permits.len()).await?;
        if work.is_empty() {
            return Ok(Turn::Nothing);
        }
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

    /// Places for one turn. Those that answers of one commit give back come one after another: a turn
    /// waits for its fellows as long as more come, because a turn of one costs what a full one costs.
    async fn gather(&self, first: OwnedSemaphorePermit) -> Vec<OwnedSemaphorePermit> {
        let mut permits = vec![first];
        let mut before = 0;
        while permits.len() > before && permits.len() < TURN_ROWS {
            before = permits.len();
            while permits.len() < TURN_ROWS
                && let Ok(permit) = Arc::clone(&self.room).try_acquire_owned()
            {
                permits.push(permit);
            }
            tokio::task::yield_now().await;
        }
        permits
    }

    /// The partner's next rows, those with a state of their own first, then executed groups; and
    /// where each goes. All is read before anything is claimed: a row that cannot be read is not sent.
    async fn work(
        &mut self,
        partner: PartnerNo,
        limit: usize,
    ) -> Result<(Vec<Work>, Vec<Row>), StoreError> {
        let handed_out = self.handed_out.clone();
        let (work, rows, handed_out) = self
            .hub
            .read(move |r| {
                let mut handed_out = handed_out;
                let work = next_rows(r, partner, limit, &mut handed_out)?;
                let numbers: Vec<PayoutNo> = work.iter().map(|work| work.payout).collect();
                let missing = |no: PayoutNo| StoreError::Damaged(format!("payout {}", no.0));
                let found = r.rows_of(&numbers)?.into_iter().zip(&numbers);
                let rows = found.map(|(row, no)| row.ok_or_else(|| missing(*no)));
                Ok((work, rows.collect::<Result<Vec<Row>, _>>()?, handed_out))
            })
            .await?;
        self.handed_out = handed_out;
        Ok((work, rows))
    }

    fn send(&mut self, deposit: Deposit, row: Row, permit: OwnedSemaphorePermit) {
        let hub = Arc::clone(&self.hub);
        let limit = self.limits.bank_timeout;
        self.calls.spawn(async move {
            let to = Payee {
                bank: row.key.bank,
                account: row.account,
                print: row.payout.print,
                check_tran_id: None,
            };
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

fn next_rows(
    reader: &dyn Reader,
    partner: PartnerNo,
    limit: usize,
    handed_out: &mut HashMap<GroupNo, PayoutNo>,
) -> Result<Vec<Work>, StoreError> {
    let mut work = reader.executing_rows(partner, PayoutNo(0), limit)?;
    if work.len() == limit {
        return Ok(work);
    }
    for group in reader.executing_groups(partner)? {
        let after = handed_out.get(&group).copied().unwrap_or(PayoutNo(0));
        let rows = reader.unclaimed(group, after, limit - work.len())?;
        if let Some(last) = rows.last() {
            handed_out.insert(group, last.payout);
        } else {
            handed_out.remove(&group);
        }
        work.extend(rows);
        if work.len() == limit {
            break;
        }
    }
    Ok(work)
}
