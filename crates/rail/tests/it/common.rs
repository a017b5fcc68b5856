//! What the tests share.

use ichae_domain::ident::{BankNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::time::{Day, Time};
use ichae_domain::view::Deposit;
use ichae_rail::port::Payee;
use ichae_rail::simulated::Clock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub const START: Time = Time(1_634_882_440_000);
pub const DAY: Day = Day(20_211_022);
pub const AMOUNT: Won = Won(1_000);

/// A deposit whose other numbers do not matter to a bank.
pub fn deposit(bank_no: i64) -> Deposit {
    Deposit {
        payout: PayoutNo(bank_no),
        partner: PartnerNo(1),
        key: KeyNo(1),
        bank_no: BankNo(bank_no),
        sends: 1,
        day: DAY,
        amount: AMOUNT,
    }
}

pub fn payee(number: &str) -> Payee {
    let account = Account {
        number: number.into(),
        holder: "홍길동".into(),
        info_kind: InfoKind::BirthDate,
        info: "880212".into(),
    };
    Payee { bank: "020".to_owned(), account, print: "급여".to_owned(), check_tran_id: None }
}

/// A clock that only moves when it is told to.
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    pub fn new() -> Hand {
        Hand(Arc::new(AtomicI64::new(START.0)))
    }

    pub fn forward_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let at = self.0.clone();
        Arc::new(move || Time(at.load(Ordering::SeqCst)))
    }
}

/// A folder that goes away with the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(test: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("ichae-rail-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("bank.db")
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
