//! Asks the bank about unknown outcomes, on the stored schedule, and never gives up by age.

use super::{LOOK_AGAIN, Limits, label, outcome};
use crate::hub::Hub;
use ichae_domain::bank::{Answer, Why};
use ichae_domain::command::Asked;
use ichae_domain::ident::PayoutNo;
use ichae_domain::view::Deposit;
use ichae_rail::port::INQUIRIES_TOGETHER;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Inquiries under way at most, each about as many deposits as one may ask for.
const CALLS_MAX: usize = 16;

pub(super) async fn run(hub: Arc<Hub>, limits: Limits, mut stopped: watch::Receiver<bool>) {
    let mut calls: JoinSet<Vec<PayoutNo>> = JoinSet::new();
    let mut under_way: HashSet<PayoutNo> = HashSet::new();
    while !*stopped.borrow() {
        while let Some(done) = calls.try_join_next() {
            forget(&mut under_way, done);
        }
        let room = CALLS_MAX - calls.len();
        if room > 0 {
            // Those under way are still due: their next time is written with their answer.
            let (now, most) = (hub.now(), under_way.len() + room * INQUIRIES_TOGETHER);
            match hub.read(move |r| r.due_inquiries(now, most)).await {
                Ok(mut due) => {
                    due.retain(|deposit| !under_way.contains(&deposit.payout));
                    due.truncate(room * INQUIRIES_TOGETHER);
                    under_way.extend(due.iter().map(|deposit| deposit.payout));
                    for some in due.chunks(INQUIRIES_TOGETHER) {
                        calls.spawn(ask(Arc::clone(&hub), limits, some.to_vec()));
                    }
                }
                Err(error) => tracing::error!(%error, "unknown outcomes cannot be read"),
            }
        }
        tokio::select! {
            Some(done) = calls.join_next() => forget(&mut under_way, done),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stopped.changed() => {}
        }
    }
}

fn forget(under_way: &mut HashSet<PayoutNo>, done: Result<Vec<PayoutNo>, tokio::task::JoinError>) {
    match done {
        Ok(asked) => asked.iter().for_each(|no| {
            under_way.remove(no);
        }),
        Err(error) => {
            // Which were asked about is not known any more; asking twice moves no money.
            tracing::error!(%error, "an inquiry broke");
            under_way.clear();
        }
    }
}

/// One inquiry about several, within the bank's time-out. All that it said is given to the writer at
/// once, for one commit, and the next time is then written down.
async fn ask(hub: Arc<Hub>, limits: Limits, deposits: Vec<Deposit>) -> Vec<PayoutNo> {
    let asked = tokio::time::timeout(limits.bank_timeout, hub.rail.inquire(&deposits)).await;
    let mut answers = asked.unwrap_or_default().into_iter();
    let told = deposits.iter().map(|deposit| {
        let answer = answers.next().unwrap_or(Answer::Unknown(Why::TimedOut));
        record(&hub, deposit, answer)
    });
    futures_util::future::join_all(told).await;
    deposits.iter().map(|deposit| deposit.payout).collect()
}

async fn record(hub: &Arc<Hub>, deposit: &Deposit, answer: Answer) {
    hub.metrics.inquiries.get_or_create(&label(&answer)).inc();
    if let Err(refusal) = hub.record(outcome(deposit, Asked::Inquiry, answer)).await {
        let (payout, code) = (deposit.payout.0, refusal.code.name());
        tracing::error!(payout, code, "an inquiry's answer was refused");
    }
}
