//! Takes in what the bank tells late: a settled payout that came back.

use crate::hub::Hub;
use ichae_domain::code::Code;
use ichae_domain::command::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const NOTICES_AT_ONCE: usize = 100;

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut after = 0;
    while !*stopped.borrow() {
        if let Ok(rail) = hub.read(|r| r.rail()).await {
            after = rail.notices_seen.max(after);
        }
        let taken = take(&hub, &mut after).await;
        if taken < NOTICES_AT_ONCE {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stopped.changed() => {}
            }
        }
    }
}

/// In order. A notice about a payout whose outcome we do not know yet waits, and those behind it.
async fn take(hub: &Arc<Hub>, after: &mut i64) -> usize {
    let notices = hub.rail.notices(*after, NOTICES_AT_ONCE).await;
    let mut taken = 0;
    for notice in notices {
        let row = hub.read(move |r| match r.payout_of(notice.bank_no)? {
            Some(no) => r.row(no),
            None => Ok(None),
        });
        match row.await {
            Ok(Some(row)) => {
                let (payout, partner) = (row.payout.no, row.payout.partner);
                let (code, number) = (notice.code, notice.number);
                let command = Command::Return { payout, partner, code, notice: number };
                match hub.record(command).await {
                    Ok(_) => {}
                    Err(refusal) if refusal.code == Code::T0503 => return taken,
                    Err(refusal) => {
                        tracing::error!(
                            payout = payout.0,
                            code = refusal.code.name(),
                            "a return was refused"
                        );
                        return taken;
                    }
                }
            }
            Ok(None) => {
                tracing::error!(number = notice.number, "the bank returns what we never sent")
            }
            Err(error) => {
                tracing::error!(%error, "a return cannot be matched");
                return taken;
            }
        }
        *after = notice.number;
        taken += 1;
    }
    taken
}
