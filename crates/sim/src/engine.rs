//! The loops around the store, as the server's engine runs them: settle, inquire, reconcile,
//! notify. All that it keeps is lost with the process; what it needs again it reads.

use crate::fault::{Dice, Fault};
use crate::line::Line;
use crate::plant::Plant;
use crate::receiver::{Receivers, in_order};
use crate::violation::Checked;
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::command::{Actor, Asked, Command, Order, Told};
use ichae_domain::ident::{PartnerNo, PayoutNo};
use ichae_domain::time::Time;
use ichae_domain::view::Deposit;
use ichae_rail::simulated::scenario::{Scenario, scenario};
use ichae_store::memory::MemoryReader;
use ichae_store::port::{Reader as _, Work};
use secrecy::ExposeSecret as _;
use std::collections::{BTreeSet, VecDeque};

/// How long an inquiry is waited for.
const INQUIRY_TIMEOUT_MS: i64 = 5_000;
const INQUIRIES_MAX: usize = 16;
const NOTICES_MAX: usize = 8;
const ECHO_MS_MAX: i64 = 30_000;
const HOUR_MS: i64 = 3_600_000;

/// A call that the engine waits for.
#[derive(Debug)]
struct Flight {
    deposit: Deposit,
    asked: Asked,
    /// When the answer arrives, where it does.
    answer: Option<(Time, Answer)>,
    deadline: Time,
}

#[derive(Debug)]
pub struct Engine {
    flights: Vec<Flight>,
    /// Unknown outcomes that are being asked about.
    asking: BTreeSet<PayoutNo>,
    /// What is told once more, or too late, and when.
    echoes: Vec<(Time, Told)>,
    /// Whose turn it is.
    turn: usize,
    in_flight_max: usize,
    timeout_ms: i64,
    plant: Option<Plant>,
}

/// An order of the engine's.
pub fn order(command: Command) -> Order {
    Order { actor: Actor::Engine, command }
}

/// What was heard of a deposit.
pub fn told(deposit: &Deposit, asked: Asked, answer: Answer) -> Told {
    Told {
        payout: deposit.payout,
        partner: deposit.partner,
        key: deposit.key,
        bank_no: deposit.bank_no,
        sends: deposit.sends,
        asked,
        answer,
    }
}

/// The answer puts the row back to its turn: it may be sent again.
fn puts_back(told: &Told) -> bool {
    told.asked == Asked::Deposit && matches!(told.answer, Answer::NotSent | Answer::OwnSide { .. })
}

impl Engine {
    pub fn new(in_flight_max: usize, timeout_ms: i64, plant: Option<Plant>) -> Engine {
        Engine {
            flights: Vec::new(),
            asking: BTreeSet::new(),
            echoes: Vec::new(),
            turn: 0,
            in_flight_max,
            timeout_ms,
            plant,
        }
    }

    /// The process ended.
    pub fn forget(&mut self) {
        self.flights.clear();
        self.asking.clear();
        self.echoes.clear();
        self.turn = 0;
    }

    pub fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.echoes.is_empty()
    }

    /// What was claimed and not sent when the process ended (figure 1): ask, never send again.
    pub fn restarted(&self, deposit: &Deposit) -> Order {
        let resends = self.plant == Some(Plant::RestartResends);
        let answer = if resends { Answer::NotSent } else { Answer::Unknown(Why::Restarted) };
        order(Command::Outcome(Box::new(told(deposit, Asked::Deposit, answer))))
    }

    /// Pays, now that the intent is durable.
    pub fn send(
        &mut self,
        deposit: &Deposit,
        reader: &MemoryReader,
        line: &mut Line,
        now: Time,
        dice: &mut Dice,
    ) -> Checked {
        let scenario = match reader.key(deposit.key)? {
            Some((_, account)) => scenario(account.number.expose_secret()),
            None => Scenario::Plain,
        };
        let answer = self.call(deposit, scenario, line, now, dice)?;
        if self.plant == Some(Plant::CallTwice) {
            self.call(deposit, scenario, line, now, dice)?;
        }
        let deadline = now.plus_ms(self.timeout_ms);
        self.flights.push(Flight { deposit: *deposit, asked: Asked::Deposit, answer, deadline });
        Ok(())
    }

    fn call(
        &self,
        deposit: &Deposit,
        scenario: Scenario,
        line: &mut Line,
        now: Time,
        dice: &mut Dice,
    ) -> Checked<Option<(Time, Answer)>> {
        let soon = now.plus_ms(dice.random.range(1, 800));
        if dice.hits(Fault::NotSent) {
            return Ok(Some((soon, Answer::NotSent)));
        }
        if let Some(answer) = line.trouble(now) {
            // Some banks keep a record of what they refused, and some do not.
            if dice.random.one_in(2) {
                line.keep_trouble(deposit, now)?;
            }
            return Ok(Some((soon, answer)));
        }
        if dice.hits(Fault::LateArrival) {
            let late = self.timeout_ms + dice.random.range(1, 2 * HOUR_MS);
            line.send_late(deposit, scenario, now.plus_ms(late));
            return Ok(None);
        }
        let reply = line.pay(deposit, scenario, now)?;
        if dice.hits(Fault::LostAnswer) {
            let noticed = dice.random.one_in(2).then_some((soon, Answer::Unknown(Why::Lost)));
            return Ok(noticed);
        }
        let mut at = soon.plus_ms(reply.delay_ms);
        if dice.hits(Fault::LateAnswer) {
            at = at.plus_ms(self.timeout_ms + dice.random.range(1, 60_000));
        }
        Ok(Some((at, reply.answer)))
    }

    /// What has been heard, or not been heard in time.
    pub fn heard(&mut self, now: Time, dice: &mut Dice) -> Vec<Told> {
        let mut heard = Vec::new();
        for flight in std::mem::take(&mut self.flights) {
            let Flight { deposit, asked, answer, deadline } = flight;
            match answer {
                Some((at, answer)) if at <= now && at <= deadline => {
                    heard.push(told(&deposit, asked, answer));
                }
                late if deadline <= now => {
                    heard.push(told(&deposit, asked, self.timed_out(deposit)));
                    let late = late.map(|(at, answer)| (at, told(&deposit, asked, answer)));
                    self.echoes.extend(late);
                }
                _ => {
                    self.flights.push(Flight { deposit, asked, answer, deadline });
                    continue;
                }
            }
            if asked == Asked::Inquiry {
                self.asking.remove(&deposit.payout);
            }
        }
        let (due, later): (Vec<_>, Vec<_>) = self.echoes.drain(..).partition(|(at, _)| *at <= now);
        self.echoes = later;
        for told in &heard {
            self.echo(told, now, dice);
        }
        heard.extend(due.into_iter().map(|(_, told)| told));
        heard
    }

    fn timed_out(&self, deposit: Deposit) -> Answer {
        match self.plant {
            Some(Plant::TimeoutRefused) => {
                Answer::Refused { code: BankCode(499), day: deposit.day }
            }
            Some(Plant::TimeoutNotSent) => Answer::NotSent,
            _ => Answer::Unknown(Why::TimedOut),
        }
    }

    /// Something is told once more, some time later. A put-back often while the row's next call is
    /// under way: what is told of the call before must not put it back again.
    fn echo(&mut self, told: &Told, now: Time, dice: &mut Dice) {
        if dice.hits(Fault::Duplicated) {
            let soon = puts_back(told) && dice.random.one_in(2);
            let span = if soon { self.timeout_ms } else { ECHO_MS_MAX };
            let again = now.plus_ms(dice.random.range(0, span));
            self.echoes.push((again, told.clone()));
        }
    }

    /// Intents that may still be in flight, partners in turn.
    pub fn claims(&mut self, reader: &MemoryReader) -> Checked<Vec<Order>> {
        let deposits = self.flights.iter().filter(|f| f.asked == Asked::Deposit).count();
        let greedy = if self.plant == Some(Plant::ClaimTooMany) { 2 } else { 1 };
        let free = (greedy * self.in_flight_max).saturating_sub(deposits);
        if free == 0 || reader.rail()?.pause.is_some() {
            return Ok(Vec::new());
        }
        let mut waiting: VecDeque<(PartnerNo, VecDeque<Work>)> = VecDeque::new();
        for partner in reader.working_partners()? {
            waiting.push_back((partner, work_of(reader, partner, free)?.into()));
        }
        if !waiting.is_empty() {
            let first = self.turn % waiting.len();
            waiting.rotate_left(first);
            self.turn += 1;
        }
        let mut claims = Vec::new();
        while let Some((partner, mut works)) = waiting.pop_front() {
            let Some(Work { payout, group, key }) = works.pop_front() else { continue };
            claims.push(order(Command::Claim { payout, partner, group, key }));
            if claims.len() == free {
                break;
            }
            waiting.push_back((partner, works));
        }
        Ok(claims)
    }

    /// Asks the bank about every unknown outcome that is due.
    pub fn inquire(
        &mut self,
        reader: &MemoryReader,
        line: &mut Line,
        now: Time,
        dice: &mut Dice,
    ) -> Checked {
        if self.plant == Some(Plant::NeverInquire) {
            return Ok(());
        }
        let due = reader.due_inquiries(now, INQUIRIES_MAX + self.asking.len())?;
        for deposit in due {
            if !self.asking.insert(deposit.payout) {
                continue;
            }
            let at = now.plus_ms(dice.random.range(1, 300));
            let answer = if dice.hits(Fault::InquiryLost) {
                dice.random.one_in(2).then_some((at, Answer::NotSent))
            } else if let Some(answer) = line.trouble(now) {
                Some((at, answer))
            } else {
                let answer = line.inquire(&deposit, now)?;
                let late = dice.hits(Fault::LateAnswer);
                let late_ms = if late { dice.random.range(INQUIRY_TIMEOUT_MS, 90_000) } else { 0 };
                Some((at.plus_ms(late_ms), answer))
            };
            let deadline = now.plus_ms(INQUIRY_TIMEOUT_MS);
            self.flights.push(Flight { deposit, asked: Asked::Inquiry, answer, deadline });
        }
        Ok(())
    }

    /// What the bank sent back. One at a time: the next number is only asked for once this one was
    /// taken in, because the store keeps the highest and would pass over one that came too early.
    pub fn returns(&self, reader: &MemoryReader, line: &Line, now: Time) -> Checked<Vec<Order>> {
        let at_once = if self.plant == Some(Plant::ReturnsAtOnce) { 8 } else { 1 };
        let mut orders = Vec::new();
        for notice in line.returns(reader.rail()?.notices_seen, at_once, now)? {
            let Some(payout) = reader.payout_of(notice.bank_no)? else { continue };
            let Some(row) = reader.row(payout)? else { continue };
            let partner = row.payout.partner;
            let (code, notice) = (notice.code, notice.number);
            orders.push(order(Command::Return { payout, partner, code, notice }));
        }
        Ok(orders)
    }

    /// One try of every webhook that is due.
    pub fn notify(
        &self,
        reader: &MemoryReader,
        receivers: &mut Receivers,
        now: Time,
        dice: &mut Dice,
    ) -> Checked<Vec<Order>> {
        let mut orders = Vec::new();
        if self.plant == Some(Plant::NeverNotify) {
            return Ok(orders);
        }
        for partner in reader.due_notice_partners(now)? {
            for notice in reader.due_notices(partner, now, NOTICES_MAX)? {
                let rows = reader.rows_now();
                in_order(&notice, &rows)?;
                orders.push(order(receivers.try_one(&notice, &rows, now, dice)));
            }
        }
        Ok(orders)
    }

    /// The forbidden thing: what has been unknown for long is called refused.
    pub fn give_up(&self, reader: &MemoryReader, now: Time) -> Vec<Order> {
        if self.plant != Some(Plant::UnknownByAge) {
            return Vec::new();
        }
        let due = reader.due_inquiries(now.plus_ms(-HOUR_MS), 1).unwrap_or_default();
        let refused = |d: &Deposit| Answer::Refused { code: BankCode(499), day: d.day };
        let told = due.iter().map(|d| told(d, Asked::Inquiry, refused(d)));
        told.map(|told| order(Command::Outcome(Box::new(told)))).collect()
    }

    /// When something that is waited for happens next.
    pub fn next(&self) -> Option<Time> {
        let flights = self.flights.iter();
        let answers = flights.map(|f| f.answer.map_or(f.deadline, |(at, _)| at.min(f.deadline)));
        answers.chain(self.echoes.iter().map(|(at, _)| *at)).min()
    }
}

/// Rows of a partner that wait for the engine: put back first, then those of executed groups.
fn work_of(reader: &MemoryReader, partner: PartnerNo, limit: usize) -> Checked<Vec<Work>> {
    let mut works = reader.executing_rows(partner, PayoutNo(0), limit)?;
    for group in reader.executing_groups(partner)? {
        if works.len() < limit {
            works.extend(reader.unclaimed(group, PayoutNo(0), limit)?);
        }
    }
    works.truncate(limit);
    Ok(works)
}
