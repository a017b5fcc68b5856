//! Where other cells' partners are: what is known of it in memory, so that a call that came to the wrong cell
//! is sent on. Whoever is asked decides by itself whether the partner is its own (docs/adr/0024).

use crate::hub::Hub;
use arc_swap::ArcSwap;
use ichae_domain::ident::PartnerNo;
use ichae_store::postgres::shards::{Owned, Peer};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

#[derive(Clone, Default)]
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

    /// Those that were here, where nobody has said that it has them.
    fn add_gone(&mut self, partners: &[(PartnerNo, String)]) {
        for (no, cst_id) in partners {
            self.by_id.entry(cst_id.clone()).or_insert(Route::Between);
            self.by_no.entry(*no).or_insert(Route::Between);
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
    /// Set once all of them have said what they have.
    all: AtomicBool,
    /// What is known is changed by one at a time.
    changing: Mutex<()>,
}

impl Cells {
    pub fn of(others: Vec<(Arc<Peer>, String)>) -> Cells {
        let other = |(peer, url): (Arc<Peer>, String)| Other { peer, url: url.into() };
        Cells { others: others.into_iter().map(other).collect(), ..Cells::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// `None`: nobody has it.
    pub fn by_no(&self, no: PartnerNo) -> Option<Route> {
        self.known.load().by_no.get(&no).cloned().or_else(|| self.unheard())
    }

    pub fn by_id(&self, cst_id: &str) -> Option<Route> {
        self.known.load().by_id.get(cst_id).cloned().or_else(|| self.unheard())
    }

    /// Before every cell was heard nobody may be told that there is no such partner.
    fn unheard(&self) -> Option<Route> {
        let heard = self.others.is_empty() || self.all.load(Ordering::SeqCst);
        (!heard).then_some(Route::Between)
    }

    /// They are not among our own any more, or will not be in a moment.
    pub(crate) fn are_gone(&self, partners: &[(PartnerNo, String)]) {
        self.change(|known| known.add_gone(partners));
    }

    /// What was known stays known: partners are never removed, they only move, and whoever has one says so.
    fn change(&self, change: impl FnOnce(&mut Known)) {
        // Nothing is left half done by whoever panicked.
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::clone(&self.known.load());
        change(&mut known);
        self.known.store(Arc::new(known));
    }
}

/// Follows what the other cells have, until the stop.
pub(crate) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut heard = vec![Owned { version: NOTHING, ..Owned::default() }; hub.cells.others.len()];
    while !*stopped.borrow() {
        look(&hub, &mut heard).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// The version of one that was never heard.
const NOTHING: i64 = -1;

async fn look(hub: &Arc<Hub>, heard: &mut [Owned]) {
    let cells = &hub.cells;
    let seen: Vec<i64> = heard.iter().map(|owned| owned.version).collect();
    if !ask(cells, heard, &seen).await && cells.all.load(Ordering::SeqCst) {
        return;
    }
    // One that was asked before the other may have said what was so before a move: both again.
    ask(cells, heard, &vec![NOTHING; seen.len()]).await;
    cells.change(|known| {
        let before = std::mem::take(known);
        for (other, owned) in cells.others.iter().zip(&*heard) {
            known.add(&owned.partners, &Route::To(Arc::clone(&other.url)));
        }
        // Whom nobody names any more somebody will name in a moment.
        heard.iter().for_each(|owned| known.add_gone(&owned.between));
        for cst_id in before.by_id.into_keys() {
            known.by_id.entry(cst_id).or_insert(Route::Between);
        }
        for no in before.by_no.into_keys() {
            known.by_no.entry(no).or_insert(Route::Between);
        }
    });
    if cells.all.load(Ordering::SeqCst) || heard.iter().any(|owned| owned.version == NOTHING) {
        return;
    }
    // Our own after the others: whom they do not name any more has come here by now.
    if hub.read_partners().await.is_ok() {
        cells.all.store(true, Ordering::SeqCst);
    }
}

/// Whether any of them has something else than was seen. One that does not answer has what it had.
async fn ask(cells: &Cells, heard: &mut [Owned], seen: &[i64]) -> bool {
    let asked = cells.others.iter().zip(seen).map(|(other, seen)| {
        let (peer, seen) = (Arc::clone(&other.peer), *seen);
        tokio::task::spawn_blocking(move || peer.owned(seen))
    });
    let mut news = false;
    for (told, last) in futures_util::future::join_all(asked).await.into_iter().zip(heard) {
        if let Ok(Ok(Some(owned))) = told {
            *last = owned;
            news = true;
        }
    }
    news
}
