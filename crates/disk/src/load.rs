//! A seeded mix of orders from several clients at once, each with a partner of its own, and what was
//! acknowledged of it.

use crate::dice::Dice;
use crate::facts::{Fact, facts};
use crate::site::{Said, Site, bulk, claim, execute, fund, key, outcome, partner, request};
use futures_util::future::join_all;
use ichae_domain::code::Code;
use ichae_domain::command::{Action, Actor, Command, Request, Target};
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::money::Won;
use ichae_domain::view::{Deposit, Reply};
use ichae_store::port::Reader;
use ichae_store::queue::Writer;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Groups of a client that it still gives orders about.
const GROUPS: usize = 6;
const FUNDS: Won = Won(1_000_000_000);

/// What the clients know, and what they complain about.
#[derive(Default)]
pub struct Audit {
    facts: Mutex<Vec<Fact>>,
    asked: Mutex<HashSet<String>>,
    complaint: Mutex<Option<String>>,
    /// Numbers for names that are never used twice.
    names: AtomicU64,
    /// The power is gone: what is answered now counts for nothing.
    pub over: AtomicBool,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Audit {
    /// Facts so far.
    pub fn length(&self) -> usize {
        lock(&self.facts).len()
    }

    /// Forgets what came after so many facts.
    pub fn cut(&self, length: usize) {
        lock(&self.facts).truncate(length);
    }

    pub fn facts(&self) -> Vec<Fact> {
        lock(&self.facts).clone()
    }

    pub fn asked(&self) -> HashSet<String> {
        lock(&self.asked).clone()
    }

    pub fn complaint(&self) -> Option<String> {
        lock(&self.complaint).take()
    }

    fn name(&self, what: &str) -> String {
        format!("{what}{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    fn ask(&self, rows: &[Request]) {
        lock(&self.asked).extend(rows.iter().map(|row| row.distinct_key.clone()));
    }

    /// Written down after the answer is there: from now on it must never be lost.
    fn told(&self, command: &Command, answer: &ichae_store::port::Answer) {
        match answer {
            Ok(reply) => lock(&self.facts).extend(facts(command, reply)),
            // Nothing fails here but by the power cut, which the clients do not live to see.
            Err(refusal) if matches!(refusal.code, Code::T0999 | Code::T0503) => {
                if !self.over.load(Ordering::SeqCst) {
                    let what = format!("{} without a cause, to {command:?}", refusal.code.name());
                    lock(&self.complaint).get_or_insert(what);
                }
            }
            Err(_) => {}
        }
    }
}

/// One client's partner, as it was acknowledged.
struct Client<'a> {
    site: &'a Site,
    audit: &'a Audit,
    writer: &'a Writer,
    reader: &'a dyn Reader,
    dice: Dice,
    partner: PartnerNo,
    keys: Vec<KeyNo>,
    groups: Vec<GroupNo>,
}

/// Gives orders until the power is gone or so many steps are done. `at`: which client this is.
pub fn run(
    site: &Site,
    audit: &Audit,
    (writer, reader): (&Writer, &dyn Reader),
    (at, steps): (usize, usize),
    seed: u64,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut client = Client {
        site,
        audit,
        writer,
        reader,
        dice: Dice::new(seed),
        partner: PartnerNo(0),
        keys: Vec::new(),
        groups: Vec::new(),
    };
    client.remember(at);
    runtime.block_on(async {
        for _ in 0..steps {
            if audit.over.load(Ordering::SeqCst) {
                return;
            }
            client.step().await;
        }
    });
    Ok(())
}

impl Client<'_> {
    /// Takes up where the client with this place was.
    fn remember(&mut self, at: usize) {
        let facts = self.audit.facts();
        let mut partners = facts.iter().filter_map(|fact| match fact {
            Fact::Partner(no) => Some(*no),
            _ => None,
        });
        self.partner = partners.nth(at).unwrap_or(PartnerNo(0));
        for fact in &facts {
            match fact {
                Fact::Key(partner, no) if *partner == self.partner => self.keys.push(*no),
                Fact::Payout(taken) if taken.partner == self.partner => self.met(taken.group),
                _ => {}
            }
        }
    }

    fn met(&mut self, group: GroupNo) {
        if !self.groups.contains(&group) {
            self.groups.push(group);
            let old = self.groups.len().saturating_sub(GROUPS);
            self.groups.drain(..old);
        }
    }

    async fn give(&self, command: Command) -> Option<Reply> {
        let answer = self.writer.submit(Actor::Partner, command.clone()).await;
        self.audit.told(&command, &answer);
        answer.ok()
    }

    async fn step(&mut self) {
        if self.partner.0 == 0 || self.keys.is_empty() {
            return self.begin().await;
        }
        match self.dice.below(100) {
            0..35 => self.request().await,
            35..50 => self.bulk().await,
            50..62 => self.execute(Action::Now).await,
            62..68 => self.execute(Action::Cancel).await,
            68..74 => self.execute_rows().await,
            74..94 => self.settle().await,
            94..98 => {
                let reference = self.audit.name("fund");
                self.give(fund(self.partner, Won(1_000), &reference)).await;
            }
            _ => self.add_key().await,
        }
    }

    async fn begin(&mut self) {
        if self.partner.0 == 0 {
            let name = self.audit.name("p");
            let Some(Reply::Partner(no)) = self.give(partner(&name)).await else { return };
            self.partner = no;
        }
        let reference = self.audit.name("fund");
        self.give(fund(self.partner, FUNDS, &reference)).await;
        self.add_key().await;
    }

    async fn add_key(&mut self) {
        let account = self.audit.names.fetch_add(1, Ordering::Relaxed);
        let new = key(&self.site.sealer, self.partner, account);
        if let Some(Reply::Key(no, _)) = self.give(new).await {
            self.keys.push(no);
        }
    }

    fn rows(&mut self, most: u64) -> Vec<Request> {
        let count = 1 + self.dice.below(most);
        let row = |_| {
            let key = self.dice.pick(&self.keys).copied().unwrap_or(KeyNo(0));
            let amount = Won(1 + self.dice.below(5_000) as i64);
            request(self.partner, key, amount, &self.audit.name("d"))
        };
        let rows: Vec<Request> = (0..count).map(row).collect();
        self.audit.ask(&rows);
        rows
    }

    async fn request(&mut self) {
        let rows = self.rows(8);
        let orders = rows.into_iter().map(|row| self.give(Command::Request(Box::new(row))));
        for reply in join_all(orders).await {
            if let Some(Reply::Requested(told)) = reply {
                self.met(told.group);
            }
        }
    }

    async fn bulk(&mut self) {
        let rows = self.rows(40);
        let Some(Reply::Bulk(rows)) = self.give(bulk(self.partner, rows)).await else { return };
        if let Some(Ok(told)) = rows.first() {
            self.met(told.group);
        }
    }

    async fn execute(&mut self, action: Action) {
        if let Some(group) = self.dice.pick(&self.groups).copied() {
            self.give(execute(self.partner, group, Target::All, action)).await;
        }
    }

    /// What waits on one key, looked up before as the hub does.
    async fn execute_rows(&mut self) {
        let Some(group) = self.dice.pick(&self.groups).copied() else { return };
        let Some(key) = self.dice.pick(&self.keys).copied() else { return };
        let waiting = self.reader.waiting_on_key(group, key).unwrap_or_default();
        let action = if self.dice.percent(50) { Action::Now } else { Action::Cancel };
        if !waiting.is_empty() {
            self.give(execute(self.partner, group, Target::Rows(waiting), action)).await;
        }
    }

    /// Claims what is executed, and tells what the bank said of most of it.
    async fn settle(&mut self) {
        let mut work =
            self.reader.executing_rows(self.partner, PayoutNo(0), 16).unwrap_or_default();
        for group in self.reader.executing_groups(self.partner).unwrap_or_default() {
            work.extend(self.reader.unclaimed(group, PayoutNo(0), 16).unwrap_or_default());
        }
        work.truncate(32);
        let claims = work.into_iter().map(|work| self.give(claim(self.partner, work)));
        let sent = |reply| match reply {
            Some(Reply::Send(deposit)) => Some(deposit),
            _ => None,
        };
        let sent: Vec<Deposit> = join_all(claims).await.into_iter().filter_map(sent).collect();
        let mut told = Vec::new();
        for deposit in &sent {
            let said = match self.dice.below(10) {
                0..7 => Said::Settled,
                7 => Said::Refused,
                8 => Said::Unknown,
                _ => continue,
            };
            told.push(outcome(deposit, said));
        }
        join_all(told.into_iter().map(|command| self.give(command))).await;
    }
}
