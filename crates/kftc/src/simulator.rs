//! Starts and stops a simulator.

use crate::bank::Bank;
use crate::dealer::Dealer;
use crate::desk::Desk;
use crate::error::KftcError;
use crate::gate::Gate;
use crate::journal::write::Journal;
use crate::listen;
use crate::route::Centre;
use crate::settings::Settings;
use crate::token::Tokens;
use ichae_domain::time::Time;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// A bank that is open to calls. Dropping it ends it as well, but not at once.
pub struct Simulator {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

impl Simulator {
    /// Opens the journal and listens. What a former run left to be paid or returned goes on.
    ///
    /// # Errors
    /// [`KftcError::Listen`]; [`KftcError::File`] where the file is no journal that can be used;
    /// [`KftcError::Thread`].
    pub async fn start(settings: Settings) -> Result<Simulator, KftcError> {
        let address = settings.listen;
        let wrong = |error| KftcError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let gate = Arc::new(Gate::new(settings.hours));
        let journal = Journal::open(&settings.journal)?;
        let dealer = Dealer::new(settings.plan.clone());
        let due = Arc::new(Notify::new());
        let (shut, told) = (Arc::clone(&gate), Arc::clone(&due));
        let bank = Bank::new(journal, dealer, shut, told, settings.strict);
        let desk = Desk::start(bank, settings.clock.clone())?;
        let tokens = Arc::new(Tokens::default());
        let centre = Arc::new(Centre { settings, tokens, gate, desk, due });
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(serve(listener, centre, stopped));
        Ok(Simulator { address, stop, served })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more calls, ends those under way, and closes the journal.
    pub async fn stop(self) {
        // Without a receiver it has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.served.await {
            tracing::error!(%error, "the bank simulator broke off");
        }
    }
}

async fn serve(listener: TcpListener, centre: Arc<Centre>, stopped: watch::Receiver<bool>) {
    let keeper = tokio::spawn(keep(Arc::clone(&centre)));
    listen::serve(listener, Arc::clone(&centre), stopped).await;
    keeper.abort();
    // Cancelled, as it was told.
    let _ = keeper.await;
    // The desk joins its thread, which may be waiting for the disk.
    let closed = tokio::task::spawn_blocking(move || drop(centre));
    let _ = closed.await;
}

/// Does what is due at its time; a call that comes later would find it done as well.
async fn keep(centre: Arc<Centre>) {
    loop {
        let due: Option<Time> = match centre.desk.ask(|bank, _| bank.journal.next_due()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "what is due is done with the next call");
                None
            }
        };
        let Some(due) = due else {
            centre.due.notified().await;
            continue;
        };
        let ms = u64::try_from(due.0 - centre.now().0).unwrap_or_default().max(1);
        tokio::select! {
            () = centre.due.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(ms)) => {}
        }
    }
}
