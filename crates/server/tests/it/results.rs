//! What became of payouts: the single look-up and the lists (decisions H11, H14).

use crate::answer::Answer;
use crate::app::{ACCOUNT, Client, SETTLED, TODAY, TestApp, setup};
use ichae_domain::bank::{Answer as Bank, BankCode, Why};
use ichae_domain::command::{Actor, Command};
use ichae_domain::ident::PayoutNo;
use ichae_domain::payout::State;
use ichae_domain::time::Day;
use ichae_wire::ident::Kind;
use serde_json::{Value, json};
use std::time::Duration;

const RESULT: &str = "/transfer/result";
const BY_DATE: &str = "/transfer/result/date";
const BY_GROUP: &str = "/transfer/result/group_key";
const WAITING: &str = "/request/result/group_key";
const DAY: Day = Day(20_261_122);

fn refused(code: u16) -> Option<Bank> {
    Some(Bank::Refused { code: BankCode(code), day: DAY })
}

/// A group with payouts `many-0` and so on, executed, with what the bank said of each.
async fn group_of(test: &Client<'_>, said: &[Option<Bank>]) -> String {
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, said.len()).await;
    test.execute_all(&group).await;
    test.app.settle_by_hand(|at| said[at]).await;
    group
}

async fn by_group(test: &Client<'_>, group: &str) -> Answer {
    test.post(BY_GROUP, json!({ "group_key": group })).await
}

fn rows(answer: &Answer, list: &str) -> Vec<Value> {
    answer.json()[list].as_array().unwrap().clone()
}

fn keys(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["distinct_key"].as_str().unwrap()).collect()
}

fn payout(app: &TestApp, test: &Client<'_>, transfer: &str) -> PayoutNo {
    app.hub.serial(Kind::Transfer, test.no(), transfer).map(PayoutNo).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_payouts_result_is_flat_and_says_how_it_ended() {
    let app = setup().app().await;
    let test = app.test();
    let said =
        [Some(SETTLED), refused(421), Some(Bank::Unknown(Why::TimedOut)), None, refused(424)];
    let group = group_of(&test, &said).await;
    let list = by_group(&test, &group).await;
    let all = [rows(&list, "res_list"), rows(&list, "pending_list")].concat();
    let table = [
        ("many-0", "A0000", "처리 성공", "000"),
        ("many-1", "A0009", "법인계좌 이체불가(421)", "421"),
        ("many-2", "A0001", "처리 중", ""),
        ("many-3", "A0001", "처리 중", ""),
        ("many-4", "A0009", "연체계좌(424)", "424"),
    ];
    for (key, result, message, bank) in table {
        let row = all.iter().find(|row| row["distinct_key"] == key).unwrap();
        let answer = test.post(RESULT, json!({ "api_tran_id": row["api_tran_id"] })).await;
        assert_eq!(answer.text, row.to_string(), "a list's row is the look-up's");
        let got = (answer.code(), answer.message(), answer.get("bank_rsp_code"));
        assert_eq!(got, (result.into(), message.into(), bank.into()), "{key}");
        assert_eq!(answer.get("bank_tran_id").len(), 20);
        assert_eq!(answer.get("account_num_masked"), "1234567890123***");
    }
}

/// Executed but not sent yet: under way, without anything of the bank's.
#[tokio::test(start_paused = true)]
async fn what_was_executed_a_moment_ago_is_under_way() {
    let app = setup().app().await;
    let test = app.test();
    let paid = test.pay(ACCOUNT, "d-1").await;
    let row = test.row(&paid).await;
    assert_eq!(row["result"], "A0001");
    for name in ["bank_tran_id", "bank_tran_date", "bank_rsp_code"] {
        assert_eq!(row[name], "", "{name}");
    }
}

/// What was not executed has no transfer, although its number could be worked out.
#[tokio::test(start_paused = true)]
async fn what_waits_or_was_cancelled_has_no_result() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    let found = app.hub.reader.group(group_no(&app, &test, &group)).unwrap().unwrap();
    let numbers: Vec<i64> = (0..=found.no.0 + 1).collect();
    for how in ["waits", "CANCEL"] {
        if how == "CANCEL" {
            test.execute(&group, "ALL", how).await;
        }
        for no in &numbers {
            let id = app.hub.id(Kind::Transfer, test.no(), *no);
            let answer = test.post(RESULT, json!({ "api_tran_id": id })).await;
            assert_eq!(answer.code(), "L0101", "{how} {no}");
        }
    }
}

fn group_no(app: &TestApp, test: &Client<'_>, key: &str) -> ichae_domain::ident::GroupNo {
    app.hub.serial(Kind::Group, test.no(), key).map(ichae_domain::ident::GroupNo).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_group_lists_what_is_completed_apart_from_what_is_under_way() {
    let app = setup().app().await;
    let test = app.test();
    let said = [None, Some(SETTLED), Some(Bank::Unknown(Why::Lost)), refused(421), Some(SETTLED)];
    let group = group_of(&test, &said).await;
    let answer = by_group(&test, &group).await;
    let names = [
        "result",
        "message",
        "cst_id",
        "group_key",
        "res_list",
        "res_cnt",
        "pending_list",
        "pending_cnt",
        "pending_amt",
        "last_key",
    ];
    assert_eq!(answer.names(), names);
    assert_eq!((answer.code(), answer.get("group_key")), ("A0000".into(), group));
    let (done, pending) = (rows(&answer, "res_list"), rows(&answer, "pending_list"));
    assert_eq!(keys(&done), ["many-1", "many-3", "many-4"]);
    assert_eq!(keys(&pending), ["many-0", "many-2"]);
    assert_eq!((answer.get("res_cnt"), answer.get("pending_cnt")), ("3".into(), "2".into()));
    assert_eq!((answer.get("pending_amt"), answer.get("last_key")), ("2000".into(), "".into()));
}

/// A group with nothing executed is L0121; one with something under way only is a list.
#[tokio::test(start_paused = true)]
async fn a_group_without_anything_executed_is_refused() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    assert_eq!(by_group(&test, &group).await.code(), "L0121");
    test.execute(&group, &key, "CANCEL").await;
    assert_eq!(by_group(&test, &group).await.code(), "L0121");
    let group = test.request(&key, "d-2").await;
    test.execute_all(&group).await;
    let answer = by_group(&test, &group).await;
    assert_eq!((answer.get("res_cnt"), answer.get("pending_cnt")), ("0".into(), "1".into()));
}

/// Documented: a day without a completed payout is a refusal, even with some under way.
#[tokio::test(start_paused = true)]
async fn a_day_needs_something_completed() {
    let app = setup().app().await;
    let test = app.test();
    let day = |day: &str| json!({ "bank_tran_date": day });
    assert_eq!(test.post(BY_DATE, day(TODAY)).await.code(), "L0120");
    group_of(&test, &[None, Some(Bank::Unknown(Why::Lost))]).await;
    assert_eq!(test.post(BY_DATE, day(TODAY)).await.code(), "L0120");
    let key = test.key(ACCOUNT).await;
    let group = test.request(&key, "d-1").await;
    test.execute_all(&group).await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    let answer = test.post(BY_DATE, day(TODAY)).await;
    assert_eq!(answer.get("bank_tran_date"), TODAY);
    assert_eq!(keys(&rows(&answer, "res_list")), ["d-1"]);
    assert_eq!(keys(&rows(&answer, "pending_list")), ["many-0", "many-1"]);
    let as_a_number = test.post(BY_DATE, json!({ "bank_tran_date": 20_261_122 })).await;
    assert_eq!(as_a_number.text, answer.text);
    for other in ["20261121", "20261123"] {
        assert_eq!(test.post(BY_DATE, day(other)).await.code(), "L0120", "{other}");
    }
}

/// The bank's date counts, not ours: what it settled tomorrow is tomorrow's.
#[tokio::test(start_paused = true)]
async fn a_day_is_the_banks_day() {
    let app = setup().app().await;
    let test = app.test();
    let tomorrow = Bank::Settled { day: Day(20_261_123), bank_code_sub: 1_234_567 };
    group_of(&test, &[Some(tomorrow)]).await;
    let today = test.post(BY_DATE, json!({ "bank_tran_date": TODAY })).await;
    assert_eq!(today.code(), "L0120");
    let answer = test.post(BY_DATE, json!({ "bank_tran_date": "20261123" })).await;
    let row = &rows(&answer, "res_list")[0];
    assert_eq!(row["bank_tran_date"], "20261123");
    assert_eq!(row["bank_code_sub"], "1234567");
}

/// A return is listed under its original day, with the return.
#[tokio::test(start_paused = true)]
async fn a_returned_payout_stays_on_its_day() {
    let app = setup().app().await;
    let test = app.test();
    let paid = test.pay(ACCOUNT, "d-1").await;
    app.settle_by_hand(|_| Some(SETTLED)).await;
    tokio::time::advance(Duration::from_secs(3 * 24 * 3_600)).await;
    let transfer = test.transfer(&paid).await;
    let (payout, partner) = (payout(&app, &test, &transfer), test.no());
    let back = Command::Return { payout, partner, code: Some(BankCode(415)), notice: 1 };
    app.hub.submit(Actor::Engine, back).await.unwrap();
    let list = test.post(BY_DATE, json!({ "bank_tran_date": TODAY })).await;
    let row = &rows(&list, "res_list")[0];
    assert_eq!((&row["result"], &row["message"]), (&json!("A0998"), &json!("입금 반환")));
    assert_eq!((&row["bank_tran_date"], &row["bank_rsp_code"]), (&json!(TODAY), &json!("415")));
    assert_eq!(row["api_tran_id"], transfer.as_str());
    let later = test.post(BY_DATE, json!({ "bank_tran_date": "20261125" })).await;
    assert_eq!(later.code(), "L0120");
}

/// What failed because its key had died stands in the lists, with the bank's code (decision H11).
#[tokio::test(start_paused = true)]
async fn what_failed_on_a_dead_key_is_listed() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let first = test.request(&key, "first").await;
    test.execute_all(&first).await;
    let later = test.request(&key, "later").await;
    app.settle_by_hand(|_| refused(415)).await;
    test.execute_all(&later).await;
    app.settle_by_hand(|_| None).await;
    assert_eq!(app.state("later"), State::Failed);
    for (path, body) in
        [(BY_GROUP, json!({ "group_key": later })), (BY_DATE, json!({ "bank_tran_date": TODAY }))]
    {
        let answer = test.post(path, body).await;
        let list = rows(&answer, "res_list");
        let row = list.iter().find(|row| row["distinct_key"] == "later").unwrap();
        assert_eq!(row["result"], "R0103", "{path}");
        assert_eq!(row["message"], "사용할 수 없는 빌링키입니다. - 해약 계좌(415)");
        assert_eq!((&row["bank_rsp_code"], &row["bank_tran_id"]), (&json!("415"), &json!("")));
        let single = test.post(RESULT, json!({ "api_tran_id": row["api_tran_id"] })).await;
        assert_eq!(single.text, row.to_string());
    }
}

/// Documented: completed, cancelled and failed ones are left out.
#[tokio::test(start_paused = true)]
async fn the_waiting_list_shows_what_waits_and_nothing_else() {
    let app = setup().app().await;
    let test = app.test();
    let (a, b) = (test.key(ACCOUNT).await, test.key("2222222222").await);
    test.request(&a, "a-1").await;
    test.request(&b, "b-1").await;
    let group = test.request(&b, "b-2").await;
    let waiting = || test.post(WAITING, json!({ "group_key": group }));
    let answer = waiting().await;
    assert_eq!(
        answer.names(),
        ["result", "message", "cst_id", "group_key", "res_list", "res_cnt", "last_key"]
    );
    assert_eq!(keys(&rows(&answer, "res_list")), ["a-1", "b-1", "b-2"]);
    test.execute(&group, &a, "NOW").await;
    let answer = waiting().await;
    assert_eq!(keys(&rows(&answer, "res_list")), ["b-1", "b-2"]);
    assert_eq!(answer.get("res_cnt"), "2");
    test.execute(&group, "ALL", "CANCEL").await;
    assert_eq!(waiting().await.code(), "L0121");
}

/// Asks for a list page by page, and puts the pages together.
async fn paged(
    test: &Client<'_>,
    path: &str,
    body: &Value,
    limit: usize,
) -> (Vec<Value>, Vec<Value>) {
    let (mut done, mut pending, mut last_key) = (Vec::new(), Vec::new(), String::new());
    for page in 0.. {
        assert!(page < 10_000, "the pages do not end");
        let mut body = body.clone();
        body["limit"] = limit.into();
        body["last_key"] = last_key.into();
        let answer = test.post(path, body).await;
        assert_eq!(answer.code(), "A0000", "{}", answer.text);
        let (d, p) = (
            rows(&answer, "res_list"),
            match path {
                WAITING => Vec::new(),
                _ => rows(&answer, "pending_list"),
            },
        );
        assert_eq!(answer.get("res_cnt"), d.len().to_string());
        let full = d.len() + p.len() == limit;
        done.extend(d);
        pending.extend(p);
        last_key = answer.get("last_key");
        if last_key.is_empty() {
            break;
        }
        assert!(full, "only the last page is short");
    }
    (done, pending)
}

#[tokio::test(start_paused = true)]
async fn pages_of_any_length_are_the_whole_list() {
    let app = setup().app().await;
    let test = app.test();
    let said = [None, Some(SETTLED), Some(Bank::Unknown(Why::Lost)), refused(421), Some(SETTLED)];
    let group = group_of(&test, &said).await;
    let of_group = json!({ "group_key": group });
    for (path, body) in [(BY_GROUP, of_group), (BY_DATE, json!({ "bank_tran_date": TODAY }))] {
        let whole = test.post(path, body.clone()).await;
        for limit in 1..=6 {
            let (done, pending) = paged(&test, path, &body, limit).await;
            assert_eq!(done, rows(&whole, "res_list"), "{path} by {limit}");
            assert_eq!(pending, rows(&whole, "pending_list"), "{path} by {limit}");
        }
    }
}

/// A key that no list gave is refused by its name, a page behind the end is empty.
#[tokio::test(start_paused = true)]
async fn a_last_key_has_to_be_one_of_ours() {
    let app = setup().app().await;
    let test = app.test();
    let group = group_of(&test, &[Some(SETTLED), Some(SETTLED)]).await;
    let first = test.post(BY_GROUP, json!({ "group_key": group, "limit": 1 })).await;
    let last = first.get("last_key");
    assert_eq!(rows(&first, "res_list")[0]["api_tran_id"], last.as_str());
    for wrong in ["x", group.as_str(), "1made-up-and-of-no-use"] {
        let body = json!({ "group_key": group, "limit": "1", "last_key": wrong });
        let answer = test.post(BY_GROUP, body).await;
        assert_eq!(answer.code(), "L0130", "{wrong}");
        assert!(answer.message().ends_with(" - last_key"), "{}", answer.message());
    }
    let end = json!({ "group_key": group, "last_key":
        test.post(BY_GROUP, json!({ "group_key": group })).await.json()["res_list"][1]["api_tran_id"] });
    assert_eq!(test.post(BY_GROUP, end).await.get("res_cnt"), "0");
}

/// 1,700 rows are more than three slices of a stream.
#[tokio::test(start_paused = true)]
async fn a_long_list_is_streamed_whole_and_equals_its_pages() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, 1_700).await;
    let of_group = json!({ "group_key": group });
    let waiting = test.post(WAITING, of_group.clone()).await;
    assert_eq!(waiting.get("res_cnt"), "1700");
    let (paged_waiting, _) = paged(&test, WAITING, &of_group, 499).await;
    assert_eq!(paged_waiting, rows(&waiting, "res_list"));

    test.execute_all(&group).await;
    app.settle_by_hand(|at| match at % 3 {
        0 => Some(SETTLED),
        1 => refused(421),
        _ => None,
    })
    .await;
    for (path, body) in [(BY_GROUP, of_group), (BY_DATE, json!({ "bank_tran_date": TODAY }))] {
        let whole = test.post(path, body.clone()).await;
        let (done, pending) = (rows(&whole, "res_list"), rows(&whole, "pending_list"));
        assert_eq!((done.len(), pending.len()), (1_134, 566), "{path}");
        assert_eq!((whole.get("res_cnt"), whole.get("pending_cnt")), ("1134".into(), "566".into()));
        assert_eq!(whole.get("pending_amt"), "566000");
        for limit in [500, 1_000] {
            assert_eq!(paged(&test, path, &body, limit).await, (done.clone(), pending.clone()));
        }
    }
}

/// The same rows, in the same order, from a store in a file.
#[tokio::test(start_paused = true)]
async fn a_list_in_a_file_pages_in_the_same_way() {
    let app = setup().in_a_file().app().await;
    let test = app.test();
    let said = [None, Some(SETTLED), Some(Bank::Unknown(Why::Lost)), refused(421), Some(SETTLED)];
    let group = group_of(&test, &said).await;
    let body = json!({ "group_key": group });
    let whole = test.post(BY_GROUP, body.clone()).await;
    assert_eq!(keys(&rows(&whole, "res_list")), ["many-1", "many-3", "many-4"]);
    assert_eq!(keys(&rows(&whole, "pending_list")), ["many-0", "many-2"]);
    let (done, pending) = paged(&test, BY_GROUP, &body, 2).await;
    assert_eq!((done, pending), (rows(&whole, "res_list"), rows(&whole, "pending_list")));
}
