//! Asks the acquirer what became of calls that it did not answer, on the stored schedule, and never
//! gives up by age.

use super::{Intents, LOOK_AGAIN};
use crate::hub::Hub;
use crate::metrics::ByTrade;
use crate::till::told;
use ichae_domain::billing::{Trade, TradeAnswer, TradeWhy};
use ichae_domain::ident::TradeNo;
use ichae_store::port::StoreError;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Inquiries under way at most.
const CALLS_MAX: usize = 64;

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut calls: JoinSet<TradeNo> = JoinSet::new();
    let mut under_way: HashSet<TradeNo> = HashSet::new();
    while !*stopped.borrow() {
        while let Some(done) = calls.try_join_next() {
            forget(&mut under_way, done);
        }
        if calls.len() < CALLS_MAX {
            // Those under way are still due: their next time is written with their answer.
            let (now, most) = (hub.now(), CALLS_MAX + under_way.len());
            match hub.read(move |r| r.due_trades(now, most)).await {
                Ok(due) => {
                    for trade in due {
                        if calls.len() < CALLS_MAX && under_way.insert(trade.no) {
                            calls.spawn(ask(Arc::clone(&hub), trade));
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "calls to ask about cannot be read"),
            }
        }
        tokio::select! {
            Some(done) = calls.join_next() => forget(&mut under_way, done),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stopped.changed() => {}
        }
    }
}

fn forget(under_way: &mut HashSet<TradeNo>, done: Result<TradeNo, tokio::task::JoinError>) {
    match done {
        Ok(no) => {
            under_way.remove(&no);
        }
        Err(error) => {
            // Which it was is not known any more; asking twice moves no money.
            tracing::error!(%error, "an inquiry broke");
            under_way.clear();
        }
    }
}

async fn ask(hub: Arc<Hub>, trade: Trade) -> TradeNo {
    let answer = hub.till.inquire(&trade).await;
    hub.metrics.trade_inquiries.get_or_create(&ByTrade::of(trade.kind, &answer)).inc();
    write_down(&hub, &trade, true, answer).await;
    trade.no
}

/// Where that fails the call is asked about again: it stays open.
async fn write_down(hub: &Arc<Hub>, trade: &Trade, inquired: bool, answer: TradeAnswer) {
    if let Err(refusal) = hub.record(told(trade, inquired, answer)).await {
        let code = refusal.code.name();
        tracing::error!(trade = trade.no.0, code, "what is known of a call was not written down");
    }
}

/// Turns every call without an answer into one that nobody knows about: it is asked about, and not made
/// again.
pub(super) async fn recover(
    hub: &Arc<Hub>,
    intents: Intents<TradeNo, Trade>,
) -> Result<usize, StoreError> {
    let mut after = TradeNo(0);
    let mut recovered = 0;
    loop {
        let asking = hub.read(move |r| intents(r, after)).await?;
        let Some(last) = asking.last() else { return Ok(recovered) };
        after = last.no;
        recovered += asking.len();
        let unknown = TradeAnswer::Unknown(TradeWhy::Restarted);
        let all = asking.iter().map(|trade| write_down(hub, trade, false, unknown.clone()));
        futures_util::future::join_all(all).await;
    }
}
