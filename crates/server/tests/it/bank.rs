//! The simulated bank with a counter in front of it and a hand on its tap.

use ichae_domain::bank::{Answer, BankCode};
use ichae_domain::ident::{BankNo, PartnerNo};
use ichae_domain::view::Deposit;
use ichae_rail::port::{
    AccountCheck, BankState, BankStatus, CheckAnswer, LateNotice, May, Payee, Rail,
};
use ichae_rail::simulated::{INSTITUTION, SimulatedRail};
use ichae_store::port::Clock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// What the bank does instead of what its scenario says.
#[derive(Default)]
struct Tap {
    deposits_hang: bool,
    inquiries_hang: bool,
    deposits_take: Option<Duration>,
    deposits_say: Option<Answer>,
    checks_say: Option<CheckAnswer>,
    checks_hang: bool,
    banks: Vec<BankState>,
}

#[derive(Default)]
struct Counts {
    deposits: Vec<Deposit>,
    inquiries: Vec<BankNo>,
    checks: Vec<String>,
    in_flight: usize,
    in_flight_most: usize,
}

pub struct TestBank {
    simulated: SimulatedRail,
    tap: Mutex<Tap>,
    counts: Mutex<Counts>,
}

impl TestBank {
    pub fn open(clock: Clock) -> TestBank {
        let simulated = SimulatedRail::open(None, clock).unwrap();
        TestBank { simulated, tap: Mutex::default(), counts: Mutex::default() }
    }

    /// Deposits arrive and move their money, and no answer ever comes.
    pub fn deposits_hang(&self, hang: bool) {
        self.tap.lock().unwrap().deposits_hang = hang;
    }

    pub fn inquiries_hang(&self, hang: bool) {
        self.tap.lock().unwrap().inquiries_hang = hang;
    }

    pub fn deposits_take(&self, time: Duration) {
        self.tap.lock().unwrap().deposits_take = Some(time);
    }

    /// Every deposit gets this answer and moves no money; `None`: as the account's scenario says.
    pub fn deposits_say(&self, answer: Option<Answer>) {
        self.tap.lock().unwrap().deposits_say = answer;
    }

    pub fn checks_say(&self, answer: CheckAnswer) {
        self.tap.lock().unwrap().checks_say = Some(answer);
    }

    pub fn checks_hang(&self) {
        self.tap.lock().unwrap().checks_hang = true;
    }

    /// What banks say of themselves from now on; those not named are open.
    pub fn say_banks(&self, banks: &[(&str, BankStatus)]) {
        let state = |(bank, status): &(&str, BankStatus)| BankState {
            bank: (*bank).to_owned(),
            status: *status,
        };
        self.tap.lock().unwrap().banks = banks.iter().map(state).collect();
    }

    pub fn deposits(&self) -> Vec<Deposit> {
        self.counts.lock().unwrap().deposits.clone()
    }

    /// How many of a partner's deposits reached the bank.
    pub fn deposits_of(&self, partner: PartnerNo) -> usize {
        self.deposits().iter().filter(|deposit| deposit.partner == partner).count()
    }

    /// How often the bank number that came most often came.
    pub fn most_often_sent(&self) -> usize {
        let mut times: HashMap<BankNo, usize> = HashMap::new();
        for deposit in self.deposits() {
            *times.entry(deposit.bank_no).or_default() += 1;
        }
        times.into_values().max().unwrap_or(0)
    }

    pub fn inquiries(&self) -> usize {
        self.counts.lock().unwrap().inquiries.len()
    }

    /// The numbers under which accounts were checked.
    pub fn checks(&self) -> Vec<String> {
        self.counts.lock().unwrap().checks.clone()
    }

    pub fn in_flight_most(&self) -> usize {
        self.counts.lock().unwrap().in_flight_most
    }

    /// How much money left the bank.
    pub async fn paid(&self) -> i64 {
        self.simulated.executions().await.unwrap().iter().map(|done| done.paid.0).sum()
    }

    /// Counts a deposit for as long as it is held, also where its caller gives it up.
    fn enter(&self, deposit: &Deposit) -> InFlight<'_> {
        let mut counts = self.counts.lock().unwrap();
        counts.deposits.push(*deposit);
        counts.in_flight += 1;
        counts.in_flight_most = counts.in_flight_most.max(counts.in_flight);
        InFlight(&self.counts)
    }
}

struct InFlight<'a>(&'a Mutex<Counts>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

#[async_trait::async_trait]
impl Rail for TestBank {
    fn institution(&self) -> &str {
        INSTITUTION
    }

    async fn real_name(&self, check: &AccountCheck) -> CheckAnswer {
        self.counts.lock().unwrap().checks.push(check.bank_tran_id.clone());
        let (said, hang) = {
            let tap = self.tap.lock().unwrap();
            (tap.checks_say.clone(), tap.checks_hang)
        };
        if hang {
            std::future::pending::<()>().await;
        }
        match said {
            Some(answer) => answer,
            None => self.simulated.real_name(check).await,
        }
    }

    async fn deposit(&self, deposit: &Deposit, to: &Payee, may: &May) -> Answer {
        if !may() {
            return Answer::NotSent;
        }
        let _in_flight = self.enter(deposit);
        let (hang, take, say) = {
            let tap = self.tap.lock().unwrap();
            (tap.deposits_hang, tap.deposits_take, tap.deposits_say)
        };
        if let Some(time) = take {
            tokio::time::sleep(time).await;
        }
        if let Some(answer) = say {
            return answer;
        }
        let answer = self.simulated.deposit(deposit, to, may).await;
        if hang {
            std::future::pending::<()>().await;
        }
        answer
    }

    async fn inquire(&self, deposits: &[Deposit]) -> Vec<Answer> {
        let numbers = deposits.iter().map(|deposit| deposit.bank_no);
        self.counts.lock().unwrap().inquiries.extend(numbers);
        let hang = self.tap.lock().unwrap().inquiries_hang;
        if hang {
            std::future::pending::<()>().await;
        }
        self.simulated.inquire(deposits).await
    }

    async fn banks(&self) -> Option<Vec<BankState>> {
        Some(self.tap.lock().unwrap().banks.clone())
    }

    async fn notices(&self, after: i64, limit: usize) -> Vec<LateNotice> {
        self.simulated.notices(after, limit).await
    }
}

/// Trouble on our own side: the contract account has too little (decision M3).
pub const OWN_SIDE: Answer = Answer::OwnSide { code: BankCode(453) };
