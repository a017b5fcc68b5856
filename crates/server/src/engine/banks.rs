//! Learns which banks take deposits now, so that what goes to the others waits (openbanking 10).

use crate::hub::Hub;
use ichae_rail::port::BankStatus;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_secs(30);
/// A rail that does not answer this long has said nothing.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let asked = tokio::select! {
            asked = tokio::time::timeout(PATIENCE, hub.rail.banks()) => asked.ok().flatten(),
            _ = stopped.changed() => return,
        };
        match asked {
            Some(banks) => {
                let banks = banks.into_iter().map(|state| (state.bank, state.status));
                learn(&hub, banks.collect());
            }
            // What was known last still counts: a bank is not opened by silence.
            None => tracing::warn!("the banks' status could not be learned"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}

fn learn(hub: &Hub, banks: BTreeMap<String, BankStatus>) {
    let before = hub.banks.load();
    if **before == banks {
        return;
    }
    for (bank, status) in banks.iter().filter(|(bank, status)| before.get(*bank) != Some(*status)) {
        tracing::info!(bank, status = status.name(), "a bank changed");
    }
    hub.banks.store(Arc::new(banks));
    hub.reopen();
}
