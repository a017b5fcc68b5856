//! Look-ups of single rows: what waits is read in one snapshot, on threads of their own. A caller
//! waits for no writer, and its thread waits for no disk.

use crate::port::{Reader, Row, StoreError};
use ichae_domain::ident::PayoutNo;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Look-ups of one snapshot.
const TOGETHER: usize = 64;
/// Threads at most; a slow disk is waited for by so many at once.
const DESKS_MAX: usize = 4;

type Found = Result<Option<Row>, StoreError>;
type Asked = (PayoutNo, oneshot::Sender<Found>);

/// Where rows are asked for. Each caller waits for one answer, so no more wait than there are calls.
pub struct Lookups {
    /// Empty: look-ups are made where they are asked for.
    desks: Vec<mpsc::UnboundedSender<Asked>>,
    next: AtomicUsize,
    reader: Arc<dyn Reader>,
}

impl Lookups {
    /// With its threads; they end with the handle.
    pub fn start(reader: &Arc<dyn Reader>) -> Result<Lookups, StoreError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut desks = Vec::new();
        for at in 0..cores.div_ceil(2).min(DESKS_MAX) {
            let (desk, waiting) = mpsc::unbounded_channel();
            let reader = Arc::clone(reader);
            std::thread::Builder::new()
                .name(format!("ichae-lookup-{at}"))
                .spawn(move || serve(reader.as_ref(), waiting))
                .map_err(StoreError::io("a look-up thread cannot be started"))?;
            desks.push(desk);
        }
        Ok(Lookups { desks, next: AtomicUsize::new(0), reader: Arc::clone(reader) })
    }

    /// Without threads, for tests on virtual time.
    pub fn inline(reader: &Arc<dyn Reader>) -> Lookups {
        Lookups { desks: Vec::new(), next: AtomicUsize::new(0), reader: Arc::clone(reader) }
    }

    /// A payout's row, as it was when this was called or later.
    pub async fn row(&self, no: PayoutNo) -> Found {
        if self.desks.is_empty() {
            return self.reader.row(no);
        }
        let desk = self.next.fetch_add(1, Ordering::Relaxed) % self.desks.len();
        let (tell, told) = oneshot::channel();
        let gone = || StoreError::Refused("a look-up was given up".to_owned());
        self.desks[desk].send((no, tell)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

fn serve(reader: &dyn Reader, mut waiting: mpsc::UnboundedReceiver<Asked>) {
    let mut asked = Vec::with_capacity(TOGETHER);
    while waiting.blocking_recv_many(&mut asked, TOGETHER) > 0 {
        let numbers: Vec<PayoutNo> = asked.iter().map(|(no, _)| *no).collect();
        // A row that cannot be read must not spoil the others' answers.
        let found: Vec<Found> = match reader.rows_of(&numbers) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(_) => numbers.iter().map(|no| reader.row(*no)).collect(),
        };
        for ((_, tell), found) in asked.drain(..).zip(found) {
            // A caller that went away needs no answer.
            let _ = tell.send(found);
        }
    }
}
