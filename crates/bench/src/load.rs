//! The load: so many connections on one thread, each with one request under way.

use crate::BenchError;
use crate::http::{Answer, Connection};
use hdrhistogram::Histogram;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Longest latency that is told apart, in microseconds.
const LATENCY_MAX_US: u64 = 120_000_000;
/// A connection that is not through this long after the time is up is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one connection says and hears.
pub trait Caller {
    /// Writes the next request; `false`: this connection has nothing more to say.
    fn next(&mut self, out: &mut Vec<u8>) -> bool;
    /// Whether the answer is what it has to be.
    fn heard(&mut self, answer: &Answer<'_>) -> bool;
}

/// When requests are sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each connection sends as soon as it was answered.
    Closed,
    /// So many a second in all, each at its own time, whether or not earlier ones were answered
    /// late: the latency counts from the time at which it was due.
    PerSecond(u32),
}

/// What a load saw.
#[derive(Clone, Debug)]
pub struct Seen {
    pub answers: u64,
    /// Answers that were not what they had to be.
    pub bad: u64,
    pub seconds: f64,
    /// Microseconds.
    pub latency: Histogram<u64>,
    /// The first bad answer, for the report.
    pub first_bad: Option<String>,
}

impl Seen {
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.seconds
    }

    pub fn p_ms(&self, share: f64) -> f64 {
        self.latency.value_at_quantile(share) as f64 / 1_000.0
    }
}

struct Tally {
    answers: u64,
    bad: u64,
    latency: Histogram<u64>,
    first_bad: Option<String>,
}

/// Runs callers until the time is up or they have nothing more to say.
pub async fn run<C: Caller + 'static>(
    address: SocketAddr,
    callers: Vec<C>,
    pace: Pace,
    time: Duration,
) -> Result<Seen, BenchError> {
    let latency =
        Histogram::new_with_bounds(1, LATENCY_MAX_US, 3).map_err(|_| BenchError::Closed)?;
    let tally = Tally { answers: 0, bad: 0, latency, first_bad: None };
    let tally = Rc::new(RefCell::new(tally));
    let mut connections = Vec::with_capacity(callers.len());
    for _ in 0..callers.len() {
        connections.push(Connection::open(address).await?);
    }
    let local = tokio::task::LocalSet::new();
    let began = Instant::now();
    let end = began + time;
    let mut tasks = JoinSet::new();
    let count = callers.len() as u32;
    for (at, (caller, connection)) in callers.into_iter().zip(connections).enumerate() {
        let tally = Rc::clone(&tally);
        let schedule = match pace {
            Pace::Closed => None,
            Pace::PerSecond(rate) => {
                let interval = Duration::from_secs(1) * count / rate;
                Some((began + interval * at as u32 / count, interval))
            }
        };
        tasks.spawn_local_on(one(caller, connection, tally, end, schedule), &local);
    }
    let all = local.run_until(async {
        while let Some(done) = tasks.join_next().await {
            done.map_err(|_| BenchError::Closed)??;
        }
        Ok::<(), BenchError>(())
    });
    tokio::time::timeout(time + PATIENCE, all).await.map_err(|_| BenchError::Late)??;
    let seconds = began.elapsed().as_secs_f64();
    let tally = tally.borrow();
    Ok(Seen {
        answers: tally.answers,
        bad: tally.bad,
        seconds,
        latency: tally.latency.clone(),
        first_bad: tally.first_bad.clone(),
    })
}

async fn one<C: Caller>(
    mut caller: C,
    mut connection: Connection,
    tally: Rc<RefCell<Tally>>,
    end: Instant,
    mut schedule: Option<(Instant, Duration)>,
) -> Result<(), BenchError> {
    let mut request = Vec::with_capacity(1_024);
    loop {
        let sent = match &mut schedule {
            None => Instant::now(),
            Some((due, interval)) => {
                let at = *due;
                *due += *interval;
                tokio::time::sleep_until(at.into()).await;
                at
            }
        };
        if sent >= end || !caller.next(&mut request) {
            return Ok(());
        }
        let answer = connection.exchange(&request).await?;
        let good = caller.heard(&answer);
        let mut tally = tally.borrow_mut();
        tally.answers += 1;
        let us = u64::try_from(sent.elapsed().as_micros()).unwrap_or(LATENCY_MAX_US);
        tally.latency.saturating_record(us.max(1));
        if !good {
            tally.bad += 1;
            if tally.first_bad.is_none() {
                let text = String::from_utf8_lossy(answer.body);
                tally.first_bad = Some(format!("{} {text}", answer.status));
            }
        }
    }
}
