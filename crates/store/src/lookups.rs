//! Look-ups of single rows, many in one snapshot: taking and leaving one costs more than finding a row.
//!
//! Who asks first waits until everybody who is ready on its thread has asked too, and looks up for all of
//! them, where it stands. A caller waits for no writer. While the disk is slow, look-ups are made on
//! threads of their own, so that a thread which serves callers waits for it once in a while at most.

use crate::billing::{PayerQuery, PayerRow};
use crate::port::{Reader, Row, StoreError};
use ichae_domain::ident::PayoutNo;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Look-ups of one snapshot.
const TOGETHER: usize = 64;
/// Threads for a slow disk at most.
const DESKS_MAX: usize = 4;
/// Look-ups of one snapshot that take longer than this waited for the disk: a thread that is merely not
/// scheduled on a busy machine comes back sooner.
const SLOW: Duration = Duration::from_millis(20);
/// So long after that nobody looks up where it stands.
const CAUTION_MS: u64 = 1_000;

type Found<A> = Result<Option<A>, StoreError>;
type Asked<Q, A> = (Q, oneshot::Sender<Found<A>>);
/// Answers questions of one kind in one snapshot, one for each, in their order.
type Find<Q, A> = fn(&dyn Reader, &[Q]) -> Result<Vec<Option<A>>, StoreError>;

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

/// Where rows of one kind are asked for. Each caller waits for one answer, so no more wait than there
/// are calls.
pub struct Lookups<Q, A> {
    /// What waits for who asked first of it.
    waiting: Mutex<Vec<Asked<Q, A>>>,
    /// Empty: each looks up for itself.
    desks: Vec<std::sync::mpsc::Sender<Vec<Asked<Q, A>>>>,
    next: AtomicUsize,
    began: Instant,
    /// Milliseconds since then until which the disk counts as slow.
    slow_until: AtomicU64,
    reader: Arc<dyn Reader>,
    find: Find<Q, A>,
}

impl<Q: Copy + Send + 'static, A: Send + 'static> Lookups<Q, A> {
    /// With its threads, called `name`; they end with the handle.
    pub fn start(
        name: &str,
        reader: &Arc<dyn Reader>,
        find: Find<Q, A>,
    ) -> Result<Lookups<Q, A>, StoreError> {
        let mut lookups = Lookups::inline(reader, find);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for at in 0..cores.div_ceil(2).min(DESKS_MAX) {
            let (desk, waiting) = std::sync::mpsc::channel::<Vec<Asked<Q, A>>>();
            let reader = Arc::clone(reader);
            std::thread::Builder::new()
                .name(format!("ichae-{name}-{at}"))
                .spawn(move || at_desk(&*reader, find, &waiting))
                .map_err(StoreError::io("a look-up thread cannot be started"))?;
            lookups.desks.push(desk);
        }
        Ok(lookups)
    }

    /// Each by itself, where it is asked for: for tests on virtual time.
    pub fn inline(reader: &Arc<dyn Reader>, find: Find<Q, A>) -> Lookups<Q, A> {
        Lookups {
            waiting: Mutex::default(),
            desks: Vec::new(),
            next: AtomicUsize::new(0),
            began: Instant::now(),
            slow_until: AtomicU64::new(0),
            reader: Arc::clone(reader),
            find,
        }
    }

    /// What the question names, as it was when this was called or later.
    pub async fn find(&self, question: Q) -> Found<A> {
        if self.desks.is_empty() {
            return one(self.reader.as_ref(), self.find, question);
        }
        let (tell, told) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((question, tell));
            waiting.len() == 1
        };
        if first {
            // A caller that goes away here leaves those behind it to a desk.
            let turn = Turn(self);
            tokio::task::yield_now().await;
            turn.take();
        }
        told.await.map_err(|_| StoreError::Refused("a look-up was given up".to_owned()))?
    }

    fn taken(&self) -> Vec<Asked<Q, A>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *waiting, Vec::with_capacity(TOGETHER))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn to_desk(&self, asked: Vec<Asked<Q, A>>) {
        let desk = self.next.fetch_add(1, Ordering::Relaxed) % self.desks.len();
        // Its end is ours: a desk that is gone drops the questions, and each caller is told so.
        let _ = self.desks[desk].send(asked);
    }
}

/// Who asked first, until it has looked up.
struct Turn<'a, Q: Copy + Send + 'static, A: Send + 'static>(&'a Lookups<Q, A>);

impl<Q: Copy + Send + 'static, A: Send + 'static> Turn<'_, Q, A> {
    fn take(self) {
        let lookups = self.0;
        std::mem::forget(self);
        let mut asked = lookups.taken();
        while !asked.is_empty() {
            let rest = asked.split_off(asked.len().min(TOGETHER));
            let some = std::mem::replace(&mut asked, rest);
            // A far store is waited for like a slow disk.
            let slow = lookups.now_ms() < lookups.slow_until.load(Ordering::Relaxed);
            if slow || lookups.reader.is_far() {
                lookups.to_desk(some);
                continue;
            }
            let began = Instant::now();
            answer(&*lookups.reader, lookups.find, some);
            if began.elapsed() > SLOW {
                let until = lookups.now_ms() + CAUTION_MS;
                lookups.slow_until.store(until, Ordering::Relaxed);
            }
        }
    }
}

impl<Q: Copy + Send + 'static, A: Send + 'static> Drop for Turn<'_, Q, A> {
    fn drop(&mut self) {
        let asked = self.0.taken();
        if !asked.is_empty() {
            self.0.to_desk(asked);
        }
    }
}

fn one<Q: Copy, A>(reader: &dyn Reader, find: Find<Q, A>, question: Q) -> Found<A> {
    Ok(find(reader, &[question])?.pop().flatten())
}

/// Answers until the handle is gone.
fn at_desk<Q: Copy, A>(
    reader: &dyn Reader,
    find: Find<Q, A>,
    waiting: &Receiver<Vec<Asked<Q, A>>>,
) {
    for asked in waiting {
        if answer(reader, find, asked) {
            continue;
        }
        // Those behind them would wait as long again, to be told the same.
        for (_, tell) in waiting.try_iter().flatten() {
            let _ = tell.send(Err(StoreError::Busy));
        }
    }
}

/// One snapshot, and everybody's answer. `false`: the store does not answer.
fn answer<Q: Copy, A>(reader: &dyn Reader, find: Find<Q, A>, asked: Vec<Asked<Q, A>>) -> bool {
    let questions: Vec<Q> = asked.iter().map(|(question, _)| *question).collect();
    // A row that cannot be read must not spoil the others' answers.
    let (found, answers): (Vec<Found<A>>, bool) = match find(reader, &questions) {
        Ok(rows) => (rows.into_iter().map(Ok).collect(), true),
        // Asked one after another, each would wait as long for a store that does not answer.
        Err(error) if error.is_outage() => {
            (questions.iter().map(|_| Err(StoreError::Busy)).collect(), false)
        }
        Err(_) => (questions.iter().map(|question| one(reader, find, *question)).collect(), true),
    };
    for ((_, tell), found) in asked.into_iter().zip(found) {
        // A caller that went away needs no answer.
        let _ = tell.send(found);
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::on_memory;

    static ASKED: AtomicUsize = AtomicUsize::new(0);

    fn away(_: &dyn Reader, _: &[PayoutNo]) -> Result<Vec<Option<Row>>, StoreError> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        Err(StoreError::Busy)
    }

    /// Each time costs what a caller waits at most.
    #[test]
    fn a_store_that_does_not_answer_is_asked_once_for_all_who_wait() {
        let (desks, waiting) = std::sync::mpsc::channel();
        let mut told = Vec::new();
        for batch in 0..3 {
            let asked = |no| {
                let (tell, hears) = oneshot::channel();
                told.push(hears);
                (PayoutNo(no), tell)
            };
            desks.send((batch * 10..batch * 10 + 5).map(asked).collect()).unwrap();
        }
        drop(desks);
        at_desk(on_memory().reader.as_ref(), away, &waiting);
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
        for mut hears in told {
            let answer = hears.try_recv().unwrap();
            assert!(matches!(answer, Err(StoreError::Busy)), "{answer:?}");
        }
    }
}
