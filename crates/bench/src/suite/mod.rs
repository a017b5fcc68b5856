//! The sections of the benchmark, one file a subject.

mod bulk;
mod flat;
mod keys;
mod nodes;
mod reads;
mod requests;
mod settlement;

use crate::BenchError;
use crate::callers::{RequestCaller, TokenCaller, Turns, authorized};
use crate::child::{Scratch, Server};
use crate::load::{self, Pace, Seen};
use crate::plan::{CONNECTIONS, Options, Scale};
use crate::report::{Bar, Report};
use crate::site::{Client, Site};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

type Section = fn(&mut Bench<'_>) -> Result<(), BenchError>;

/// Every section by its name, in the order in which they run.
pub const SECTIONS: &[(&str, &str, Section)] = &[
    ("requests", "durable requests beside tokens, tokens beside a bare handler", requests::run),
    ("partners", "one hot partner beside a thousand", requests::partners),
    ("flat", "a full store beside an empty one, and after kill -9", flat::run),
    ("settlement", "executing and settling a group", settlement::run),
    ("reads", "reads beside tokens, and beside writes", reads::run),
    ("keys", "look-ups of billing keys beside tokens", keys::run),
    ("bulk", "bulk intake beside single requests and the bare store", bulk::run),
];

/// As [`SECTIONS`], of a store on PostgreSQL.
pub const ON_POSTGRES: &[(&str, &str, Section)] = &[
    ("nodes", "batches beside one request in a transaction; two nodes beside one", nodes::run),
    ("partners", "one hot partner beside a thousand", requests::partners),
    ("flat", "a full store beside an empty one, and after kill -9", flat::run),
];

/// Measures; `tell` is told how far it is.
pub fn run(options: &Options, tell: &mut dyn FnMut(&str)) -> Result<Report, BenchError> {
    let mut report = Report::default();
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    let sections = if options.store.is_some() { ON_POSTGRES } else { SECTIONS };
    for (name, about, section) in sections.iter().filter(|(name, ..)| wanted(name)) {
        let mut tries = if options.retry { 2 } else { 1 };
        loop {
            tell(&format!("{name}: {about}"));
            let mut found = Report::default();
            section(&mut Bench { options, report: &mut found, tell, keys: Rc::default() })?;
            tries -= 1;
            if tries == 0 || found.met(true) {
                report.rows.append(&mut found.rows);
                report.points.append(&mut found.points);
                break;
            }
            tell(&format!("{name}: once more"));
        }
    }
    Ok(report)
}

/// What every section works with.
pub struct Bench<'a> {
    pub options: &'a Options,
    pub report: &'a mut Report,
    pub tell: &'a mut dyn FnMut(&str),
    /// The next `distinct_key` of this section.
    pub keys: Rc<RefCell<u64>>,
}

/// A store with its server.
pub struct Running {
    pub site: Site,
    pub server: Server,
    // Removed after the server has ended: fields go in their order.
    _scratch: Scratch,
}

impl Bench<'_> {
    pub fn scale(&self) -> &Scale {
        &self.options.scale
    }

    /// A fresh store with so many partners and stored payouts, served.
    pub fn serve(
        &mut self,
        name: &str,
        partners: usize,
        stored: u64,
    ) -> Result<Running, BenchError> {
        let scratch = Scratch::new(&self.options.folder, name)?;
        let mut site = Site::make(scratch.path(), partners, self.options.store.as_deref())?;
        if stored > 0 {
            let tell = &mut *self.tell;
            site.fill(stored, |done| {
                if done % 500_000 < crate::site::SLICE as u64 {
                    tell(&format!("  {done} of {stored} payouts stored"));
                }
            })?;
        }
        let server = start(&self.options.program, &site)?;
        Ok(Running { site, server, _scratch: scratch })
    }

    /// A fresh store with two partners and so many payers' keys of the first, served.
    pub fn serve_payers(&mut self, name: &str, payers: u64) -> Result<Running, BenchError> {
        let scratch = Scratch::new(&self.options.folder, name)?;
        let mut site = Site::make(scratch.path(), 2, self.options.store.as_deref())?;
        let tell = &mut *self.tell;
        site.fill_payers(payers, |done| {
            if done % 1_000_000 < crate::site::PAYERS_TOGETHER {
                tell(&format!("  {done} of {payers} keys stored"));
            }
        })?;
        let server = start(&self.options.program, &site)?;
        Ok(Running { site, server, _scratch: scratch })
    }

    /// The yardstick in a process of its own.
    pub fn yardstick(&self) -> Result<Server, BenchError> {
        Server::start(&self.options.program, &["bench", "--yardstick"], &[], false)
    }

    pub async fn tokens(&self, server: &Server, clients: &[Client]) -> Result<Seen, BenchError> {
        let callers = spread(clients).map(TokenCaller::new).collect();
        let seen = load::run(server.address, callers, Pace::Closed, self.scale().time).await?;
        all_good(seen)
    }

    /// Requests of every one of many clients in turn, on as many connections as always.
    pub async fn spread_requests(
        &self,
        server: &Server,
        clients: &[Client],
        time: Duration,
    ) -> Result<Seen, BenchError> {
        let callers = self.request_callers(server, clients, clients.len()).await?;
        let turns = in_turns(callers, CONNECTIONS);
        let few = turns.len();
        if few < CONNECTIONS {
            return self.requests(server, clients, time).await;
        }
        all_good(load::run(server.address, turns, Pace::Closed, time).await?)
    }

    /// Half of the connections, each client in turn.
    pub async fn half_requests(
        &self,
        server: &Server,
        clients: &[Client],
        time: Duration,
    ) -> Result<Seen, BenchError> {
        let callers = self.request_callers(server, clients, clients.len()).await?;
        let turns = in_turns(callers, CONNECTIONS / 2);
        all_good(load::run(server.address, turns, Pace::Closed, time).await?)
    }

    /// As [`Bench::requests`], for longer than a token lives: its callers are made anew.
    pub async fn long_requests(
        &self,
        server: &Server,
        clients: &[Client],
        time: Duration,
    ) -> Result<Seen, BenchError> {
        const STRETCH: Duration = Duration::from_secs(20);
        let mut sum = self.requests(server, clients, time.min(STRETCH)).await?;
        let mut left = time.saturating_sub(STRETCH);
        while !left.is_zero() {
            let more = self.requests(server, clients, left.min(STRETCH)).await?;
            sum.answers += more.answers;
            sum.seconds += more.seconds;
            left = left.saturating_sub(STRETCH);
        }
        Ok(sum)
    }

    pub async fn requests(
        &self,
        server: &Server,
        clients: &[Client],
        time: Duration,
    ) -> Result<Seen, BenchError> {
        let callers = self.request_callers(server, clients, CONNECTIONS).await?;
        all_good(load::run(server.address, callers, Pace::Closed, time).await?)
    }

    /// Callers for a minute at most: that is how long a token lives.
    pub async fn request_callers(
        &self,
        server: &Server,
        clients: &[Client],
        count: usize,
    ) -> Result<Vec<RequestCaller>, BenchError> {
        let mut heads = Vec::with_capacity(clients.len().min(count));
        for client in clients.iter().take(count) {
            heads.push(authorized(server.address, client).await?);
        }
        let callers = (0..count).map(|at| {
            let at = at % heads.len();
            RequestCaller::new(&clients[at], &heads[at], &self.keys)
        });
        Ok(callers.collect())
    }

    /// Checks the ledger; the server may run on. The payouts must be as many as were accepted.
    pub fn check(&mut self, section: &'static str, site: &Site, payouts: u64) -> Done {
        let (found, counted) = site.check()?;
        self.report.bar(section, "findings of ichae check", found as f64, "", Bar::Exactly(0.0));
        let off = counted.abs_diff(payouts);
        let what = "payouts stored and not accepted, or the other way";
        self.report.bar(section, what, off as f64, "", Bar::Exactly(0.0));
        Ok(())
    }
}

pub type Done = Result<(), BenchError>;

pub fn start(program: &Path, site: &Site) -> Result<Server, BenchError> {
    start_at(program, &site.config, &[])
}

pub fn start_at(program: &Path, config: &Path, env: &[(&str, &str)]) -> Result<Server, BenchError> {
    let config = config.to_string_lossy().into_owned();
    Server::start(program, &["serve", "--config", &config], env, true)
}

/// Callers shared out over so many connections at most, each connection's in turn.
fn in_turns(callers: Vec<RequestCaller>, connections: usize) -> Vec<Turns> {
    let share = callers.len().div_ceil(connections).max(1);
    let mut rest = callers.into_iter();
    let mut turns = Vec::new();
    while turns.len() < connections {
        let mine: Vec<RequestCaller> = rest.by_ref().take(share).collect();
        if mine.is_empty() {
            break;
        }
        turns.push(Turns::new(mine));
    }
    turns
}

/// As many as there are connections, each client as often as another.
fn spread(clients: &[Client]) -> impl Iterator<Item = &Client> {
    clients.iter().cycle().take(CONNECTIONS)
}

/// A rate of wrong answers is no rate.
pub fn all_good(seen: Seen) -> Result<Seen, BenchError> {
    match &seen.first_bad {
        Some(text) => Err(BenchError::Wrong(text.clone())),
        None => Ok(seen),
    }
}

/// Runs on one thread, which is the whole load generator.
pub fn block_on<T>(work: impl Future<Output = Result<T, BenchError>>) -> Result<T, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}
