//! Claims what was executed and asks the bank to pay it.
//!
//! The intent is durable before the bank is called. No more is claimed than may be in flight, and
//! partners take turns: one partner's hundred thousand rows do not delay another's one.

use super::queue::{Queue, Resting};
use super::{Limits, label, outcome, pause};
use crate::hub::Hub;
use ichae_domain::bank::{Answer, Why};
use ichae_domain::code::Code;
use ichae_domain::command::{Asked, Command};
use ichae_domain::ident::PartnerNo;
use ichae_domain::view::{Deposit, Reply};
use ichae_rail::port::Payee;
use ichae_store::port::{Reader, Row, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Waits after calls that did not get through: doubled with each, up to the longest.
const REST: Duration = Duration::from_millis(50);
const REST_MAX: Duration = Duration::from_secs(5);
/// Rows that one partner's turn takes at most.
const TURN_ROWS: usize = 128;

struct Settle {
    hub: Arc<Hub>,
    limits: Limits,
    room: Arc<Semaphore>,
    calls: JoinSet<()>,
    queue: Queue,
    /// Calls in a row that did not get through to the bank.
    not_sent: Arc<AtomicU32>,
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
    let (calls, queue, not_sent) = (JoinSet::new(), Queue::default(), Arc::default());
    let mut settle = Settle { hub, limits, room, calls, queue, not_sent };
    while !*stopped.borrow() {
        while settle.calls.try_join_next().is_some() {}
        settle.rest(&mut stopped).await;
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
    /// While calls do not get through, waits before the next; each such call costs two commits.
    async fn rest(&self, stopped: &mut watch::Receiver<bool>) {
        let in_a_row = self.not_sent.load(Ordering::Relaxed);
        if in_a_row == 0 {
            return;
        }
        let wait = (REST * 2_u32.saturating_pow(in_a_row.min(10) - 1)).min(REST_MAX);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.changed() => {}
        }
    }

    /// One turn of every partner that has work. Says whether anything was claimed.
    async fn round(&mut self, stopped: &mut watch::Receiver<bool>) -> Result<bool, StoreError> {
        let now = self.hub.now();
        if self.hub.calendar.open_from(now) > now {
            return Ok(false);
        }
        let read = |r: &dyn Reader| Ok((r.working_partners()?, r.holds()?));
        // Before the look: what is released after it rings again.
        let reopened = self.hub.reopened.swap(false, Ordering::Relaxed);
        let (partners, holds) = self.hub.read(read).await?;
        self.queue.begin(now, reopened || partners.is_empty(), holds);
        let mut worked = false;
        for partner in partners {
            if *stopped.borrow() {
                break;
            }
            if self.hub.directory.by_no(partner).is_some_and(|entry| entry.partner.held) {
                continue;
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
        let permits = match self.not_sent.load(Ordering::Relaxed) {
            0 => self.gather(first).await,
            // One that tries whether the bank can be reached again.
            _ => vec![first],
        };
        let (work, rows) = self.queue.next(&self.hub, partner, permits.len()).await?;
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
                // Held, or its bank closed, between the look and the claim.
                Ok(Reply::NotNow) => self.queue.look_again(self.hub.now()),
                Ok(_) => {}
                Err(refusal) => {
                    // Paused or busy: the rows stay as they are and are read again from the start.
                    self.queue.forget();
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

    fn send(&mut self, deposit: Deposit, row: Row, permit: OwnedSemaphorePermit) {
        let call = Call {
            hub: Arc::clone(&self.hub),
            limit: self.limits.bank_timeout,
            not_sent: Arc::clone(&self.not_sent),
            resting: self.queue.resting.clone(),
        };
        self.calls.spawn(async move {
            call.make(deposit, row).await;
            drop(permit);
        });
    }
}

/// One call to the bank, and what it said written down.
struct Call {
    hub: Arc<Hub>,
    limit: Duration,
    not_sent: Arc<AtomicU32>,
    resting: Resting,
}

impl Call {
    async fn make(self, deposit: Deposit, row: Row) {
        let hub = &self.hub;
        let to = self.payee(row).await;
        // Another node may have taken it over by then and be asking the bank: nothing is sent. Where it has,
        // this one is fenced and cannot write that down either.
        let reader = Arc::clone(&hub.reader);
        let may = move || reader.may_act();
        let answer = match to.filter(|_| may()) {
            Some(to) => {
                hub.metrics.bank_in_flight.inc();
                let paying = hub.rail.deposit(&deposit, &to, &may);
                let asked = tokio::time::timeout(self.limit, paying).await;
                hub.metrics.bank_in_flight.dec();
                asked.unwrap_or(Answer::Unknown(Why::TimedOut))
            }
            // Not begun: there was no number for the check before it, or the node may not.
            None => Answer::NotSent,
        };
        hub.metrics.bank_calls.get_or_create(&label(&answer)).inc();
        match answer {
            Answer::NotSent => {
                self.not_sent.fetch_add(1, Ordering::Relaxed);
                self.resting.rest(deposit.payout, hub.now());
            }
            Answer::OwnSide { code } => {
                let code = code.text();
                tracing::error!(code, "the bank names trouble on our side: rail paused");
            }
            _ => self.not_sent.store(0, Ordering::Relaxed),
        }
        if let Err(refusal) = hub.record(outcome(&deposit, Asked::Deposit, answer)).await {
            let (payout, code) = (deposit.payout.0, refusal.code.name());
            tracing::error!(payout, code, "an outcome was refused");
        }
    }

    async fn payee(&self, row: Row) -> Option<Payee> {
        let check_tran_id = match self.hub.rail.checks_receivers() {
            true => Some(self.hub.check_number(row.payout.partner).await.ok()?),
            false => None,
        };
        let (bank, account, print) = (row.key.bank, row.account, row.payout.print);
        Some(Payee { bank, account, print, check_tran_id })
    }
}
