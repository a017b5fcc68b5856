//! What lies beneath the API: bodies, statuses, limits, sources (decisions H1, H2).

use crate::answer::Answer;
use crate::app::{ACCOUNT, HOOK, PATHS, TestApp, call, setup};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request as HttpRequest, StatusCode};
use ichae_server::api::Peer;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

const REMAIN: &str = "/account/remain";

/// A fault below the API: its status, T0400 and a text, and nothing else.
#[track_caller]
fn fault(answer: &Answer, status: u16, case: &str) {
    assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text);
    assert_eq!(answer.names(), ["result", "message"], "{case}");
    assert_eq!(answer.code(), "T0400", "{case}");
    assert!(answer.message().chars().any(|c| ('가'..='힣').contains(&c)), "{case}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{case}");
    assert!(answer.header("x-request-id").is_some(), "{case}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_object_is_400_everywhere() {
    let app = setup().app().await;
    let token = app.test().token().await;
    let bodies: &[(&str, &[u8])] = &[
        ("nothing", b""),
        ("a form", b"cst_id=test&custKey=abcd1234567890"),
        ("half", br#"{"cst_id":"test""#),
        ("two", br#"{}{}"#),
        ("a comma too many", br#"{"cst_id":"test",}"#),
        ("a list", br#"[]"#),
        ("a text", br#""test""#),
        ("a number", b"17"),
        ("null", b"null"),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("not UTF-8", b"{\"cst_id\":\"\xff\"}"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
        ("half a surrogate pair", br#"{"cst_id":"\ud800"}"#),
        ("a key twice", br#"{"cst_id":"test","cst_id":"test"}"#),
        ("a key twice, escaped", br#"{"cst_id":"test","cst\u005fid":"x"}"#),
        ("a key twice inside", br#"{"x":{"a":1,"a":1}}"#),
        ("a line break in a text", b"{\"cst_id\":\"\n\"}"),
    ];
    for (path, _) in PATHS {
        for (case, body) in bodies {
            let answer = app.raw(path, Some(&token), Bytes::from_static(body)).await;
            fault(&answer, 400, &format!("{path} {case}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn thirty_two_levels_are_read_and_thirty_three_are_not() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    // The body itself is the first level.
    for (levels, status) in [(31, 200), (32, 400), (1_000, 400)] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let mut body = test.body(json!({})).to_string();
            body.pop();
            let inner = if open == "[" { "" } else { "1" };
            let deep = format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
            let answer = app.raw(REMAIN, Some(&token), format!("{body},\"deep\":{deep}}}")).await;
            assert_eq!(answer.status.as_u16(), status, "{levels} {open}");
            let code = if status == 200 { "A0000" } else { "T0400" };
            assert_eq!(answer.code(), code);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_has_64_kib_and_not_one_byte_more() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    let body = test.body(json!({})).to_string();
    for (length, status) in [(65_536, 200), (65_537, 413), (1_000_000, 413)] {
        let padded = format!("{body}{}", " ".repeat(length - body.len()));
        let answer = app.raw(REMAIN, Some(&token), padded.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{length}");
        if status == 413 {
            fault(&answer, 413, "too long");
        }
        // The same in pieces, without a length in the head.
        let pieces: Vec<_> = padded.as_bytes().chunks(1_000).map(<[u8]>::to_vec).collect();
        let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
        let stream = Body::from_stream(futures_util::stream::iter(pieces));
        assert_eq!(app.raw(REMAIN, Some(&token), stream).await.status.as_u16(), status);
    }
}

/// Virtual time: the rest of the body never comes.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_408() {
    let app = setup().app().await;
    let token = app.test().token().await;
    let began = app.hub.now();
    let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    let answer = app.raw(REMAIN, Some(&token), Body::from_stream(never)).await;
    fault(&answer, 408, "slow");
    assert_eq!(app.hub.now(), began.plus_ms(10_000));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_400() {
    let app = setup().app().await;
    let token = app.test().token().await;
    let broken = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures_util::stream::iter(broken));
    fault(&app.raw(REMAIN, Some(&token), body).await, 400, "broken off");
}

#[tokio::test(start_paused = true)]
async fn other_paths_are_404_and_other_methods_405() {
    let app = setup().app().await;
    for path in ["/", "/oauth", "/oauth/token/", "/OAUTH/TOKEN", "/transfer/cancel", "/docs", "/x"]
    {
        for method in [Method::POST, Method::GET] {
            fault(&with_method(&app, method, path).await, 404, path);
        }
    }
    for (path, _) in PATHS {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            fault(&with_method(&app, method, path).await, 405, path);
        }
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        fault(&with_method(&app, Method::POST, path).await, 405, path);
    }
}

async fn with_method(app: &TestApp, method: Method, path: &str) -> Answer {
    let request = HttpRequest::builder().method(method).uri(path).body(Body::empty()).unwrap();
    app.send(request).await
}

#[tokio::test(start_paused = true)]
async fn a_draining_hub_takes_nothing_and_says_when_to_come_back() {
    let app = setup().app().await;
    let test = app.test();
    let (token, before) = (test.token().await, app.dump());
    app.draining.send(true).unwrap();
    for (path, _) in PATHS {
        for body in [test.body(json!({})).to_string(), "no json".to_owned()] {
            let answer = app.raw(path, Some(&token), body).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!((answer.code(), answer.header("retry-after")), ("T0503".into(), Some("1")));
            assert!(answer.header("x-request-id").is_some());
        }
    }
    let ready = with_method(&app, Method::GET, "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(with_method(&app, Method::GET, "/livez").await.status, StatusCode::OK);
    assert_eq!(app.dump(), before);
}

#[tokio::test(start_paused = true)]
async fn operators_ask_without_a_token() {
    let app = setup().app().await;
    app.test().token().await;
    for (path, expected) in [("/livez", "ok\n"), ("/readyz", "ready\n")] {
        let answer = with_method(&app, Method::GET, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, expected));
        assert!(answer.header("x-request-id").is_some());
    }
    let metrics = with_method(&app, Method::GET, "/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.text.contains(r#"ichae_requests_total{route="/oauth/token",code="T0000"} 1"#));
    assert!(metrics.text.trim_end().ends_with("# EOF"));
}

/// A partner's limit is its own, is counted after it is known, and promises that nothing happened.
#[tokio::test(start_paused = true)]
async fn too_many_calls_are_429_for_the_partner_that_makes_them() {
    let app = setup().settings(|settings| settings.requests_per_second = 5).app().await;
    let test = app.test();
    let other = app.partner("other").await;
    let body = test.body(json!({ "code": "as12345678" })).to_string();
    let wrong = r#"{"cst_id":"test","custKey":"wrong","code":"as12345678"}"#;
    for _ in 0..50 {
        assert_eq!(app.raw("/oauth/token", None, wrong).await.code(), "T0300");
    }
    let mut codes = Vec::new();
    for _ in 0..50 {
        let answer = app.raw("/oauth/token", None, body.clone()).await;
        if answer.code() == "T0429" {
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert!(answer.header("x-request-id").is_some());
        } else {
            assert_eq!(answer.status, StatusCode::OK);
        }
        codes.push(answer.code());
    }
    assert!(codes[..5].iter().all(|code| code == "T0000"), "{codes:?}");
    assert!(codes.contains(&"T0429".to_owned()), "{codes:?}");
    other.token().await;
}

#[tokio::test(start_paused = true)]
async fn every_answer_has_an_id_of_its_own() {
    let app = setup().app().await;
    let test = app.test();
    let mut ids = HashSet::new();
    for _ in 0..10 {
        let answer = test.post(REMAIN, json!({})).await;
        ids.insert(answer.header("x-request-id").unwrap().to_owned());
    }
    assert_eq!(ids.len(), 10);
    // A caller's own is not taken over.
    let mut request = call(REMAIN, None, "{}");
    request.headers_mut().insert("x-request-id", "mine".parse().unwrap());
    assert_ne!(app.send(request).await.header("x-request-id"), Some("mine"));
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_and_headers_and_any_content_type_will_do() {
    let app = setup().app().await;
    let test = app.test();
    let token = test.token().await;
    let body = test.body(json!({ "sub_id": 7, "x": null, "y": [{}], "한글": true })).to_string();
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("?")] {
        let mut request = call(REMAIN, Some(&token), body.clone());
        let headers = request.headers_mut();
        headers.remove("content-type");
        if let Some(kind) = kind {
            headers.insert("content-type", kind.parse().unwrap());
        }
        headers.insert("charset", "UTF-8".parse().unwrap());
        headers.insert("referer", "https://partner.example/".parse().unwrap());
        assert_eq!(app.send(request).await.code(), "A0000", "{kind:?}");
    }
}

/// Every field that the documents type N.
#[tokio::test(start_paused = true)]
async fn integers_pass_where_the_documents_type_a_number() {
    let app = setup().app().await;
    let test = app.test();
    let body = json!({ "bank_code_std": "020", "account_num": ACCOUNT,
        "account_holder_info_type": 0, "account_holder_info": "880212" });
    let key = test.post("/inquiry/real_name", body).await.get("billing_tran_id");
    let body = json!({ "billing_tran_id": key, "tran_amt": 1000 });
    let group = test.post("/transfer/request", body).await.get("group_key");
    let body = json!({ "group_key": group, "limit": 1 });
    assert_eq!(test.post("/request/result/group_key", body).await.get("res_cnt"), "1");
    let body = json!({ "bank_tran_date": 20_261_122 });
    assert_eq!(test.post("/transfer/result/date", body).await.code(), "L0120");
}

/// Every value of every answer is text, however it was sent (wire, "Transport").
#[tokio::test(start_paused = true)]
async fn every_value_of_an_answer_is_text() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let body = json!({ "billing_tran_id": key, "tran_amt": 1000, "distinct_key": "d" });
    let first = test.post("/transfer/request", body.clone()).await;
    let group = first.get("group_key");
    let execute = json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW",
        "webhook_url": HOOK });
    let answers = [
        first,
        test.post("/transfer/request", body).await,
        test.post(REMAIN, json!({})).await,
        test.post("/request/result/group_key", json!({ "group_key": group })).await,
        test.post("/transfer/execute", execute.clone()).await,
        test.post("/transfer/execute", execute).await,
        test.post("/transfer/result/group_key", json!({ "group_key": group })).await,
    ];
    for answer in answers {
        only_text(&answer.json(), &answer.text);
    }
}

fn only_text(value: &Value, whole: &str) {
    match value {
        Value::String(_) => {}
        Value::Array(items) => items.iter().for_each(|item| only_text(item, whole)),
        Value::Object(fields) => fields.values().for_each(|field| only_text(field, whole)),
        other => panic!("{other} in {whole}"),
    }
}

/// The partner's list of sources, and whose word about an address counts (decision H2).
#[tokio::test(start_paused = true)]
async fn a_forwarded_address_counts_from_trusted_proxies_only() {
    let proxies = |settings: &mut ichae_server::api::Settings| {
        settings.trusted_proxies = ["10.0.0.0/8", "fd00::/8"].map(|n| n.parse().unwrap()).to_vec();
    };
    let app = setup().settings(proxies).app().await;
    let sources = ["203.0.113.0/24", "2001:db8::7", "198.51.100.9"].map(str::to_owned).to_vec();
    app.set("test", |set| set.sources = Some(sources)).await;
    let good = "203.0.113.5";
    let table: &[(&str, &[&str], &str)] = &[
        // The connection's own address.
        (good, &[], "T0000"),
        ("203.0.114.5", &[], "T0310"),
        ("2001:db8::7", &[], "T0000"),
        ("2001:db8::8", &[], "T0310"),
        ("::ffff:203.0.113.5", &[], "T0000"),
        // Somebody's word, from a peer that is not trusted.
        ("198.51.100.8", &[good], "T0310"),
        (good, &["198.51.100.8"], "T0000"),
        // A trusted proxy's word.
        ("10.1.2.3", &[good], "T0000"),
        ("::ffff:10.1.2.3", &[good], "T0000"),
        ("fd00::1", &["2001:db8::7"], "T0000"),
        ("10.1.2.3", &["192.0.2.1"], "T0310"),
        ("10.1.2.3", &[], "T0310"),
        ("10.1.2.3", &["nonsense"], "T0310"),
        // Chains count from the right, up to the first that is not trusted.
        ("10.1.2.3", &["192.0.2.1, 203.0.113.5, 10.9.9.9"], "T0000"),
        ("10.1.2.3", &["203.0.113.5, 192.0.2.1"], "T0310"),
        ("10.1.2.3", &["192.0.2.1", "203.0.113.5"], "T0000"),
        ("10.1.2.3", &["203.0.113.5", "192.0.2.1"], "T0310"),
        ("10.1.2.3", &["203.0.113.5, nonsense, 10.9.9.9"], "T0310"),
    ];
    for (peer, forwarded, code) in table {
        let body = app.test().body(json!({ "code": "as12345678" })).to_string();
        let mut request = call("/oauth/token", None, body);
        request.extensions_mut().insert(Peer(peer.parse::<IpAddr>().unwrap()));
        for value in *forwarded {
            request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
        }
        assert_eq!(app.send(request).await.code(), *code, "{peer} {forwarded:?}");
    }
    // An empty list lets all in again.
    app.set("test", |set| set.sources = Some(Vec::new())).await;
    app.test().token().await;
}

/// A reader that goes away ends its list and nothing else.
#[tokio::test(start_paused = true)]
async fn a_list_that_nobody_reads_ends() {
    let app = setup().app().await;
    let test = app.test();
    let key = test.key(ACCOUNT).await;
    let group = test.request_many(&key, 1_700).await;
    let body = test.body(json!({ "group_key": group })).to_string();
    let token = test.token().await;
    let unread = app.unread(call("/request/result/group_key", Some(&token), body)).await;
    drop(unread);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(test.post(REMAIN, json!({})).await.code(), "A0000");
}
