//! A bank behind the port: it pays what arrives as often as it arrives, and says of it what it likes.

use super::fault::{Dice, Fault};
use crate::violation::Violation;
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::ident::{BankNo, PayoutNo};
use ichae_domain::time::Time;
use ichae_domain::view::Deposit;
use ichae_rail::port::{
    AccountCheck, BankState, BankStatus, CheckAnswer, INQUIRIES_TOGETHER, LateNotice, May, Payee,
    Rail,
};
use ichae_store::port::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the engine waits for a call here; the bank's lateness is measured by it.
pub const TIMEOUT_MS: i64 = 3_000;
/// The latest that anything happens at the bank after its call.
pub const LATE_MS_MAX: i64 = 180_000;
const REFUSALS: [u16; 3] = [421, 424, 458];

/// What became of one number.
#[derive(Clone, Debug)]
pub struct Record {
    pub payout: PayoutNo,
    pub calls: u64,
    pub paid: u64,
    pub amount: i64,
    pub refused: Option<BankCode>,
    /// A code that never decides.
    pub undecided: bool,
    /// Inquiries say "processing" until then.
    open_until: Time,
    pub returned: bool,
}

#[derive(Default)]
pub struct Book {
    pub records: BTreeMap<BankNo, Record>,
    returns: Vec<(Time, BankNo)>,
    shut: BTreeMap<String, Time>,
    /// The first thing that no bank may ever see.
    pub wrong: Option<Violation>,
}

#[derive(Clone)]
pub struct FaultyBank {
    pub book: Arc<Mutex<Book>>,
    pub dice: Arc<Mutex<Dice>>,
    clock: Clock,
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyBank {
    pub fn new(dice: Arc<Mutex<Dice>>, clock: Clock) -> FaultyBank {
        FaultyBank { book: Arc::default(), dice, clock }
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    fn hits(&self, fault: Fault) -> bool {
        lock(&self.dice).hits(fault)
    }

    fn range(&self, low: i64, high: i64) -> i64 {
        lock(&self.dice).random.range(low, high)
    }

    async fn pass(&self, ms: i64) {
        tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
    }

    /// A call has arrived: what it does is done, whoever still waits for the answer.
    fn arrive(&self, deposit: &Deposit) -> Answer {
        let now = (self.clock)();
        let refused = self.hits(Fault::Refused).then(|| {
            let place = lock(&self.dice).random.place(REFUSALS.len());
            BankCode(REFUSALS[place])
        });
        let own_side = self.hits(Fault::OwnSide);
        let undecided = self.hits(Fault::Undecided);
        let processing = self.hits(Fault::Processing);
        let returned = self.hits(Fault::Returned);
        let open_ms = if processing { self.range(1_000, LATE_MS_MAX / 4) } else { 0 };
        let back_ms = self.range(1, LATE_MS_MAX);
        let mut book = self.book();
        let record = book.records.entry(deposit.bank_no).or_insert(Record {
            payout: deposit.payout,
            calls: 0,
            paid: 0,
            amount: 0,
            refused: None,
            undecided,
            open_until: now.plus_ms(open_ms),
            returned: false,
        });
        record.calls += 1;
        if own_side {
            return Answer::OwnSide { code: BankCode(453) };
        }
        if undecided {
            return Answer::Unknown(Why::Undecided(BankCode(701)));
        }
        if let Some(code) = refused {
            record.refused = Some(code);
            return Answer::Refused { code, day: deposit.day };
        }
        record.paid += 1;
        record.amount += deposit.amount.0;
        let (payout, paid) = (record.payout, record.paid);
        record.returned = returned;
        if returned {
            book.returns.push((now.plus_ms(open_ms + back_ms), deposit.bank_no));
        }
        let of = book.records.values().filter(|r| r.payout == payout).map(|r| r.paid).sum::<u64>();
        if of > 1 || payout != deposit.payout {
            book.wrong.get_or_insert(Violation::new(
                "nothing is paid twice",
                format!("{deposit:?}: paid {of} times, {paid} of them under this number"),
            ));
        }
        match processing {
            true => Answer::Unknown(Why::Processing),
            false => Answer::Settled { day: deposit.day, bank_code_sub: 0 },
        }
    }

    fn recall(&self, deposit: &Deposit) -> Answer {
        let now = (self.clock)();
        let book = self.book();
        let Some(record) = book.records.get(&deposit.bank_no) else {
            return Answer::Unknown(Why::NoHistory);
        };
        let day = deposit.day;
        match record {
            r if r.undecided => Answer::Unknown(Why::Undecided(BankCode(701))),
            r if now < r.open_until => Answer::Unknown(Why::Processing),
            Record { refused: Some(code), .. } => Answer::Refused { code: *code, day },
            r if r.paid > 0 => Answer::Settled { day, bank_code_sub: 0 },
            _ => Answer::OwnSide { code: BankCode(453) },
        }
    }
}

#[async_trait::async_trait]
impl Rail for FaultyBank {
    fn institution(&self) -> &str {
        "M202112389"
    }

    async fn real_name(&self, _: &AccountCheck) -> CheckAnswer {
        CheckAnswer::NoAnswer
    }

    async fn deposit(&self, deposit: &Deposit, _: &Payee, _: &May) -> Answer {
        // On its way; a kill in here is one between the intent and the call.
        self.pass(self.range(0, 200)).await;
        if self.hits(Fault::NotSent) {
            return Answer::NotSent;
        }
        if self.hits(Fault::LostBefore) {
            self.pass(self.range(1, 2 * TIMEOUT_MS)).await;
            return Answer::Unknown(Why::Lost);
        }
        if self.hits(Fault::ArrivesLate) {
            let (bank, late) = (self.clone(), *deposit);
            let after = self.range(TIMEOUT_MS + 1, LATE_MS_MAX);
            tokio::spawn(async move {
                bank.pass(after).await;
                bank.arrive(&late);
            });
            return std::future::pending().await;
        }
        let answer = self.arrive(deposit);
        if self.hits(Fault::AnswerLost) {
            self.pass(self.range(0, 500)).await;
            return Answer::Unknown(Why::Lost);
        }
        if self.hits(Fault::Unreadable) {
            return Answer::Unknown(Why::Unreadable);
        }
        if self.hits(Fault::AnswerLate) {
            self.pass(self.range(TIMEOUT_MS + 1, 60_000)).await;
        }
        self.pass(self.range(0, 300)).await;
        answer
    }

    async fn inquire(&self, deposits: &[Deposit]) -> Vec<Answer> {
        if deposits.len() > INQUIRIES_TOGETHER {
            let detail = format!("{} at once", deposits.len());
            self.book().wrong.get_or_insert(Violation::new("an inquiry asks about 25", detail));
        }
        self.pass(self.range(0, 300)).await;
        if self.hits(Fault::InquiryLost) {
            return std::future::pending().await;
        }
        if self.hits(Fault::InquiryWrong) {
            let code = BankCode::centre(b'A', 3).unwrap_or(BankCode(803));
            return vec![Answer::Unknown(Why::Undecided(code)); deposits.len()];
        }
        let one = |deposit: &Deposit| match self.hits(Fault::InquiryBlind) {
            true => Answer::Unknown(Why::NoHistory),
            false => self.recall(deposit),
        };
        deposits.iter().map(one).collect()
    }

    async fn notices(&self, after: i64, limit: usize) -> Vec<LateNotice> {
        let now = (self.clock)();
        let mut book = self.book();
        book.returns.sort();
        let numbered = book.returns.iter().zip(1_i64..);
        let due = numbered.take_while(|((at, _), _)| *at <= now).filter(|(_, no)| *no > after);
        let notice = |((_, bank_no), number): (&(Time, BankNo), i64)| LateNotice {
            number,
            bank_no: *bank_no,
            code: None,
        };
        due.take(limit).map(notice).collect()
    }

    async fn banks(&self) -> Option<Vec<BankState>> {
        let now = (self.clock)();
        let shuts = self.hits(Fault::BankShut);
        let (bank, for_ms) = (self.range(0, 2), self.range(60_000, 1_800_000));
        let mut book = self.book();
        if shuts {
            let bank = ["004", "020", "088"][usize::try_from(bank).unwrap_or_default()];
            book.shut.insert(bank.to_owned(), now.plus_ms(for_ms));
        }
        book.shut.retain(|_, until| *until > now);
        let state = |bank: &String| BankState { bank: bank.clone(), status: BankStatus::Closing };
        Some(book.shut.keys().map(state).collect())
    }
}

impl Book {
    /// The last of what is still to come back; `None` where nothing is.
    pub fn last_return(&self) -> Option<Time> {
        self.returns.iter().map(|(at, _)| *at).max()
    }
}
