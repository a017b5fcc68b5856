//! Look-ups of single rows: what waits is read in one snapshot, on threads of their own. A caller
//! waits for no writer, and its thread waits for no disk.

use crate::billing::{PayerQuery, PayerRow};
use crate::port::{Reader, Row, StoreError};
use ichae_domain::ident::PayoutNo;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Look-ups of one snapshot.
const TOGETHER: usize = 64;
/// Threads at most; a slow disk is waited for by so many at once.
const DESKS_MAX: usize = 4;

type Found<A> = Result<Option<A>, StoreError>;
type Asked<Q, A> = (Q, oneshot::Sender<Found<A>>);
/// Answers questions of one kind in one snapshot, one for each, in their order.
type Find<Q, A> = fn(&dyn Reader, &[Q]) -> Result<Vec<Option<A>>, StoreError>;

/// Where rows of one kind are asked for. Each caller waits for one answer, so no more wait than there
/// are calls.
pub struct Lookups<Q, A> {
    /// Empty: look-ups are made where they are asked for.
    desks: Vec<mpsc::UnboundedSender<Asked<Q, A>>>,
    next: AtomicUsize,
    reader: Arc<dyn Reader>,
    find: Find<Q, A>,
}

/// Payouts, by number.
pub fn rows(reader: &dyn Reader, numbers: &[PayoutNo]) -> Result<Vec<Option<Row>>, StoreError> {
    reader.rows_of(numbers)
}

/// Payers' keys, by what was sent.
pub fn payers(
    reader: &dyn Reader,
    queries: &[PayerQuery],
) -> Result<Vec<Option<PayerRow>>, StoreError> {
    reader.payers_by(queries)
}

impl<Q: Copy + Send + 'static, A: Send + 'static> Lookups<Q, A> {
    /// With its threads, called `name`; they end with the handle.
    pub fn start(
        name: &str,
        reader: &Arc<dyn Reader>,
        find: Find<Q, A>,
    ) -> Result<Lookups<Q, A>, StoreError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut desks = Vec::new();
        for at in 0..cores.div_ceil(2).min(DESKS_MAX) {
            let (desk, waiting) = mpsc::unbounded_channel();
            let reader = Arc::clone(reader);
            std::thread::Builder::new()
                .name(format!("ichae-{name}-{at}"))
                .spawn(move || serve(reader.as_ref(), find, waiting))
                .map_err(StoreError::io("a look-up thread cannot be started"))?;
            desks.push(desk);
        }
        Ok(Lookups { desks, next: AtomicUsize::new(0), reader: Arc::clone(reader), find })
    }

    /// Without threads, for tests on virtual time.
    pub fn inline(reader: &Arc<dyn Reader>, find: Find<Q, A>) -> Lookups<Q, A> {
        Lookups { desks: Vec::new(), next: AtomicUsize::new(0), reader: Arc::clone(reader), find }
    }

    /// What the question names, as it was when this was called or later.
    pub async fn find(&self, question: Q) -> Found<A> {
        if self.desks.is_empty() {
            return one(self.reader.as_ref(), self.find, question);
        }
        let desk = self.next.fetch_add(1, Ordering::Relaxed) % self.desks.len();
        let (tell, told) = oneshot::channel();
        let gone = || StoreError::Refused("a look-up was given up".to_owned());
        self.desks[desk].send((question, tell)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

fn one<Q: Copy, A>(reader: &dyn Reader, find: Find<Q, A>, question: Q) -> Found<A> {
    Ok(find(reader, &[question])?.pop().flatten())
}

fn serve<Q: Copy, A>(
    reader: &dyn Reader,
    find: Find<Q, A>,
    mut waiting: mpsc::UnboundedReceiver<Asked<Q, A>>,
) {
    let mut asked = Vec::with_capacity(TOGETHER);
    while waiting.blocking_recv_many(&mut asked, TOGETHER) > 0 {
        let questions: Vec<Q> = asked.iter().map(|(question, _)| *question).collect();
        // A row that cannot be read must not spoil the others' answers.
        let found: Vec<Found<A>> = match find(reader, &questions) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(_) => questions.iter().map(|question| one(reader, find, *question)).collect(),
        };
        for ((_, tell), found) in asked.drain(..).zip(found) {
            // A caller that went away needs no answer.
            let _ = tell.send(found);
        }
    }
}
