//! The rail against a bank on this machine: what was sent, how often, and what a failure means.

use super::samples::{
    ACCOUNT, BANK_DAY, CHECK_ID, FAULTED, ID, SETTLED, UNREADABLE, code, settings,
};
use super::server::{Act, Bank, DEPOSIT, Request, TOKEN, account, rsp, settle, token};
use crate::common::{Hand, deposit, payee};
use ichae_domain::bank::{Answer, Why};
use ichae_domain::key::InfoKind;
use ichae_rail::openbanking::OpenBanking;
use ichae_rail::openbanking::message::BODY_MAX;
use ichae_rail::openbanking::settings::Settings;
use ichae_rail::port::{AccountCheck, CheckAnswer, Payee, Rail as _};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const RECEIVE: &str = "/v2.0/inquiry/receive";
const RESULT: &str = "/v2.0/transfer/result";

fn rail(bank: &Bank) -> OpenBanking {
    OpenBanking::new(settings(&bank.url), Hand::new().clock()).unwrap()
}

async fn pay(rail: &OpenBanking) -> Answer {
    rail.deposit(&deposit(1), &payee(ACCOUNT), &|| true).await
}

/// As many deposits at once, each under its own number.
async fn pay_together(rail: &Arc<OpenBanking>, count: i64) -> Vec<Answer> {
    let mut calls = JoinSet::new();
    for n in 1..=count {
        let rail = rail.clone();
        calls.spawn(async move { rail.deposit(&deposit(n), &payee(ACCOUNT), &|| true).await });
    }
    calls.join_all().await
}

#[tokio::test]
async fn a_deposit_takes_a_token_and_settles() {
    let bank = Bank::with_tokens(|request, _| settle(request)).await;
    let rail = rail(&bank);
    assert_eq!((pay(&rail).await, pay(&rail).await), (SETTLED, SETTLED));
    let (tokens, deposits) = (bank.requests(TOKEN), bank.requests(DEPOSIT));
    assert_eq!((tokens.len(), deposits.len()), (1, 2));
    assert!(tokens[0].bearer.is_none() && tokens[0].body.contains("client_credentials"));
    assert!(deposits.iter().all(|d| d.bearer.as_deref() == Some("token-0")));
    assert!(deposits[0].body.contains(ID));
}

#[tokio::test]
async fn fifty_callers_take_one_token() {
    let bank = Bank::with_tokens(|request, _| settle(request)).await;
    let answers = pay_together(&Arc::new(rail(&bank)), 50).await;
    assert!(answers.len() == 50 && answers.iter().all(|a| *a == SETTLED));
    assert_eq!((bank.requests(TOKEN).len(), bank.requests(DEPOSIT).len()), (1, 50));
}

/// Refuses the first token, whoever brings it.
fn first_token_expired(request: &Request, _: usize) -> Act {
    match request.bearer.as_deref() {
        Some("token-0") => Act::Reply(401, r#"{"rsp_code":"O0003","res_list":[]}"#.to_owned()),
        _ => settle(request),
    }
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_the_same_request_goes_again() {
    let bank = Bank::with_tokens(first_token_expired).await;
    assert_eq!(pay(&rail(&bank)).await, SETTLED);
    let deposits = bank.requests(DEPOSIT);
    let bearers: Vec<_> = deposits.iter().filter_map(|d| d.bearer.as_deref()).collect();
    assert_eq!(bearers, ["token-0", "token-1"]);
    assert_eq!(deposits[0].body, deposits[1].body);
    assert_eq!(bank.requests(TOKEN).len(), 2);
}

#[tokio::test]
async fn fifty_refused_callers_renew_once() {
    let bank = Bank::with_tokens(first_token_expired).await;
    let answers = pay_together(&Arc::new(rail(&bank)), 50).await;
    assert!(answers.len() == 50 && answers.iter().all(|a| *a == SETTLED));
    assert_eq!(bank.requests(TOKEN).len(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_not_sent() {
    for refusal in [
        r#"{"rsp_code":"O0002"}"#,
        r#"{"rsp_code":"O0003"}"#,
        r#"{"rsp_code":"O0003","res_list":[]}"#,
    ] {
        let bank = Bank::with_tokens(move |_, _| Act::Reply(200, refusal.to_owned())).await;
        assert_eq!(pay(&rail(&bank)).await, Answer::NotSent);
        assert_eq!((bank.requests(DEPOSIT).len(), bank.requests(TOKEN).len()), (2, 2));
    }
}

#[tokio::test]
async fn a_refused_token_that_names_a_transfer_is_not_sent_again() {
    let both = r#"{"rsp_code":"O0003","res_list":[{"bank_rsp_code":"000"}]}"#;
    let undecided = Answer::Unknown(Why::Undecided(code("O0003")));
    for (status, expected) in [(200, undecided), (401, FAULTED)] {
        let bank = Bank::with_tokens(move |_, _| Act::Reply(status, both.to_owned())).await;
        assert_eq!(pay(&rail(&bank)).await, expected);
        assert_eq!(bank.requests(DEPOSIT).len(), 1);
    }
}

#[tokio::test]
async fn without_a_token_no_deposit_leaves() {
    let cases: [(fn() -> Act, Answer); 5] = [
        (|| rsp("O0001"), Answer::OwnSide { code: code("O0001") }),
        (
            || Act::Reply(401, r#"{"rsp_code":"O0001"}"#.to_owned()),
            Answer::OwnSide { code: code("O0001") },
        ),
        (|| Act::Reply(500, String::new()), Answer::NotSent),
        (|| Act::Close, Answer::NotSent),
        (|| Act::Reply(200, "{}".to_owned()), Answer::NotSent),
    ];
    for (act, expected) in cases {
        let bank = Bank::start(move |_, _| act()).await;
        let rail = rail(&bank);
        assert_eq!(pay(&rail).await, expected);
        let asked = match expected {
            Answer::OwnSide { code } => Answer::Unknown(Why::Undecided(code)),
            other => other,
        };
        assert_eq!(rail.inquire(&[deposit(1)]).await, [asked]);
        assert_eq!((bank.requests(TOKEN).len(), bank.all()), (2, 2));
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let bank = Bank::start(|request, n| match request.path.as_str() {
        TOKEN => token(n, 100),
        _ => settle(request),
    })
    .await;
    let hand = Hand::new();
    let rail = OpenBanking::new(settings(&bank.url), hand.clock()).unwrap();
    for (forward_ms, tokens) in [(0, 1), (89_999, 1), (1, 2), (89_999, 2), (1_000_000, 3)] {
        hand.forward_ms(forward_ms);
        assert_eq!(pay(&rail).await, SETTLED);
        assert_eq!(bank.requests(TOKEN).len(), tokens, "after {forward_ms}");
    }
}

#[tokio::test]
async fn a_port_that_refuses_is_not_sent() {
    let bank = Bank::with_tokens(|_, _| rsp("A0003")).await;
    let rail = rail(&bank);
    assert_eq!(pay(&rail).await, Answer::Unknown(Why::Undecided(code("A0003"))));
    bank.stop().await;
    assert_eq!(pay(&rail).await, Answer::NotSent);
    assert_eq!(rail.inquire(&[deposit(1), deposit(2)]).await, [Answer::NotSent; 2]);
}

#[tokio::test]
async fn what_breaks_after_the_request_is_unknown() {
    let lost = Answer::Unknown(Why::Lost);
    let timed_out = Answer::Unknown(Why::TimedOut);
    let cases: [(fn() -> Act, Answer); 8] = [
        (|| Act::Close, lost),
        (|| Act::Cut, lost),
        (|| Act::Silence, timed_out),
        (|| Act::Stall, timed_out),
        (|| Act::Redirect, FAULTED),
        (|| Act::Reply(500, "oops".to_owned()), FAULTED),
        (|| Act::Reply(200, "<html>".to_owned()), UNREADABLE),
        (|| Act::Flood(BODY_MAX + 100_000), UNREADABLE),
    ];
    for (act, expected) in cases {
        let bank = Bank::with_tokens(move |_, _| act()).await;
        let waits = matches!(act(), Act::Silence | Act::Stall);
        let timeout = Duration::from_millis(if waits { 200 } else { 10_000 });
        let short = Settings { timeout, connect_timeout: timeout / 2, ..settings(&bank.url) };
        let rail = OpenBanking::new(short, Hand::new().clock()).unwrap();
        assert_eq!(pay(&rail).await, expected);
        assert_eq!(rail.inquire(&[deposit(1)]).await, [expected]);
        // Once each: nothing goes again by itself, and a redirect is not followed.
        assert_eq!((bank.requests(DEPOSIT).len(), bank.requests(RESULT).len()), (1, 1));
        assert_eq!(bank.all(), 3);
    }
}

fn checked(print: &str) -> Payee {
    let check_tran_id = Some(CHECK_ID.to_owned());
    Payee { check_tran_id, print: print.to_owned(), ..payee(ACCOUNT) }
}

#[tokio::test]
async fn a_receiver_is_checked_before_a_deposit() {
    let refused = Answer::Refused { code: code("412"), day: deposit(1).day };
    let own_side = Answer::OwnSide { code: code("453") };
    let cases = [
        (account(Some(CHECK_ID), "A0000", "000"), SETTLED, 1),
        (account(Some(CHECK_ID), "A0002", "412"), refused, 0),
        (account(Some(CHECK_ID), "A0002", "453"), own_side, 0),
        (account(Some(CHECK_ID), "A0002", "804"), Answer::NotSent, 0),
        (account(None, "A0000", "000"), Answer::NotSent, 0),
        ("<html>".to_owned(), Answer::NotSent, 0),
    ];
    for (answer, expected, deposits) in cases {
        let bank = Bank::with_tokens(move |request, _| match request.path.as_str() {
            RECEIVE => Act::Reply(200, answer.clone()),
            _ => settle(request),
        })
        .await;
        let checking = Settings { receive_check: true, ..settings(&bank.url) };
        let rail = OpenBanking::new(checking, Hand::new().clock()).unwrap();
        assert!(rail.checks_receivers());
        assert_eq!(rail.deposit(&deposit(1), &checked("급여"), &|| true).await, expected);
        let sent = bank.requests(DEPOSIT);
        assert_eq!((bank.requests(RECEIVE).len(), sent.len()), (1, deposits));
        assert!(sent.iter().all(|d| d.body.contains(CHECK_ID)));
    }
}

#[tokio::test]
async fn what_cannot_be_written_pauses_the_rail_and_nothing_leaves() {
    let bank = Bank::with_tokens(|request, _| settle(request)).await;
    let form = Answer::OwnSide { code: code("A0004") };
    let long = checked("가나다라마바사아자차카");
    assert_eq!(rail(&bank).deposit(&deposit(1), &long, &|| true).await, form);
    let checking = Settings { receive_check: true, ..settings(&bank.url) };
    let rail = OpenBanking::new(checking, Hand::new().clock()).unwrap();
    assert_eq!(rail.deposit(&deposit(1), &long, &|| true).await, form);
    // It has to be checked, and there is no number to check it under.
    assert_eq!(rail.deposit(&deposit(1), &payee(ACCOUNT), &|| true).await, form);
    assert_eq!(bank.all(), 0);
}

#[tokio::test]
async fn a_rail_that_does_not_check_ignores_a_checks_number() {
    let bank = Bank::with_tokens(|request, _| settle(request)).await;
    let rail = rail(&bank);
    assert!(!rail.checks_receivers());
    assert_eq!(rail.deposit(&deposit(1), &checked("급여"), &|| true).await, SETTLED);
    assert!(!bank.requests(DEPOSIT)[0].body.contains(CHECK_ID));
}

#[tokio::test]
async fn the_rest_of_the_port() {
    let bank = Bank::with_tokens(|request, _| match request.path.as_str() {
        "/v2.0/bank/status" => {
            let list = r#"[{"bank_code_std":"020","bank_status":"E"}]"#;
            Act::Reply(200, format!(r#"{{"rsp_code":"A0000","res_list":{list}}}"#))
        }
        "/v2.0/inquiry/real_name" => Act::Reply(200, account(None, "A0000", "000")),
        _ => rsp("A0018"),
    })
    .await;
    let rail = rail(&bank);
    assert_eq!(rail.institution(), "M202112389");
    assert_eq!(rail.notices(0, 10).await, []);
    let banks = rail.banks().await.unwrap();
    assert_eq!((banks.len(), banks[0].bank.as_str()), (1, "020"));
    let check = |info: &str| AccountCheck {
        bank_tran_id: ID.to_owned(),
        bank: "020".to_owned(),
        number: ACCOUNT.into(),
        info_kind: InfoKind::BirthDate,
        info: info.into(),
    };
    match rail.real_name(&check("880212")).await {
        CheckAnswer::Holder { name, bank_code_sub: 0, day } => {
            assert_eq!((name.expose_secret(), day), ("홍길동", BANK_DAY));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(rail.real_name(&check("x")).await, CheckAnswer::NoAnswer));
    assert_eq!(bank.requests("/v2.0/inquiry/real_name").len(), 1);

    assert_eq!(rail.inquire(&[]).await, []);
    assert_eq!(bank.requests(RESULT).len(), 0);
    let many: Vec<_> = (1..=26).map(deposit).collect();
    assert_eq!(rail.inquire(&many).await, [Answer::Unknown(Why::NoHistory); 26]);
    assert_eq!(bank.requests(RESULT).len(), 2);
}
