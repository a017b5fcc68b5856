//! Bulk intake: `POST /v1/payouts`, ours. Each row by the rules of the single call.

use crate::app::{ACCOUNT, Client, FUNDS, HOOK, call, setup};
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode};
use futures_util::stream;
use ichae_wire::bulk::{BYTES_MAX, CST_ID, CUST_KEY, PATH, ROWS_MAX};
use serde_json::{Value, json};
use std::convert::Infallible;

fn row(distinct_key: &str, key: &str, amount: &str) -> String {
    json!({ "distinct_key": distinct_key, "billing_tran_id": key, "tran_amt": amount }).to_string()
}

/// A call with a fresh token and the credentials in its head.
async fn bulk(client: &Client<'_>, body: impl Into<Body>) -> Request<Body> {
    let mut request = call(PATH, Some(&client.token().await), body);
    for (name, value) in [(CST_ID, &client.cst_id), (CUST_KEY, &client.cust_key)] {
        let name = HeaderName::from_static(name);
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    request
}

async fn told(client: &Client<'_>, body: impl Into<Body>) -> Vec<Value> {
    let answer = client.app.send(bulk(client, body).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn codes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["result"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_row_is_answered_in_order_as_a_single_call_would_be() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    test.ask(&key, "single").await;
    let rows = [
        row("a", &key, "1000"),
        row("single", &key, "1000"),
        String::new(),
        row("b", "no-such-key", "1000"),
        row("c", &key, "2000"),
        row("a", &key, "1000"),
        "not json".to_owned(),
        json!({ "billing_tran_id": key, "tran_amt": "1000" }).to_string(),
        row("d", &key, "01"),
        json!({ "distinct_key": "e", "billing_tran_id": key, "tran_amt": 1000, "sub_id": "s_1",
            "print_content": "정 산" })
        .to_string(),
    ];
    let lines = told(&test, rows.join("\n")).await;
    let want = ["A0000", "R0132", "R0102", "R0112", "R0132", "T0400", "R0131", "R0110", "A0000"];
    assert_eq!(codes(&lines), want);
    let numbers: Vec<u64> = lines.iter().map(|line| line["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>(), "blank lines are not counted");
    assert_eq!(lines[8]["sub_id"], "s_1");
    assert_eq!(lines[8]["print_content"], "정산");
    assert_eq!(lines[8]["remain_amt"], (FUNDS - 3_000).to_string());
    assert_eq!(lines[0]["billing_tran_id"], key.as_str());
    assert_eq!(lines[4]["group_key"], lines[0]["group_key"], "a repeat carries its first");
    assert_eq!(lines[4]["state"], "requested");
    assert_eq!(lines[7]["distinct_key"], "d");
    assert_eq!(test.remain().await, (FUNDS, 3_000, FUNDS - 3_000));
}

/// All rows are in a group of their own; executing it takes them and nothing else.
#[tokio::test(start_paused = true)]
async fn a_calls_rows_are_executed_together_and_apart_from_single_ones() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let single = test
        .post(
            "/transfer/request",
            json!({ "distinct_key": "s",
        "billing_tran_id": key, "tran_amt": "1" }),
        )
        .await;
    // More than one slice.
    let rows: Vec<String> = (0..1_500).map(|at| row(&format!("d{at}"), &key, "2")).collect();
    let lines = told(&test, rows.join("\n") + "\n").await;
    assert!(codes(&lines).iter().all(|code| *code == "A0000") && lines.len() == 1_500);
    let group = lines[0]["group_key"].as_str().unwrap();
    assert!(lines.iter().all(|line| line["group_key"] == group));
    assert_ne!(group, single.get("group_key"));
    let order = json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW",
        "webhook_url": HOOK });
    let executed = test.post("/transfer/execute", order).await;
    assert_eq!(executed.get("tot_tran_amt"), "3000");
    let next = test
        .post(
            "/transfer/request",
            json!({ "distinct_key": "s2",
        "billing_tran_id": key, "tran_amt": "1" }),
        )
        .await;
    assert_eq!(next.get("group_key"), single.get("group_key"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_sent_again_takes_nothing_twice() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let rows: Vec<String> = (0..20).map(|at| row(&format!("d{at}"), &key, "1000")).collect();
    told(&test, rows[..7].join("\n")).await;
    let again = told(&test, rows.join("\n")).await;
    let want: Vec<&str> = [vec!["R0132"; 7], vec!["A0000"; 13]].concat();
    assert_eq!(codes(&again), want);
    let before = app.dump();
    assert_eq!(codes(&told(&test, rows.join("\n")).await), vec!["R0132"; 20]);
    assert_eq!(app.dump(), before);
}

/// In the order of decision H6a, as one JSON object, and nothing is read.
#[tokio::test(start_paused = true)]
async fn who_calls_is_checked_before_a_row_is_read() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let key = test.key(ACCOUNT).await;
    let before = app.dump();
    type Change = fn(&mut Request<Body>, &str);
    let table: [(&str, Change); 7] = [
        ("T0330", |r, _| drop(r.headers_mut().remove("authorization"))),
        ("T0200", |r, _| drop(r.headers_mut().remove(CST_ID))),
        ("T0200", |r, _| {
            r.headers_mut().insert(CST_ID, HeaderValue::from_static("far-too-long-id"));
        }),
        ("T0201", |r, _| drop(r.headers_mut().remove(CUST_KEY))),
        ("T0300", |r, _| {
            r.headers_mut().insert(CUST_KEY, HeaderValue::from_static("wrong"));
        }),
        ("T0320", |r, token| {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            r.headers_mut().insert("authorization", value);
        }),
        ("T0330", |r, _| {
            r.headers_mut().insert("authorization", HeaderValue::from_static("Bearer x"));
        }),
    ];
    let others = other.token().await;
    for (code, change) in table {
        let mut request = bulk(&test, row("a", &key, "1000")).await;
        change(&mut request, &others);
        let answer = app.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::OK, code));
    }
    assert_eq!(app.dump(), before);
}

/// Figure 18: another partner's key, or a repeat of another's `distinct_key`, says nothing of the
/// other.
#[tokio::test(start_paused = true)]
async fn anothers_rows_are_unknown() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let (key, others) = (test.key(ACCOUNT).await, other.key(ACCOUNT).await);
    let first = told(&other, row("same", &others, "1000")).await;
    let rows =
        [row("a", &others, "1000"), row("b", "no-such-key", "1000"), row("same", &key, "1000")];
    let lines = told(&test, rows.join("\n")).await;
    assert_eq!(codes(&lines), ["R0102", "R0102", "A0000"]);
    assert_eq!(lines[0]["message"], lines[1]["message"]);
    assert_ne!(lines[2]["group_key"], first[0]["group_key"]);
}

#[tokio::test(start_paused = true)]
async fn too_many_rows_and_too_many_bytes_end_the_call() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let mut body = "x\n".repeat(ROWS_MAX - 1);
    body += &row("last", &key, "1000");
    body += "\nx\nx\n";
    let lines = told(&test, body).await;
    assert_eq!(lines.len(), ROWS_MAX + 1);
    let ends = &lines[ROWS_MAX - 1..];
    assert_eq!(codes(ends), ["A0000", "T0400"]);
    assert_eq!(ends[1]["row"], ROWS_MAX + 1);

    let mut announced = bulk(&test, Body::empty()).await;
    let length = HeaderValue::from(BYTES_MAX + 1);
    announced.headers_mut().insert("content-length", length);
    let answer = app.send(announced).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);

    // Not announced: cut where it is over, with what came before taken.
    let first = Bytes::from(row("first", &key, "1000") + "\n");
    let pieces = std::iter::once(first)
        .chain(std::iter::repeat_n(Bytes::from(vec![b' '; 1 << 20]), BYTES_MAX >> 20));
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
    assert_eq!(codes(&told(&test, body).await), ["A0000", "T0400"]);
}

/// The time limit is on progress; what arrived whole is taken, the rest was never sent.
#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_cut_and_what_came_is_taken() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let came = Bytes::from(row("a", &key, "1000") + "\n{\"distinct_key\":\"half");
    let pieces = stream::unfold(Some(came), |came| async move {
        match came {
            Some(came) => Some((Ok::<_, Infallible>(came), None)),
            None => std::future::pending().await,
        }
    });
    let lines = told(&test, Body::from_stream(pieces)).await;
    assert_eq!(codes(&lines), ["A0000", "T0400"]);
    assert_eq!(test.remain().await.1, 1_000);
}

/// Rows are taken whether or not anybody reads their answers, or is still there.
#[tokio::test(start_paused = true)]
async fn rows_are_taken_though_nobody_reads_their_answers() {
    let app = setup().any_amount().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let rows: Vec<String> = (0..3_000).map(|at| row(&format!("d{at}"), &key, "1")).collect();
    let unread = app.unread(bulk(&test, rows.join("\n")).await).await;
    let gone = rows.iter().map(|row| row.replace(":\"d", ":\"e")).collect::<Vec<_>>().join("\n");
    drop(app.unread(bulk(&test, gone).await).await);
    let mut looks = 0;
    while test.remain().await.1 < 6_000 {
        tokio::task::yield_now().await;
        looks += 1;
        assert!(looks < 100_000, "{:?}", test.remain().await);
    }
    drop(unread);
}

/// A call may take long, so few may be under way: one more is told so, and nothing of it is read.
#[tokio::test(start_paused = true)]
async fn one_call_too_many_is_busy() {
    let app = setup().app().await;
    let test = app.test();
    let waiting = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let mut open = Vec::new();
    for _ in 0..ichae_server::api::bulk::CALLS_MAX {
        open.push(app.unread(bulk(&test, waiting()).await).await);
    }
    let answer = app.send(bulk(&test, waiting()).await).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "T0503"));
    assert!(answer.headers.contains_key("retry-after"));
}

/// The embedded store, with its thread: what is answered is there after it is opened again.
#[tokio::test]
async fn what_a_call_was_answered_is_in_the_file() {
    let app = setup().any_amount().in_a_file().with_its_thread().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let rows: Vec<String> = (0..2_000).map(|at| row(&format!("d{at}"), &key, "3")).collect();
    let lines = told(&test, rows.join("\n")).await;
    assert!(codes(&lines).iter().all(|code| *code == "A0000"));
    let app = app.reopen();
    let again = told(&app.test(), rows.join("\n")).await;
    assert_eq!(codes(&again), vec!["R0132"; 2_000]);
    let group = |lines: &[Value]| lines[1_999]["group_key"].clone();
    assert_eq!(group(&again), group(&lines));
}
