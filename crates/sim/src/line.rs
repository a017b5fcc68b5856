//! The bank and the way to it. The bank is the rail crate's own state machine; what may be lost or
//! late on the way there lives here and outlives a crash of ours.

use crate::violation::Checked;
use ichae_domain::bank::{Answer, BankClass, BankCode};
use ichae_domain::ident::BankNo;
use ichae_domain::time::Time;
use ichae_domain::view::Deposit;
use ichae_rail::port::LateNotice;
use ichae_rail::simulated::bank::{Bank, Reply};
use ichae_rail::simulated::journal::{Execution, Journal as _, MemoryJournal};
use ichae_rail::simulated::scenario::Scenario;
use std::collections::BTreeMap;

/// What the bank says while our own account there is empty.
const OWN_SIDE: BankCode = BankCode(453);

/// What an inquiry can learn about a deposit, in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// No call with this number, day and amount: it may be on its way for ever (openbanking 7.2).
    NoHistory,
    /// The bank's code decides nothing: it waits for a person.
    Undecided,
    Paid,
    /// Paid, and it comes back.
    Returned,
    Refused,
}

#[derive(Debug, Default)]
pub struct Line {
    bank: Bank<MemoryJournal>,
    /// Every call that arrived, in order. Kept apart from the bank's journal, to judge by.
    calls: BTreeMap<BankNo, Vec<(Deposit, Scenario)>>,
    /// Calls that left and have not arrived yet.
    on_the_way: Vec<(Time, Deposit, Scenario)>,
    /// Our account at the bank is empty until then.
    trouble_until: Time,
}

impl Line {
    /// The call arrives at the bank now.
    pub fn pay(&mut self, deposit: &Deposit, scenario: Scenario, now: Time) -> Checked<Reply> {
        self.calls.entry(deposit.bank_no).or_default().push((*deposit, scenario));
        Ok(self.bank.deposit(deposit, scenario, now)?)
    }

    /// The call left, and arrives when nobody waits for it any more.
    pub fn send_late(&mut self, deposit: &Deposit, scenario: Scenario, at: Time) {
        self.on_the_way.push((at, *deposit, scenario));
    }

    /// Lets everything arrive that is due.
    pub fn arrive(&mut self, now: Time) -> Checked {
        let (due, later): (Vec<_>, Vec<_>) =
            self.on_the_way.drain(..).partition(|(at, ..)| *at <= now);
        self.on_the_way = later;
        due.into_iter()
            .try_for_each(|(_, deposit, scenario)| self.pay(&deposit, scenario, now).map(drop))
    }

    pub fn next_arrival(&self) -> Option<Time> {
        self.on_the_way.iter().map(|(at, ..)| *at).min()
    }

    pub fn inquire(&mut self, deposit: &Deposit, now: Time) -> Checked<Answer> {
        Ok(self.bank.inquire(deposit, now)?)
    }

    pub fn returns(&self, after: i64, limit: usize, now: Time) -> Checked<Vec<LateNotice>> {
        Ok(self.bank.notices(after, limit, now)?)
    }

    /// When the first return above `after` is due, if there is one.
    pub fn next_return(&mut self, after: i64) -> Checked<Option<Time>> {
        Ok(self.bank.journal().returns(after, 1)?.first().map(|back| back.due))
    }

    pub fn executions(&self) -> Checked<Vec<Execution>> {
        Ok(self.bank.executions()?)
    }

    pub fn begin_trouble(&mut self, until: Time) {
        self.trouble_until = until;
    }

    /// What a bank answers while there is trouble on our own side.
    pub fn trouble(&self, now: Time) -> Option<Answer> {
        (now < self.trouble_until).then_some(Answer::OwnSide { code: OWN_SIDE })
    }

    /// The record of a deposit that [`Line::trouble`] stopped, at a bank that keeps one.
    pub fn keep_trouble(&mut self, deposit: &Deposit, now: Time) -> Checked {
        self.pay(deposit, Scenario::DepositRefused(OWN_SIDE), now).map(drop)
    }

    /// What became of a deposit at the bank, read from the calls that arrived.
    pub fn fate(&self, deposit: &Deposit) -> Fate {
        let calls = self.calls.get(&deposit.bank_no).map_or(&[][..], Vec::as_slice);
        let same = |call: &&(Deposit, Scenario)| {
            call.0.day == deposit.day && call.0.amount == deposit.amount
        };
        // What was paid counts, whatever the other calls were told; else the last word.
        let mut fates = calls.iter().filter(same).map(|(_, scenario)| fate_of(*scenario));
        let paid = |fate: &Fate| matches!(fate, Fate::Paid | Fate::Returned);
        fates.clone().find(paid).or(fates.next_back()).unwrap_or(Fate::NoHistory)
    }
}

fn fate_of(scenario: Scenario) -> Fate {
    match scenario {
        Scenario::Plain | Scenario::PaidAnswerLost | Scenario::Processing | Scenario::Slow => {
            Fate::Paid
        }
        Scenario::Returned => Fate::Returned,
        Scenario::UnpaidAnswerLost => Fate::Refused,
        Scenario::DepositRefused(code) | Scenario::CheckRefused(code) => match code.class() {
            BankClass::Settled => Fate::Paid,
            BankClass::Refused => Fate::Refused,
            BankClass::OwnSide | BankClass::NotSent | BankClass::Unknown => Fate::Undecided,
        },
    }
}
