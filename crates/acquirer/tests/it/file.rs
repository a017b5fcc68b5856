//! The journal as a file: what outlives the acquirer, and what is never in it.

use crate::common::{
    ACCOUNT, AMOUNT, BIRTH, CARD, HOLDER, NO_HISTORY, PHONE, Scratch, approval, is_done, issuing,
    paying, refunding, refused, token, with_receipt,
};
use ichae_acquirer::port::{Acquirer as _, PayCall};
use ichae_acquirer::simulated::SimulatedAcquirer;
use ichae_acquirer::simulated::audit::audit;
use ichae_domain::billing::{Method, TradeKind};
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

fn open(path: &Path) -> SimulatedAcquirer {
    SimulatedAcquirer::open(path).unwrap()
}

#[tokio::test]
async fn what_was_answered_outlives_the_acquirer() {
    let scratch = Scratch::new("outlive");
    let path = scratch.journal();
    let acquirer = open(&path);
    let plain = token(&acquirer, Method::Account, ACCOUNT).await;
    let late = token(&acquirer, Method::Card, "9900000200000003").await;
    let paid = acquirer.pay(&with_receipt(paying("1", Method::Account, &plain))).await;
    acquirer.pay(&paying("2", Method::Card, &late)).await;
    drop(acquirer);

    let mut told = Vec::new();
    for _ in 0..3 {
        let acquirer = open(&path);
        told.push(acquirer.inquire("pay 2", TradeKind::Pay).await);
        assert_eq!(acquirer.inquire("pay 1", TradeKind::Pay).await, paid);
    }
    assert_eq!(told[..2], [NO_HISTORY, NO_HISTORY]);
    assert!(is_done(&told[2]));

    let acquirer = open(&path);
    let again = PayCall { reference: "again".to_owned(), ..paying("1", Method::Account, &plain) };
    assert_eq!(acquirer.pay(&again).await, paid);
    assert_eq!(acquirer.receipt(&issuing("r", "1", 1_000)).await, refused(1116));
    let back = approval(acquirer.refund(&refunding("back", "1", 1_000)).await);
    assert_eq!(back.receipt_no, approval(paid).receipt_no);
}

#[tokio::test]
async fn no_byte_of_it_is_of_a_number_a_name_or_a_birth_date() {
    let scratch = Scratch::new("secrets");
    let acquirer = open(&scratch.journal());
    let cards = [CARD, "9900000000003112", "9900000200000001", "9900000200000012"];
    let accounts = [ACCOUNT, "990000003112", "990000020001", "990000020021"];
    for (order, number) in (0..).zip(cards) {
        let token = token(&acquirer, Method::Card, number).await;
        acquirer.pay(&paying(&format!("c{order}"), Method::Card, &token)).await;
        acquirer.refund(&refunding(&format!("back {order}"), &format!("c{order}"), 10)).await;
    }
    for (order, number) in (0..).zip(accounts) {
        let token = token(&acquirer, Method::Account, number).await;
        acquirer.pay(&with_receipt(paying(&format!("a{order}"), Method::Account, &token))).await;
        acquirer.receipt(&issuing(&format!("r{order}"), &format!("a{order}"), 10)).await;
    }
    // While it is open, so that its write-ahead log is there to be looked at as well.
    let mut files = 0;
    for file in std::fs::read_dir(scratch.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        for number in cards.iter().chain(&accounts).chain([&PHONE]) {
            let integer: i64 = number.parse().unwrap();
            // As text, and as the bytes of an integer in SQLite's order.
            assert!(!holds(number.as_bytes()) && !holds(&integer.to_be_bytes()[2..]), "{number}");
        }
        assert!(!holds(HOLDER.as_bytes()) && !holds(BIRTH.as_bytes()) && !holds(b"****"));
        files += 1;
    }
    assert!(files >= 2);
}

#[tokio::test]
async fn many_at_once_are_each_captured_once() {
    let scratch = Scratch::new("many");
    let path = scratch.journal();
    let acquirer = Arc::new(open(&path));
    let token = token(&*acquirer, Method::Card, CARD).await;
    let mut calls = JoinSet::new();
    // Each order comes twice, under two references.
    for call in 0..1_000 {
        let order = (call / 2).to_string();
        let reference = call.to_string();
        let pay = PayCall { reference, ..paying(&order, Method::Card, &token) };
        let acquirer = acquirer.clone();
        calls.spawn(async move { acquirer.pay(&pay).await });
    }
    assert!(calls.join_all().await.iter().all(is_done));
    // The acquirer still has the file open.
    let rows = audit(&path).unwrap();
    let captured = rows.iter().filter(|row| row.done && !row.alias);
    assert_eq!(captured.map(|row| row.amount.0).sum::<i64>(), 500 * AMOUNT.0);
    let mut orders: Vec<_> = rows.iter().filter(|r| !r.alias).map(|r| r.order.clone()).collect();
    orders.sort();
    orders.dedup();
    assert_eq!((rows.len(), orders.len()), (1_000, 500));
}
