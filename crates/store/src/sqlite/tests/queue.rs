//! The queue in front of the one writer (decision H1).

use super::*;
use crate::port::{Answer, BATCH_MAX, Backend};
use crate::queue::{QUEUE_MAX, Writer};
use ichae_domain::code::Code;
use ichae_domain::view::Reply;
use std::pin::Pin;
use std::sync::{Mutex, mpsc};
use std::task::{Context, Poll, Waker};

/// A backend that says when it is given a batch and waits until it is let on.
struct Gate {
    entered: mpsc::Sender<usize>,
    let_on: mpsc::Receiver<()>,
    written: Arc<Mutex<Vec<i64>>>,
}

impl Backend for Gate {
    fn commit(&mut self, orders: &[Order]) -> Vec<Answer> {
        // Nobody may listen any more, and a gate that is gone is open.
        let _ = self.entered.send(orders.len());
        let _ = self.let_on.recv();
        let numbers: Vec<i64> = orders.iter().map(number).collect();
        self.written.lock().unwrap().extend(&numbers);
        numbers.into_iter().map(|no| Ok(Reply::Partner(PartnerNo(no)))).collect()
    }

    fn reseal(&mut self, after: i64, _: usize) -> Result<Option<i64>, StoreError> {
        Ok(Some(after))
    }
}

/// An order that is told apart by its number.
fn numbered(no: i64) -> Command {
    Command::Suspend { partner: PartnerNo(no), suspended: true }
}

fn number(order: &Order) -> i64 {
    order.command.reads().partner.unwrap().0
}

/// A writer whose first order has been taken and is being written.
struct Busy {
    // Goes first, so that a test that fails does not wait at its own gate.
    gate: mpsc::Sender<()>,
    writer: Writer,
    entered: mpsc::Receiver<usize>,
    written: Arc<Mutex<Vec<i64>>>,
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

impl Busy {
    fn new() -> Busy {
        let (entering, entered) = mpsc::channel();
        let (gate, let_on) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let backend = Gate { entered: entering, let_on, written: Arc::clone(&written) };
        let busy =
            Busy { writer: Writer::start(Box::new(backend)).unwrap(), entered, gate, written };
        drop(busy.submit(0));
        assert_eq!(busy.entered.recv(), Ok(1));
        busy
    }

    /// Queues an order; the answer is still to come.
    fn submit(&self, no: i64) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(self.writer.submit(Actor::Engine, numbered(no)));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        waiting
    }
}

fn poll(waiting: &mut Waiting<'_>) -> Poll<Answer> {
    waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn partner(no: i64) -> Answer {
    Ok(Reply::Partner(PartnerNo(no)))
}

/// What waits goes into one commit, up to its bound, and each caller gets the answer to its own.
#[test]
fn answers_come_back_in_order_to_whom_they_belong() {
    let busy = Busy::new();
    let count = i64::try_from(BATCH_MAX).unwrap() + 44;
    let waiting: Vec<_> = (1..=count).map(|no| busy.submit(no)).collect();
    assert_eq!(busy.writer.depth(), waiting.len());
    let Busy { entered, gate, written, writer: _ } = &busy;
    (0..3).for_each(|_| gate.send(()).unwrap());
    for (no, answer) in (1..).zip(waiting) {
        assert_eq!(wait(answer), partner(no));
    }
    assert_eq!([entered.recv(), entered.recv()], [Ok(BATCH_MAX), Ok(44)]);
    assert_eq!(*written.lock().unwrap(), (0..=count).collect::<Vec<_>>());
}

/// Decision H1: a caller that hangs up does not take its command back.
#[test]
fn the_command_of_a_caller_that_went_away_is_carried_out() {
    let busy = Busy::new();
    drop(busy.submit(1));
    let stays = busy.submit(2);
    (0..2).for_each(|_| busy.gate.send(()).unwrap());
    assert_eq!(wait(stays), partner(2));
    assert_eq!(*busy.written.lock().unwrap(), [0, 1, 2]);
}

/// Closing takes no more and writes what waits, whether or not its callers look.
#[test]
fn closing_writes_what_waits_and_takes_no_more() {
    let busy = Busy::new();
    let waiting: Vec<_> = (1..=3).map(|no| busy.submit(no)).collect();
    (0..2).for_each(|_| busy.gate.send(()).unwrap());
    busy.writer.close();
    assert_eq!(*busy.written.lock().unwrap(), [0, 1, 2, 3]);
    for (no, answer) in (1..).zip(waiting) {
        assert_eq!(wait(answer), partner(no));
    }
    let late = wait(busy.writer.submit(Actor::Partner, numbered(4)));
    assert_eq!(late, Err(Code::T0503.into()));
    let late = wait(busy.writer.submit_waiting(Actor::Engine, numbered(5)));
    assert_eq!(late, Err(Code::T0503.into()));
    assert!(wait(busy.writer.reseal(0, 1)).is_err());
    assert_eq!((busy.writer.depth(), busy.written.lock().unwrap().len()), (0, 4));
    busy.writer.close();
}

/// Decision H1: "busy" only before a command is queued, and then nothing was.
#[test]
fn a_full_queue_is_busy_and_our_own_loops_wait_for_room() {
    let busy = Busy::new();
    let count = i64::try_from(QUEUE_MAX).unwrap();
    let waiting: Vec<_> = (1..=count).map(|no| busy.submit(no)).collect();
    assert_eq!(busy.writer.depth(), QUEUE_MAX);
    let refused = busy.writer.submit(Actor::Partner, numbered(-1));
    assert_eq!(wait(refused), Err(Code::T0503.into()));
    let mut patient: Waiting<'_> =
        Box::pin(busy.writer.submit_waiting(Actor::Engine, numbered(count + 1)));
    assert_eq!(poll(&mut patient), Poll::Pending);
    let batches = QUEUE_MAX / BATCH_MAX + 2;
    (0..batches).for_each(|_| busy.gate.send(()).unwrap());
    assert_eq!(wait(patient), partner(count + 1));
    for (no, answer) in (1..).zip(waiting) {
        assert_eq!(wait(answer), partner(no));
    }
    assert_eq!(*busy.written.lock().unwrap(), (0..=count + 1).collect::<Vec<_>>());
}

/// Whoever waits for room is not queued yet: closing refuses it, also where nobody polls it.
#[test]
fn closing_does_not_wait_for_one_that_waits_for_room() {
    let Busy { gate, writer, entered: _entered, written } = Busy::new();
    let writer = Arc::new(writer);
    let order = |no| Box::pin(writer.submit(Actor::Engine, numbered(no)));
    let count = i64::try_from(QUEUE_MAX).unwrap();
    let mut queued: Vec<Waiting<'_>> = (1..=count).map(|no| order(no) as Waiting<'_>).collect();
    assert!(queued.iter_mut().all(|waiting| poll(waiting) == Poll::Pending));
    let patient =
        || -> Waiting<'_> { Box::pin(writer.submit_waiting(Actor::Engine, numbered(count + 1))) };
    // The first gets the room that comes free and is not polled; the second waits on.
    let mut patient: Vec<Waiting<'_>> = (0..2 * BATCH_MAX).map(|_| patient()).collect();
    assert!(patient.iter_mut().all(|waiting| poll(waiting) == Poll::Pending));
    let (closed, told) = mpsc::channel();
    let closer = Arc::clone(&writer);
    std::thread::spawn(move || {
        closer.close();
        closed.send(()).unwrap();
    });
    (0..QUEUE_MAX / BATCH_MAX + 1).for_each(|_| gate.send(()).unwrap());
    // Bounds a failure only: whoever holds on to the queue is dropped with this test.
    let limit = std::time::Duration::from_secs(30);
    assert_eq!(told.recv_timeout(limit), Ok(()), "closing waits for ever");
    for (no, answer) in (1..).zip(queued) {
        assert_eq!(wait(answer), partner(no));
    }
    for refused in patient {
        assert_eq!(wait(refused), Err(Code::T0503.into()));
    }
    assert_eq!(*written.lock().unwrap(), (0..=count).collect::<Vec<_>>());
}

#[test]
fn resealing_goes_through_the_same_writer() {
    let busy = Busy::new();
    busy.gate.send(()).unwrap();
    assert_eq!(wait(busy.writer.reseal(9, 1)).unwrap(), Some(9));
}

/// A writer without a thread carries an order out where it is given.
#[test]
fn an_inline_writer_answers_at_once() {
    let writer = Writer::inline(Box::new(crate::memory::open(RULES, Arc::new(|| Time(START))).0));
    let mut answer: Waiting<'_> = Box::pin(writer.submit(Actor::Engine, Command::ResumeRail));
    assert_eq!(poll(&mut answer), Poll::Ready(Ok(Reply::Stale)));
}
