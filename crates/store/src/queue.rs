//! The queue in front of the one writer: what waits goes into one commit.

use crate::port::{Answer, BATCH_MAX, Backend, StoreError, WEIGHT_MAX};
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command, Order};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Orders that may wait. A further one is told "busy" before it is queued (decision H1).
pub const QUEUE_MAX: usize = 16_384;

/// Looks at whether the store answers, while a caller waits, and those in a row that are enough.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS_MAX: u32 = 3;

enum Job {
    Order(Order, oneshot::Sender<Answer>),
    Reseal(i64, usize, oneshot::Sender<Result<Option<i64>, StoreError>>),
}

/// A job, and its place in the queue until the thread takes it.
type Queued = (Job, OwnedSemaphorePermit);

/// A handle to the one writer. When it is dropped, what waits is written first.
pub struct Writer {
    /// The only sender, never lent to anybody who waits: when it is gone, the thread ends.
    jobs: Mutex<Option<mpsc::UnboundedSender<Queued>>>,
    room: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Instead of the thread: orders are carried out where they are given. For virtual time, which
    /// must not run ahead while another thread works.
    inline: Option<Mutex<Box<dyn Backend>>>,
    /// Set while a store elsewhere does not answer.
    outage: Option<Arc<AtomicBool>>,
}

impl Writer {
    /// Starts the writer thread over a backend.
    pub fn start(backend: Box<dyn Backend>) -> Result<Writer, StoreError> {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let outage = backend.outage();
        let thread = std::thread::Builder::new()
            .name("ichae-writer".to_owned())
            .spawn(move || run(backend, waiting))
            .map_err(StoreError::io("the writer thread cannot be started"))?;
        let (jobs, thread) = (Mutex::new(Some(jobs)), Mutex::new(Some(thread)));
        let room = Arc::new(Semaphore::new(QUEUE_MAX));
        Ok(Writer { jobs, room, thread, inline: None, outage })
    }

    /// Many writers that take one order each: the yardstick of the benchmark, and nothing else. Needs a
    /// store in which they wait for each other.
    pub fn one_by_one(backends: Vec<Box<dyn Backend>>) -> Result<Writer, StoreError> {
        let (jobs, waiting) = mpsc::unbounded_channel::<Queued>();
        let waiting = Arc::new(Mutex::new(waiting));
        for mut backend in backends {
            let waiting = Arc::clone(&waiting);
            let next = move || waiting.lock().ok()?.blocking_recv();
            std::thread::Builder::new()
                .name("ichae-one-by-one".to_owned())
                .spawn(move || {
                    while let Some((job, _place)) = next() {
                        if let Job::Order(order, sender) = job {
                            // A caller that went away needs no answer.
                            let answer = backend.commit(&[order]).pop();
                            let _ = sender.send(answer.unwrap_or(Err(Code::T0999.into())));
                        }
                    }
                })
                .map_err(StoreError::io("a writer thread cannot be started"))?;
        }
        let (jobs, thread) = (Mutex::new(Some(jobs)), Mutex::new(None));
        let room = Arc::new(Semaphore::new(QUEUE_MAX));
        Ok(Writer { jobs, room, thread, inline: None, outage: None })
    }

    /// A writer without a thread, for tests on virtual time.
    pub fn inline(backend: Box<dyn Backend>) -> Writer {
        let (jobs, thread) = (Mutex::new(None), Mutex::new(None));
        let inline = Some(Mutex::new(backend));
        let room = Arc::new(Semaphore::new(QUEUE_MAX));
        Writer { jobs, room, thread, inline, outage: None }
    }

    /// Whether orders are carried out where they are given.
    pub fn is_inline(&self) -> bool {
        self.inline.is_some()
    }

    /// Queues an order and waits for its durable answer. T0503 where the queue is full or closed:
    /// then nothing was queued. A command that was queued is carried out even if the caller goes. Where a
    /// store elsewhere does not answer, callers are told so soon: T0504, not known whether it was done.
    pub async fn submit(&self, actor: Actor, command: Command) -> Answer {
        tokio::select! {
            biased;
            answer = self.submit_patiently(actor, command) => answer,
            () = self.outage() => Err(Code::T0504.into()),
        }
    }

    /// As [`Writer::submit`], but waits for the answer however long the store does not give one.
    pub async fn submit_patiently(&self, actor: Actor, command: Command) -> Answer {
        let order = match self.carry_out_here(Order { actor, command }) {
            Ok(answer) => return answer,
            Err(order) => order,
        };
        let place = Arc::clone(&self.room).try_acquire_owned().ok();
        self.queue_order(order, place).await
    }

    /// Returns once the store has not answered for as long as a caller may be kept.
    pub async fn outage(&self) {
        let Some(outage) = &self.outage else { return std::future::pending().await };
        let mut looks = 0;
        while looks < LOOKS_MAX {
            tokio::time::sleep(LOOK).await;
            looks = if outage.load(Ordering::Relaxed) { looks + 1 } else { 0 };
        }
    }

    /// As [`Writer::submit`], but waits for room instead of refusing: for loops of our own.
    pub async fn submit_waiting(&self, actor: Actor, command: Command) -> Answer {
        let order = match self.carry_out_here(Order { actor, command }) {
            Ok(answer) => return answer,
            Err(order) => order,
        };
        let place = Arc::clone(&self.room).acquire_owned().await.ok();
        self.queue_order(order, place).await
    }

    async fn queue_order(&self, order: Order, place: Option<OwnedSemaphorePermit>) -> Answer {
        let (sender, answer) = oneshot::channel();
        if !place.is_some_and(|place| self.queue(Job::Order(order, sender), place)) {
            return Err(Code::T0503.into());
        }
        answer.await.unwrap_or_else(|_| Err(Code::T0999.into()))
    }

    /// `false`: closed, and nothing was queued.
    fn queue(&self, job: Job, place: OwnedSemaphorePermit) -> bool {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().is_some_and(|jobs| jobs.send((job, place)).is_ok())
    }

    fn carry_out_here(&self, order: Order) -> Result<Answer, Order> {
        let Some(backend) = &self.inline else { return Err(order) };
        let mut backend = backend.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(backend.commit(&[order]).pop().unwrap_or(Err(Code::T0999.into())))
    }

    /// Seals one slice again under the active keys; see [`Backend::reseal`].
    pub async fn reseal(&self, after: i64, limit: usize) -> Result<Option<i64>, StoreError> {
        let gone = || StoreError::Refused("the store is closing".to_owned());
        let place = Arc::clone(&self.room).acquire_owned().await.map_err(|_| gone())?;
        let (sender, answer) = oneshot::channel();
        if !self.queue(Job::Reseal(after, limit, sender), place) {
            return Err(gone());
        }
        answer.await.map_err(|_| gone())?
    }

    /// Orders that wait now.
    pub fn depth(&self) -> usize {
        QUEUE_MAX - self.room.available_permits()
    }

    /// Takes no more orders, writes what waits, and returns when the thread has ended. Whoever
    /// waits for room is refused, and is not waited for.
    pub fn close(&self) {
        self.room.close();
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer thread panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(mut backend: Box<dyn Backend>, mut waiting: mpsc::UnboundedReceiver<Queued>) {
    let mut orders = Vec::with_capacity(BATCH_MAX);
    let mut senders = Vec::with_capacity(BATCH_MAX);
    while let Some(first) = waiting.blocking_recv() {
        let mut next = Some(first);
        let mut weight = 0;
        while let Some((job, place)) = next {
            drop(place);
            match job {
                Job::Order(order, sender) => {
                    weight += order.command.weight();
                    orders.push(order);
                    senders.push(sender);
                }
                Job::Reseal(after, limit, sender) => {
                    // A caller that went away needs no answer.
                    let _ = sender.send(backend.reseal(after, limit));
                }
            }
            let room = orders.len() < BATCH_MAX && weight < WEIGHT_MAX;
            next = room.then(|| waiting.try_recv().ok()).flatten();
        }
        if orders.is_empty() {
            continue;
        }
        let answers = backend.commit(&orders);
        orders.clear();
        for (sender, answer) in senders.drain(..).zip(answers) {
            // The command is durable whether or not its caller still waits.
            let _ = sender.send(answer);
        }
    }
}
