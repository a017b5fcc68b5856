//! The queue in front of the one writer: what waits goes into one commit.

use crate::port::{Answer, BATCH_MAX, Backend, StoreError};
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command, Order};
use ichae_domain::ident::KeyNo;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Orders that may wait. A further one is told "busy" before it is queued (decision H1).
pub const QUEUE_MAX: usize = 16_384;

enum Job {
    Order(Order, oneshot::Sender<Answer>),
    Reseal(KeyNo, usize, oneshot::Sender<Result<Option<KeyNo>, StoreError>>),
}

/// A handle to the one writer. When it is dropped, what waits is written first.
pub struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Instead of the thread: orders are carried out where they are given. For virtual time, which
    /// must not run ahead while another thread works.
    inline: Option<Mutex<Box<dyn Backend>>>,
}

impl Writer {
    /// Starts the writer thread over a backend.
    pub fn start(backend: Box<dyn Backend>) -> Result<Writer, StoreError> {
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("ichae-writer".to_owned())
            .spawn(move || run(backend, waiting))
            .map_err(StoreError::io("the writer thread cannot be started"))?;
        let (jobs, thread) = (Mutex::new(Some(jobs)), Mutex::new(Some(thread)));
        Ok(Writer { jobs, thread, inline: None })
    }

    /// A writer without a thread, for tests on virtual time.
    pub fn inline(backend: Box<dyn Backend>) -> Writer {
        let inline = Some(Mutex::new(backend));
        Writer { jobs: Mutex::new(None), thread: Mutex::new(None), inline }
    }

    /// Queues an order and waits for its durable answer. T0503 where the queue is full or closed:
    /// then nothing was queued. A command that was queued is carried out even if the caller goes.
    pub async fn submit(&self, actor: Actor, command: Command) -> Answer {
        let order = Order { actor, command };
        let order = match self.carry_out_here(order) {
            Ok(answer) => return answer,
            Err(order) => order,
        };
        let (sender, answer) = oneshot::channel();
        let Some(jobs) = self.sender() else { return Err(Code::T0503.into()) };
        if jobs.try_send(Job::Order(order, sender)).is_err() {
            return Err(Code::T0503.into());
        }
        // The thread ends when no handle is left: a caller that waits for its answer holds none.
        drop(jobs);
        answer.await.unwrap_or_else(|_| Err(Code::T0999.into()))
    }

    /// As [`Writer::submit`], but waits for room instead of refusing: for loops of our own.
    pub async fn submit_waiting(&self, actor: Actor, command: Command) -> Answer {
        let order = Order { actor, command };
        let order = match self.carry_out_here(order) {
            Ok(answer) => return answer,
            Err(order) => order,
        };
        let (sender, answer) = oneshot::channel();
        let Some(jobs) = self.sender() else { return Err(Code::T0503.into()) };
        if jobs.send(Job::Order(order, sender)).await.is_err() {
            return Err(Code::T0503.into());
        }
        drop(jobs);
        answer.await.unwrap_or_else(|_| Err(Code::T0999.into()))
    }

    fn carry_out_here(&self, order: Order) -> Result<Answer, Order> {
        let Some(backend) = &self.inline else { return Err(order) };
        let mut backend = backend.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(backend.commit(&[order]).pop().unwrap_or(Err(Code::T0999.into())))
    }

    /// Seals one slice again under the active keys; see [`Backend::reseal`].
    pub async fn reseal(&self, after: KeyNo, limit: usize) -> Result<Option<KeyNo>, StoreError> {
        let gone = || StoreError::Refused("the store is closing".to_owned());
        let (sender, answer) = oneshot::channel();
        let jobs = self.sender().ok_or_else(gone)?;
        jobs.send(Job::Reseal(after, limit, sender)).await.map_err(|_| gone())?;
        drop(jobs);
        answer.await.map_err(|_| gone())?
    }

    /// Orders that wait now.
    pub fn depth(&self) -> usize {
        self.sender().map_or(0, |jobs| QUEUE_MAX - jobs.capacity())
    }

    fn sender(&self) -> Option<mpsc::Sender<Job>> {
        self.jobs.lock().ok().and_then(|jobs| jobs.clone())
    }

    /// Takes no more orders, writes what waits, and returns when the thread has ended.
    pub fn close(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
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

fn run(mut backend: Box<dyn Backend>, mut waiting: mpsc::Receiver<Job>) {
    let mut orders = Vec::with_capacity(BATCH_MAX);
    let mut senders = Vec::with_capacity(BATCH_MAX);
    while let Some(first) = waiting.blocking_recv() {
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Order(order, sender) => {
                    orders.push(order);
                    senders.push(sender);
                }
                Job::Reseal(after, limit, sender) => {
                    // A caller that went away needs no answer.
                    let _ = sender.send(backend.reseal(after, limit));
                }
            }
            next = (orders.len() < BATCH_MAX).then(|| waiting.try_recv().ok()).flatten();
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
