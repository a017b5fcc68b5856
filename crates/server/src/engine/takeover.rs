//! Where several nodes work on one store: follows what others change, takes over from those that are gone.

use super::{LOOK_AGAIN, RECOVER_ROWS, recover, trades};
use crate::hub::Hub;
use ichae_store::port::StoreError;
use std::sync::Arc;
use tokio::sync::watch;

/// Follows what others change; by itself, because what is recorded below may have to be tried for long.
pub(super) async fn follow(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut seen = 0;
    while !*stopped.borrow() {
        if let Err(error) = hub.follow(&mut seen).await {
            tracing::warn!(%error, "what other nodes changed cannot be read");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stopped.changed() => {}
        }
    }
}

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        if let Err(error) = look(&hub).await {
            tracing::warn!(%error, "what other nodes did cannot be read");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn look(hub: &Arc<Hub>) -> Result<(), StoreError> {
    // Two nodes may tell the same: an outcome that is known to be unknown stays as it is.
    let taken = recover(hub, |r, after| r.abandoned(after, RECOVER_ROWS)).await?;
    let calls = trades::recover(hub, |r, after| r.abandoned_trades(after, RECOVER_ROWS)).await?;
    if taken + calls > 0 {
        tracing::warn!(
            payouts = taken,
            calls,
            "of a node that is gone: asking what became of them"
        );
    }
    Ok(())
}
