//! `/account/remain` (decision H8; wire "9. /account/remain").

use crate::app::{ACCOUNT, FUNDS, SETTLED, START, setup};
use ichae_domain::bank::{Answer, BankCode, Why};
use ichae_domain::command::{Actor, Command};
use ichae_domain::time::Day;
use ichae_server::admin::Request;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn the_limit_is_told_to_the_millisecond() {
    let app = setup().app().await;
    let answer = app.test().post("/account/remain", json!({ "sub_id": "ignored" })).await;
    assert_eq!(answer.get("api_tran_dtm"), START.seoul_17());
    assert_eq!(answer.get("total_account_amt"), FUNDS.to_string());
    assert_eq!(answer.get("remain_amt"), FUNDS.to_string());
    assert_eq!(answer.get("total_transfer_amt"), "0");
}

/// What a payout's life does to the three amounts, step by step.
#[tokio::test(start_paused = true)]
async fn the_amounts_follow_a_payouts_life() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let refused = Answer::Refused { code: BankCode(421), day: Day(20_261_122) };
    // What the bank says; what is transferred afterwards.
    let table = [
        (Some(SETTLED), 1_000),
        (Some(refused), 1_000),
        (Some(Answer::Unknown(Why::Lost)), 2_000),
        (Some(Answer::NotSent), 3_000),
        (None, 4_000),
    ];
    let mut transferred = 0;
    for (no, (answer, after)) in table.into_iter().enumerate() {
        let group = test.request(&key, &format!("d-{no}")).await;
        assert_eq!(test.remain().await.1, transferred + 1_000, "{no}: held by the request");
        test.execute_all(&group).await;
        assert_eq!(test.remain().await.1, transferred + 1_000, "{no}: held while executed");
        app.settle_by_hand(|_| answer).await;
        transferred = test.remain().await.1;
        assert_eq!(transferred, after, "{no}: {answer:?}");
        let (total, used, left) = test.remain().await;
        assert_eq!((total, left), (FUNDS, total - used));
    }
}

/// A return frees the amount (decision H8).
#[tokio::test(start_paused = true)]
async fn a_return_is_free_again() {
    let app = setup().app().await;
    let test = app.test();
    let paid = test.pay(ACCOUNT, "d-1").await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    assert_eq!(test.remain().await, (FUNDS, 1_000, FUNDS - 1_000));
    let transfer = test.transfer(&paid).await;
    let kind = ichae_wire::ident::Kind::Transfer;
    let payout = app.hub.serial(kind, test.no(), &transfer).map(ichae_domain::ident::PayoutNo);
    let (payout, partner) = (payout.unwrap(), test.no());
    let back = Command::Return { payout, partner, code: None, notice: 1 };
    app.hub.submit(Actor::Engine, back).await.unwrap();
    assert_eq!(test.remain().await, (FUNDS, 0, FUNDS));
}

/// Funding raises the limit, taking back lowers it, never below zero (decision M1).
#[tokio::test(start_paused = true)]
async fn money_that_comes_or_goes_moves_the_limit() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.request(&key, "d-1").await;
    app.fund("test", 500, "second").await;
    assert_eq!(test.remain().await, (FUNDS + 500, 1_000, FUNDS - 500));
    let back = |amount: i64, reference: &str| Request::PartnerFund {
        cst_id: "test".to_owned(),
        amount: amount.to_string(),
        reference: reference.to_owned(),
        take_back: true,
    };
    let error = app.admin(back(FUNDS + 500, "third")).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("P0111"), "what is held cannot be taken back");
    app.admin(back(FUNDS - 500, "fourth")).await.unwrap();
    assert_eq!(test.remain().await, (1_000, 1_000, 0));
}
