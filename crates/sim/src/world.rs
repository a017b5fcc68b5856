//! The world of one seed: its time, its queue, its crashes, and the order in which things happen.

use crate::Options;
use crate::checks::Checks;
use crate::clients::{Client, garbage, new_partner};
use crate::engine::{Engine, order};
use crate::fault::{Dice, Fault};
use crate::line::Line;
use crate::model::Model;
use crate::plant::Store;
use crate::receiver::Receivers;
use crate::report::Report;
use crate::trace::Trace;
use crate::violation::{Checked, Violation};
use ichae_domain::command::{Actor, Command, HoldOrder, Order};
use ichae_domain::ident::{PartnerNo, PayoutNo};
use ichae_domain::money::Won;
use ichae_domain::time::Time;
use ichae_domain::view::{Reply, Rules};
use ichae_store::memory::{self, MemoryReader};
use ichae_store::port::{Answer, Backend as _, Clock, Reader as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-11-22 12:00 in Seoul.
const START_MS: i64 = 1_795_316_400_000;
const HOUR_MS: i64 = 3_600_000;
const STEP_MS_MAX: i64 = 2_500;
const DOWNTIME_MS_MAX: i64 = 20_000;
const TROUBLE_MS_MAX: i64 = 60_000;
/// Rows that a restart sweeps with one commit.
const SWEEP_MAX: usize = 8;

pub struct World {
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) reader: MemoryReader,
    pub(crate) dice: Dice,
    pub(crate) line: Line,
    pub(crate) engine: Engine,
    pub(crate) receivers: Receivers,
    pub(crate) model: Model,
    pub(crate) blind: bool,
    store: Store,
    clients: Vec<Client>,
    checks: Checks,
    rules: Rules,
    queue: Vec<Order>,
    batch_max: usize,
    trace: Trace,
    events_traced: usize,
    steps: u32,
    steps_done: u32,
    commits: u64,
    commands: u64,
}

impl World {
    pub fn new(seed: u64, options: &Options) -> World {
        let mut dice = Dice::new(seed);
        let random = &mut dice.random;
        let test = random.one_in(2);
        let rules = Rules {
            fixed_amount: (test && random.one_in(2)).then_some(Won(1_000)),
            webhook_per_call: test,
            ..Rules::OPEN
        };
        let in_flight_max = 1 + random.place(12);
        let timeout_ms = if random.one_in(2) { 3_000 } else { 10_000 };
        let batch_max = [1, 4, 32][random.place(3)];
        let now = Arc::new(AtomicI64::new(START_MS));
        let read = Arc::clone(&now);
        let clock: Clock = Arc::new(move || Time(read.load(Ordering::Relaxed)));
        let (backend, reader) = memory::open(rules, clock);
        World {
            now,
            store: Store::new(backend, reader.clone(), options.plant),
            reader,
            dice,
            line: Line::default(),
            engine: Engine::new(in_flight_max, timeout_ms, options.plant),
            receivers: Receivers::default(),
            model: Model::new(rules),
            blind: options.blind,
            clients: Vec::new(),
            checks: Checks::new(in_flight_max),
            rules,
            queue: Vec::new(),
            batch_max,
            trace: Trace::default(),
            events_traced: 0,
            steps: options.steps,
            steps_done: 0,
            commits: 0,
            commands: 0,
        }
    }

    /// # Errors
    /// The first invariant that does not hold.
    pub fn run(&mut self) -> Checked {
        self.populate()?;
        while self.steps_done < self.steps {
            self.steps_done += 1;
            self.step()?;
        }
        self.steps_done += 1;
        self.end()
    }

    pub fn steps_done(&self) -> u32 {
        self.steps_done
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.now.load(Ordering::Relaxed))
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    /// Partners with their money and their keys.
    fn populate(&mut self) -> Checked {
        let count = 2 + self.dice.random.place(3);
        for place in 0..count {
            let new = Command::AddPartner(Box::new(new_partner(place, &mut self.dice)));
            let operator = Actor::Operator("kim".to_owned());
            let answers = self.commit(&[Order { actor: operator, command: new }])?;
            let Some(Ok(Reply::Partner(no))) = answers.first() else {
                return Err(Violation::new("a partner can be added", format!("{answers:?}")));
            };
            let mut client = Client::new(*no, &mut self.dice);
            if self.dice.random.one_in(8) {
                self.receivers.leave(*no);
            }
            let mut orders = vec![client.fund(&mut self.dice), client.fund(&mut self.dice)];
            for _ in 0..4 {
                orders.extend(client.register(self.now(), &mut self.dice));
            }
            self.clients.push(client);
            let answers = self.commit(&orders)?;
            self.hear(&orders, &answers);
        }
        Ok(())
    }

    fn step(&mut self) -> Checked {
        let jump = self.dice.hits(Fault::ClockJump);
        let span = if jump { 72 * HOUR_MS } else { STEP_MS_MAX };
        let passed = self.dice.random.range(1, span);
        self.pass(passed);
        self.operators();
        self.turn_of_clients();
        self.turn_of_engine()?;
        if self.dice.hits(Fault::Reordered) {
            self.dice.random.shuffle(&mut self.queue);
        }
        self.work_off()?;
        if self.dice.hits(Fault::Crash) {
            self.crash()?;
        }
        self.look_up()
    }

    /// What people do, and what happens to the parties around the store.
    fn operators(&mut self) {
        let now = self.now();
        let operator = |command| Order { actor: Actor::Operator("lee".to_owned()), command };
        if self.dice.hits(Fault::Paused) {
            let reason = "maintenance".to_owned();
            self.queue.push(operator(Command::PauseRail { reason }));
        }
        let paused = self.reader.rows_now().rail.pause.is_some();
        if paused && self.dice.random.one_in(5) {
            self.queue.push(operator(Command::ResumeRail));
        }
        if self.dice.hits(Fault::OwnSide) {
            let until = now.plus_ms(self.dice.random.range(1_000, TROUBLE_MS_MAX));
            self.line.begin_trouble(until);
        }
        let place = self.dice.random.place(self.clients.len());
        let partner = self.clients[place].no;
        if self.dice.hits(Fault::Suspended) {
            self.queue.push(operator(Command::Suspend { partner, suspended: true }));
        } else if self.dice.random.one_in(6) {
            self.queue.push(operator(Command::Suspend { partner, suspended: false }));
        }
        if self.dice.hits(Fault::Held) {
            let hold = self.hold(partner);
            self.queue.push(operator(hold));
        } else if self.dice.random.one_in(5) {
            let released = self.released().into_iter();
            self.queue.extend(released.map(|hold| operator(Command::Hold(Box::new(hold)))));
        }
        if self.dice.hits(Fault::ReceiverDown) {
            self.receivers.go_down(partner, now);
        }
        if self.dice.random.one_in(30) {
            self.queue.push(self.clients[place].settings(&mut self.dice));
        }
        if self.dice.hits(Fault::Garbage) {
            let command = garbage(&self.reader.rows_now(), now, &mut self.dice);
            let actor = |command: &Command| match command {
                Command::Request(_) | Command::Execute(_) => Actor::Partner,
                _ => Actor::Engine,
            };
            self.queue.extend(command.map(|command| Order { actor: actor(&command), command }));
        }
    }

    /// Holds a partner, or one of its payouts, in whatever state it is.
    fn hold(&mut self, partner: PartnerNo) -> Command {
        let rows = self.reader.rows_now();
        let of: Vec<_> = rows.payouts.values().filter(|p| p.partner == partner).collect();
        let payout = self.dice.random.pick(&of).copied().filter(|_| self.dice.random.one_in(2));
        let (payout, group) = (payout.map(|p| p.no), payout.map(|p| p.group));
        let reason = "a question".to_owned();
        Command::Hold(Box::new(HoldOrder { partner, payout, group, held: true, reason }))
    }

    /// Lets go whatever is held.
    pub(crate) fn released(&self) -> Vec<HoldOrder> {
        let rows = self.reader.rows_now();
        let free = |partner, payout: Option<&ichae_domain::payout::Payout>| HoldOrder {
            partner,
            payout: payout.map(|p| p.no),
            group: payout.map(|p| p.group),
            held: false,
            reason: String::new(),
        };
        let payouts = rows.holds.keys().filter_map(|no| rows.payouts.get(no));
        let payouts = payouts.map(|payout| free(payout.partner, Some(payout)));
        let partners = rows.partners.values().filter(|p| p.held).map(|p| free(p.no, None));
        payouts.chain(partners).collect()
    }

    fn turn_of_clients(&mut self) {
        let now = self.now();
        for client in &mut self.clients {
            if self.dice.random.one_in(2) {
                let orders = client.act(&self.reader, &self.rules, now, &mut self.dice);
                self.queue.extend(orders);
            }
        }
    }

    /// One round of every loop of the engine. Claims are counted before answers free their places:
    /// a place is free once its outcome is durable.
    pub(crate) fn turn_of_engine(&mut self) -> Checked {
        let now = self.now();
        self.line.arrive(now)?;
        let claims = self.engine.claims(&self.reader)?;
        let heard = self.engine.heard(now, &mut self.dice);
        self.queue.extend(heard.into_iter().map(|told| order(Command::Outcome(Box::new(told)))));
        self.queue.extend(claims);
        self.engine.inquire(&self.reader, &mut self.line, now, &mut self.dice)?;
        self.queue.extend(self.engine.returns(&self.reader, &self.line, now)?);
        let (receivers, dice) = (&mut self.receivers, &mut self.dice);
        self.queue.extend(self.engine.notify(&self.reader, receivers, now, dice)?);
        self.queue.extend(self.engine.give_up(&self.reader, now));
        Ok(())
    }

    /// Commits what waits, batch after batch. A crash on the way takes the rest of the queue along.
    pub(crate) fn work_off(&mut self) -> Checked {
        while !self.queue.is_empty() {
            let most = self.batch_max.min(self.queue.len());
            let count = 1 + self.dice.random.place(most);
            let batch: Vec<Order> = self.queue.drain(..count).collect();
            let outcomes = batch.iter().any(|o| matches!(o.command, Command::Outcome(_)));
            let before = outcomes && self.dice.hits(Fault::CrashBeforeOutcome);
            if before || self.dice.hits(Fault::CrashQueued) {
                return self.crash();
            }
            let answers = self.commit(&batch)?;
            if self.dice.hits(Fault::CrashAfterCommit) {
                return self.crash();
            }
            if !self.send(&answers)? {
                return self.crash();
            }
            self.hear(&batch, &answers);
        }
        Ok(())
    }

    /// Calls the bank for each intent that is durable now. `false` where a crash came between.
    fn send(&mut self, answers: &[Answer]) -> Checked<bool> {
        let now = self.now();
        for answer in answers {
            let Ok(Reply::Send(deposit)) = answer else { continue };
            if self.dice.hits(Fault::CrashAfterIntent) {
                return Ok(false);
            }
            let (line, dice) = (&mut self.line, &mut self.dice);
            self.engine.send(deposit, &self.reader, line, now, dice)?;
        }
        Ok(true)
    }

    fn hear(&mut self, orders: &[Order], answers: &[Answer]) {
        for (order, answer) in orders.iter().zip(answers) {
            let sender = self.clients.iter_mut().find(|client| client.sent_it(order));
            sender.into_iter().for_each(|client| client.hear(order, answer));
        }
    }

    /// One commit, judged: every answer by the model, everything it left by the checks.
    pub(crate) fn commit(&mut self, orders: &[Order]) -> Checked<Vec<Answer>> {
        let answers = self.store.commit(orders);
        self.commits += 1;
        for (order, answer) in orders.iter().zip(&answers) {
            self.commands += 1;
            self.trace.add(order);
            self.trace.add(answer);
            let judged = self.model.observe(order, answer);
            if !self.blind {
                judged?;
            }
        }
        let rows = self.reader.rows_now();
        rows.events.iter().skip(self.events_traced).for_each(|event| self.trace.add(event));
        self.events_traced = rows.events.len();
        self.checks.after_commit(&rows, &self.line)?;
        if !self.blind {
            self.model.compare(&rows)?;
        }
        drop(rows);
        Ok(answers)
    }

    /// The process ends and another starts: queue, calls and timers are gone, the store and the
    /// bank are not. Before anything else, what was sending becomes unknown (decision H13).
    fn crash(&mut self) -> Checked {
        self.queue.clear();
        self.engine.forget();
        let down = self.dice.random.range(1, DOWNTIME_MS_MAX);
        self.pass(down);
        self.line.arrive(self.now())?;
        let mut after = PayoutNo(0);
        loop {
            let sending = self.reader.sending(after, SWEEP_MAX)?;
            let Some(last) = sending.last() else { return Ok(()) };
            after = last.payout;
            let orders: Vec<Order> = sending.iter().map(|d| self.engine.restarted(d)).collect();
            self.commit(&orders)?;
            if self.dice.hits(Fault::CrashRestarting) {
                after = PayoutNo(0);
            }
        }
    }

    fn look_up(&mut self) -> Checked {
        let place = self.dice.random.place(self.clients.len());
        let client = &self.clients[place];
        let Some(group) = self.dice.random.pick(&client.groups).copied() else { return Ok(()) };
        if self.blind {
            return Ok(());
        }
        self.model.look_up(&self.reader, client.no, group)
    }

    pub(crate) fn partners(&self) -> Vec<PartnerNo> {
        self.clients.iter().map(|client| client.no).collect()
    }

    pub fn report(&self) -> Report {
        let rows = self.reader.rows_now();
        let mut report = Report {
            seeds: 1,
            steps: u64::from(self.steps),
            commits: self.commits,
            commands: self.commands,
            virtual_ms: self.now().0 - START_MS,
            hash: self.trace.hash(),
            faults: self.dice.counts(),
            entered: self.model.entered.clone(),
            ended: self.model.ended(),
            refusals: self.model.refusals.clone(),
            ..Report::default()
        };
        for notice in rows.notices.values() {
            *report.outcomes.entry(notice.outcome.name()).or_default() += 1;
            *report.notices.entry(notice.state.name()).or_default() += 1;
        }
        report
    }
}
