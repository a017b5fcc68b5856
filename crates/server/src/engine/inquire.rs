//! Asks the bank about unknown outcomes, on the stored schedule, and never gives up by age.

use super::{Limits, label, outcome, pause};
use crate::hub::Hub;
use ichae_domain::bank::{Answer, Why};
use ichae_domain::command::Asked;
use ichae_domain::view::Deposit;
use ichae_rail::port::INQUIRIES_TOGETHER;
use std::sync::Arc;
use tokio::sync::watch;

/// Unknown outcomes that are asked about at once.
const TOGETHER: usize = 16 * INQUIRIES_TOGETHER;

pub(super) async fn run(hub: Arc<Hub>, limits: Limits, mut stopped: watch::Receiver<bool>) {
    loop {
        let now = hub.now();
        match hub.read(move |r| r.due_inquiries(now, TOGETHER)).await {
            Ok(due) if due.is_empty() => {
                if !pause(&hub.bells.inquiries, &mut stopped).await {
                    return;
                }
            }
            Ok(due) => {
                // Each ends within the bank's time-out, and its next time is then written down.
                let asked = due.chunks(INQUIRIES_TOGETHER).map(|some| ask(&hub, limits, some));
                tokio::select! {
                    _ = futures_util::future::join_all(asked) => {}
                    _ = stopped.changed() => return,
                }
            }
            Err(error) => {
                tracing::error!(%error, "unknown outcomes cannot be read");
                if !pause(&hub.bells.inquiries, &mut stopped).await {
                    return;
                }
            }
        }
        if *stopped.borrow() {
            return;
        }
    }
}

/// One inquiry about several. All that it said is given to the writer at once, for one commit.
async fn ask(hub: &Hub, limits: Limits, deposits: &[Deposit]) {
    let asked = tokio::time::timeout(limits.bank_timeout, hub.rail.inquire(deposits)).await;
    let mut answers = asked.unwrap_or_default().into_iter();
    let told = deposits.iter().map(|deposit| {
        let answer = answers.next().unwrap_or(Answer::Unknown(Why::TimedOut));
        record(hub, deposit, answer)
    });
    futures_util::future::join_all(told).await;
}

async fn record(hub: &Hub, deposit: &Deposit, answer: Answer) {
    hub.metrics.inquiries.get_or_create(&label(&answer)).inc();
    if let Err(refusal) = hub.record(outcome(deposit, Asked::Inquiry, answer)).await {
        let (payout, code) = (deposit.payout.0, refusal.code.name());
        tracing::error!(payout, code, "an inquiry's answer was refused");
    }
}
