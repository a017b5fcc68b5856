//! The loops behind the API: settle, inquire (of the bank and of the acquirer), take in returns,
//! notify. No HTTP types, so that a
//! simulator can drive them; webhooks leave through the [`Courier`].

mod banks;
mod inquire;
mod notify;
mod queue;
mod returns;
mod settle;
mod takeover;
mod trades;

pub use notify::{Courier, Delivery, Message};

use crate::hub::Hub;
use ichae_domain::bank::{Answer, Why};
use ichae_domain::command::{Asked, Command, Told};
use ichae_domain::ident::PayoutNo;
use ichae_domain::view::Deposit;
use ichae_store::port::{Reader, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a loop sleeps when nobody rings its bell.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Rows that a start after a crash takes at once.
const RECOVER_ROWS: usize = 1_000;

/// Limits of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After it a bank call is unknown.
    pub bank_timeout: Duration,
    /// Bank calls under way at most; no more intents are claimed than that.
    pub in_flight: usize,
}

/// Running loops. Dropping it aborts them; [`Engine::stop`] ends them in order.
pub struct Engine {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
    limits: Limits,
}

impl Engine {
    /// Turns every intent without an answer into an unknown outcome, then starts the loops: after a
    /// crash nothing is sent twice (decision H13).
    pub async fn start(
        hub: &Arc<Hub>,
        courier: Arc<dyn Courier>,
        limits: Limits,
    ) -> Result<Engine, StoreError> {
        let recovered = recover(hub, |r, after| r.sending(after, RECOVER_ROWS)).await?;
        if recovered > 0 {
            tracing::warn!(payouts = recovered, "sent before the last stop: asking the bank");
        }
        let called = trades::recover(hub, |r, after| r.asking(after, RECOVER_ROWS)).await?;
        if called > 0 {
            tracing::warn!(calls = called, "made before the last stop: asking the acquirer");
        }
        let (stop, stopped) = watch::channel(false);
        let mut loops = JoinSet::new();
        loops.spawn(settle::run(Arc::clone(hub), limits, stopped.clone()));
        loops.spawn(inquire::run(Arc::clone(hub), limits, stopped.clone()));
        loops.spawn(trades::run(Arc::clone(hub), stopped.clone()));
        loops.spawn(banks::run(Arc::clone(hub), stopped.clone()));
        loops.spawn(returns::run(Arc::clone(hub), stopped.clone()));
        if hub.reader.is_shared() {
            loops.spawn(takeover::follow(Arc::clone(hub), stopped.clone()));
            loops.spawn(takeover::run(Arc::clone(hub), stopped.clone()));
        }
        if !hub.cells.is_empty() {
            loops.spawn(crate::cells::run(Arc::clone(hub), stopped.clone()));
        }
        loops.spawn(notify::run(Arc::clone(hub), courier, stopped));
        Ok(Engine { stop, loops, limits })
    }

    /// Claims no more, and gives open bank calls their time-out to be answered and written.
    pub async fn stop(mut self) {
        // The loops hold receivers until they end.
        let _ = self.stop.send(true);
        let patience = self.limits.bank_timeout + Duration::from_secs(2);
        let all = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!(
                "some bank calls were left open: they are asked about at the next start"
            );
        }
    }
}

/// Where intents without an answer are read from, after a number.
type Intents<N, T> = fn(&dyn Reader, N) -> Result<Vec<T>, StoreError>;

/// Turns them into outcomes that nobody knows: the bank is asked.
async fn recover(hub: &Arc<Hub>, intents: Intents<PayoutNo, Deposit>) -> Result<usize, StoreError> {
    let mut after = PayoutNo(0);
    let mut recovered = 0;
    loop {
        let sent = hub.read(move |r| intents(r, after)).await?;
        let Some(last) = sent.last() else { return Ok(recovered) };
        after = last.payout;
        recovered += sent.len();
        let told = sent.iter().map(|deposit| {
            hub.record(outcome(deposit, Asked::Deposit, Answer::Unknown(Why::Restarted)))
        });
        futures_util::future::join_all(told).await;
    }
}

fn outcome(deposit: &Deposit, asked: Asked, answer: Answer) -> Command {
    Command::Outcome(Box::new(Told {
        payout: deposit.payout,
        partner: deposit.partner,
        key: deposit.key,
        bank_no: deposit.bank_no,
        sends: deposit.sends,
        asked,
        answer,
    }))
}

fn label(answer: &Answer) -> crate::metrics::ByBankAnswer {
    use crate::metrics::BankAnswer;
    let answer = match answer {
        Answer::Settled { .. } => BankAnswer::Settled,
        Answer::Refused { .. } => BankAnswer::Refused,
        Answer::OwnSide { .. } => BankAnswer::OwnSide,
        Answer::NotSent => BankAnswer::NotSent,
        Answer::Unknown(_) => BankAnswer::Unknown,
    };
    crate::metrics::ByBankAnswer { answer }
}

/// Waits for the bell, the next look, or the stop. `false`: stop.
async fn pause(bell: &tokio::sync::Notify, stopped: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = bell.notified() => {}
        () = tokio::time::sleep(LOOK_AGAIN) => {}
        _ = stopped.changed() => {}
    }
    !*stopped.borrow()
}
