//! Where other cells' partners are: what is known of it in memory, so that a call that came to the wrong cell
//! is sent on. Whoever is asked decides by itself whether the partner is its own (docs/adr/0024).

use crate::hub::Hub;
use arc_swap::ArcSwap;
use ichae_domain::ident::PartnerNo;
use ichae_store::port::StoreError;
use ichae_store::postgres::shards::{Owned, Peer};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the other cells are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Where a call of a partner goes that is not served here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Route {
    /// To the nodes at that address.
    To(Arc<str>),
    /// It was here, and nobody says yet that it has it.
    Between,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Route>,
    by_no: HashMap<PartnerNo, Route>,
}

impl Known {
    fn add(&mut self, partners: &[(PartnerNo, String)], route: &Route) {
        for (no, cst_id) in partners {
            self.by_id.insert(cst_id.clone(), route.clone());
            self.by_no.insert(*no, route.clone());
        }
    }
}

struct Other {
    peer: Arc<Peer>,
    url: Arc<str>,
}

/// The other cells of an installation; none where it has one.
#[derive(Default)]
pub struct Cells {
    others: Vec<Other>,
    known: ArcSwap<Known>,
}

impl Cells {
    pub fn of(others: Vec<(Arc<Peer>, String)>) -> Cells {
        let other = |(peer, url): (Arc<Peer>, String)| Other { peer, url: url.into() };
        Cells { others: others.into_iter().map(other).collect(), known: ArcSwap::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    pub fn by_no(&self, no: PartnerNo) -> Option<Route> {
        self.known.load().by_no.get(&no).cloned()
    }

    pub fn by_id(&self, cst_id: &str) -> Option<Route> {
        self.known.load().by_id.get(cst_id).cloned()
    }
}

/// What was last heard of each of them.
#[derive(Default)]
struct Heard {
    own: i64,
    others: Vec<Owned>,
}

/// Follows what the other cells have, until the stop.
pub(crate) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut heard = Heard { own: -1, others: Vec::new() };
    let first = Owned { version: -1, ..Owned::default() };
    heard.others.resize(hub.cells.others.len(), first);
    while !*stopped.borrow() {
        if let Err(error) = look(&hub, &mut heard).await {
            tracing::debug!(%error, "who has moved away cannot be read");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn look(hub: &Arc<Hub>, heard: &mut Heard) -> Result<(), StoreError> {
    let asked = hub.cells.others.iter().zip(&heard.others).map(|(other, last)| {
        let (peer, seen) = (Arc::clone(&other.peer), last.version);
        tokio::task::spawn_blocking(move || peer.owned(seen))
    });
    let mut news = false;
    for (told, last) in
        futures_util::future::join_all(asked).await.into_iter().zip(&mut heard.others)
    {
        // One that does not answer has what it had.
        if let Ok(Ok(Some(owned))) = told {
            *last = owned;
            news = true;
        }
    }
    let map = hub.map();
    if !news && map == heard.own {
        return Ok(());
    }
    let gone = hub.read(|r| r.gone()).await?;
    let mut known = Known::default();
    known.add(&gone, &Route::Between);
    for (other, owned) in hub.cells.others.iter().zip(&heard.others) {
        known.add(&owned.partners, &Route::To(Arc::clone(&other.url)));
    }
    hub.cells.known.store(Arc::new(known));
    heard.own = map;
    Ok(())
}
