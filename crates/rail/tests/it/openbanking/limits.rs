//! How hard the rail presses: calls at the same time and calls in a second.

use super::samples::{ACCOUNT, settings};
use super::server::{Act, Bank, DEPOSIT, TOKEN, rsp};
use crate::common::{Hand, deposit, payee};
use ichae_domain::bank::Answer;
use ichae_rail::openbanking::OpenBanking;
use ichae_rail::openbanking::settings::Settings;
use ichae_rail::port::Rail as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

async fn press(rail: &Arc<OpenBanking>, count: i64) {
    let mut calls = JoinSet::new();
    for n in 1..=count {
        let rail = rail.clone();
        calls.spawn(async move { rail.deposit(&deposit(n), &payee(ACCOUNT), &|| true).await });
    }
    assert_eq!(calls.join_all().await.len(), usize::try_from(count).unwrap());
}

#[tokio::test]
async fn no_more_calls_at_once_than_agreed() {
    // Each waits for one other, so two at once are proved, and three would be seen.
    let pairs = Arc::new(Barrier::new(2));
    let bank = Bank::with_tokens(move |_, _| {
        Act::Together(pairs.clone(), r#"{"rsp_code":"A0007"}"#.to_owned())
    })
    .await;
    let two = Settings { in_flight: 2, ..settings(&bank.url) };
    press(&Arc::new(OpenBanking::new(two, Hand::new().clock()).unwrap()), 10).await;
    assert_eq!((bank.requests(DEPOSIT).len(), bank.most_inside()), (10, 2));
}

/// Another node may have taken over while it waited for its turn.
#[tokio::test]
async fn what_may_not_be_sent_any_more_when_its_turn_comes_is_not_sent() {
    let release = Arc::new(Barrier::new(2));
    let held = Arc::clone(&release);
    let bank = Bank::with_tokens(move |_, _| {
        Act::Together(held.clone(), r#"{"rsp_code":"A0007"}"#.to_owned())
    })
    .await;
    let one = Settings { in_flight: 1, ..settings(&bank.url) };
    let rail = Arc::new(OpenBanking::new(one, Hand::new().clock()).unwrap());
    let first = Arc::clone(&rail);
    let first =
        tokio::spawn(async move { first.deposit(&deposit(1), &payee(ACCOUNT), &|| true).await });
    while bank.requests(DEPOSIT).is_empty() {
        tokio::task::yield_now().await;
    }
    let may = Arc::new(AtomicBool::new(true));
    let lease = Arc::clone(&may);
    let second = tokio::spawn(async move {
        let may = move || lease.load(Ordering::SeqCst);
        rail.deposit(&deposit(2), &payee(ACCOUNT), &may).await
    });
    tokio::task::yield_now().await;
    may.store(false, Ordering::SeqCst);
    release.wait().await;
    assert_eq!(second.await.unwrap(), Answer::NotSent);
    first.await.unwrap();
    assert_eq!(bank.requests(DEPOSIT).len(), 1);
}

#[tokio::test]
async fn a_single_place_is_enough() {
    let bank = Bank::with_tokens(|request, _| match request.bearer.as_deref() {
        Some("token-0") => rsp("O0003"),
        _ => rsp("A0007"),
    })
    .await;
    let one = Settings { in_flight: 1, ..settings(&bank.url) };
    press(&Arc::new(OpenBanking::new(one, Hand::new().clock()).unwrap()), 5).await;
    assert_eq!((bank.requests(TOKEN).len(), bank.most_inside()), (2, 1));
}

#[tokio::test]
async fn no_more_calls_in_a_second_than_agreed() {
    let bank = Bank::with_tokens(|_, _| rsp("A0007")).await;
    let slow = Settings { calls_per_second: 50, ..settings(&bank.url) };
    let rail = Arc::new(OpenBanking::new(slow, Hand::new().clock()).unwrap());
    let begun = Instant::now();
    press(&rail, 6).await;
    // The token's call and six more: six gaps of a fiftieth.
    assert!(begun.elapsed() >= Duration::from_millis(120), "{:?}", begun.elapsed());
    assert_eq!(bank.all(), 7);
}
