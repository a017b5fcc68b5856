//! The library from outside: every class, files as banks send them, and worlds by chance.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect")]

mod chance;
mod classes;
mod corpus;
mod files;
mod maps;
mod plant;
mod reports;

use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Day;
use ichae_reconcile::{Days, Map, Options, Ours, ReconcileError, Report, reconcile};
use std::convert::Infallible;

/// A payout of 1,000 won on the 22nd, under the number of its serial.
fn ours(payout: i64, state: State) -> Ours {
    Ours { payout, bank_no: payout, amount: Won(1_000), day: Day(20_261_122), state }
}

fn id(payout: i64) -> String {
    BankNo(payout).text(plant::HOUSE)
}

fn options() -> Options {
    let day = Day(20_261_122);
    Options { days: Some(Days { first: day, last: day }), ..Options::new(plant::HOUSE) }
}

/// Runs a file of bytes by a map.
fn run(file: &[u8], map: &Map, options: &Options, ours: &[Ours]) -> Result<Report, ReconcileError> {
    let ours = ours.iter().copied().map(Ok::<_, Infallible>);
    reconcile(file, map, options, ours, &mut |_| {})
}

/// A file of the simulated bank's form from lines (payout, day, amount, status).
fn export(lines: &[(i64, i32, i64, &str)]) -> Vec<u8> {
    let mut text = "bank_tran_id,bank_tran_date,tran_amt,status,code\n".to_owned();
    for (payout, day, amount, status) in lines {
        text.push_str(&format!("{},{day},{amount},{status},000\n", id(*payout)));
    }
    text.into_bytes()
}
