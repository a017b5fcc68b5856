//! Groups: what joins one, what closes it, and what is left in it (decisions H7, H10).

use crate::app::{ACCOUNT, Client, FUNDS, SETTLED, TestApp, setup};
use ichae_domain::payout::State;
use serde_json::{Value, json};

/// A group with two requests on a first key (`a-1`, `a-2`) and one on a second (`b-1`).
struct Scene {
    group: String,
    a: String,
    b: String,
}

async fn scene(test: &Client<'_>) -> Scene {
    let (a, b) = (test.key(ACCOUNT).await, test.key("2222222222").await);
    test.request(&a, "a-1").await;
    test.request(&b, "b-1").await;
    let group = test.request(&a, "a-2").await;
    Scene { group, a, b }
}

fn states(app: &TestApp) -> [State; 3] {
    ["a-1", "a-2", "b-1"].map(|key| app.state(key))
}

/// Decision H7: what closes the open group, and what does not.
#[tokio::test(start_paused = true)]
async fn a_group_is_open_until_an_all_or_a_now_is_accepted() {
    // Target, how, the code, whether the next request joins the same group.
    let table = [
        ("none", "", "", true),
        ("ALL", "NOW", "A0000", false),
        ("ALL", "CANCEL", "A0000", false),
        ("a", "NOW", "A0000", false),
        ("a", "CANCEL", "A0000", true),
        ("foreign", "NOW", "E0102", true),
        ("ALL", "LATER", "E0110", true),
    ];
    for (target, how, code, same) in table {
        let app = setup().app().await;
        let test = app.test();
        let scene = scene(&test).await;
        let target = match target {
            "a" => scene.a.as_str(),
            other => other,
        };
        if target != "none" {
            let answer = test.execute(&scene.group, target, how).await;
            assert_eq!(answer.code(), code, "{target} {how}");
        }
        let next = test.request(&scene.a, "next").await;
        assert_eq!(next == scene.group, same, "{target} {how}");
    }
}

/// A refusal for want of waiting rows leaves the open group as it is.
#[tokio::test(start_paused = true)]
async fn a_refused_execution_closes_nothing() {
    let app = setup().app().await;
    let test = app.test();
    let scene = scene(&test).await;
    assert_eq!(test.execute(&scene.group, &scene.a, "CANCEL").await.code(), "A0000");
    assert_eq!(test.execute(&scene.group, &scene.a, "NOW").await.code(), "E0130");
    assert_eq!(test.request(&scene.b, "next").await, scene.group);
}

/// Every partner has an open group of its own.
#[tokio::test(start_paused = true)]
async fn partners_never_share_a_group() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let (ours, theirs) = (test.key(ACCOUNT).await, other.key(ACCOUNT).await);
    assert_ne!(test.request(&ours, "d").await, other.request(&theirs, "d").await);
}

#[tokio::test(start_paused = true)]
async fn a_key_takes_its_own_requests_and_no_others() {
    let app = setup().app().await;
    let test = app.test();
    let scene = scene(&test).await;
    let answer = test.execute(&scene.group, &scene.a, "NOW").await;
    assert_eq!(answer.get("tot_tran_amt"), "2000");
    assert_eq!(answer.get("billing_tran_id"), scene.a);
    assert_eq!(states(&app), [State::Executing, State::Executing, State::Requested]);
}

/// Requests left in a closed group can still be executed and cancelled.
#[tokio::test(start_paused = true)]
async fn what_waits_in_a_closed_group_is_still_there() {
    for (target, how, then) in [
        ("ALL", "NOW", State::Executing),
        ("ALL", "CANCEL", State::Canceled),
        ("b", "NOW", State::Executing),
        ("b", "CANCEL", State::Canceled),
    ] {
        let app = setup().app().await;
        let test = app.test();
        let scene = scene(&test).await;
        test.execute(&scene.group, &scene.a, "NOW").await;
        assert_ne!(test.request(&scene.a, "later").await, scene.group);
        let target = if target == "b" { scene.b.as_str() } else { target };
        let answer = test.execute(&scene.group, target, how).await;
        assert_eq!(answer.get("tot_tran_amt"), "1000", "{target} {how}: only what waited");
        assert_eq!(states(&app), [State::Executing, State::Executing, then]);
        assert_eq!(app.state("later"), State::Requested, "another group's row is left alone");
    }
}

#[tokio::test(start_paused = true)]
async fn one_key_is_cancelled_and_its_money_is_free() {
    let app = setup().app().await;
    let test = app.test();
    let scene = scene(&test).await;
    let answer = test.execute(&scene.group, &scene.a, "CANCEL").await;
    assert_eq!(answer.get("tot_tran_amt"), "2000");
    assert_eq!(states(&app), [State::Canceled, State::Canceled, State::Requested]);
    assert_eq!(test.remain().await, (FUNDS, 1_000, FUNDS - 1_000));
    // The whole group then is what is left of it.
    assert_eq!(test.execute(&scene.group, "ALL", "NOW").await.get("tot_tran_amt"), "1000");
    assert_eq!(states(&app), [State::Canceled, State::Canceled, State::Executing]);
}

/// Decision H10: E0130 counts what the call named, by state.
#[tokio::test(start_paused = true)]
async fn where_nothing_waits_the_states_are_counted() {
    let app = setup().app().await;
    let test = app.test();
    let scene = scene(&test).await;
    test.execute(&scene.group, &scene.b, "CANCEL").await;
    test.execute(&scene.group, "ALL", "NOW").await;
    app.settle_by_hand(|at| (at == 0).then_some(SETTLED)).await;
    let count = |state: &str, count: &str, sum: &str| -> Value {
        json!({ "state": state, "count": count, "sum": sum })
    };
    let (settled, sending) = (count("settled", "1", "1000"), count("sending", "1", "1000"));
    let canceled = count("canceled", "1", "1000");
    for (target, expected) in [
        ("ALL", vec![sending.clone(), settled.clone(), canceled.clone()]),
        (scene.a.as_str(), vec![sending, settled]),
        (scene.b.as_str(), vec![canceled]),
    ] {
        let answer = test.execute(&scene.group, target, "NOW").await;
        assert_eq!(answer.code(), "E0130");
        assert_eq!(answer.names(), ["result", "message", "states"]);
        let mut states = answer.json()["states"].as_array().unwrap().clone();
        let by_state = |v: &Value| v["state"].as_str().unwrap().to_owned();
        let mut expected = expected;
        states.sort_by_key(by_state);
        expected.sort_by_key(by_state);
        assert_eq!(states, expected, "{target}");
    }
}

const NOTHING: &str = "실행 또는 취소할 대기 건이 없습니다.";
const EXECUTED: &str = "실행 또는 취소할 대기 건이 없습니다. - 이미 실행되었습니다.";

/// Decision H10: that it was executed before is said in plain words.
#[tokio::test(start_paused = true)]
async fn who_executes_twice_is_told_so() {
    let app = setup().app().await;
    let test = app.test();
    let scene = scene(&test).await;
    test.execute(&scene.group, "ALL", "NOW").await;
    for target in ["ALL", scene.a.as_str()] {
        let answer = test.execute(&scene.group, target, "NOW").await;
        assert_eq!((answer.code(), answer.message()), ("E0130".into(), EXECUTED.into()));
    }
}

#[tokio::test(start_paused = true)]
async fn who_executes_what_was_cancelled_is_not_told_that_it_was_executed() {
    let app = setup().app().await;
    let test = app.test();
    let scene = scene(&test).await;
    test.execute(&scene.group, "ALL", "CANCEL").await;
    for how in ["NOW", "CANCEL"] {
        let answer = test.execute(&scene.group, "ALL", how).await;
        assert_eq!((answer.code(), answer.message()), ("E0130".into(), NOTHING.into()), "{how}");
    }
}

/// A key that has no request in the group is E0102, whoever's it is and whatever it is.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_in_the_group_is_not_found() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let scene = scene(&test).await;
    let unused = test.key("3333333333").await;
    let theirs = other.key(ACCOUNT).await;
    let before = app.dump();
    for key in [unused.as_str(), theirs.as_str(), "1made-up", "all", scene.group.as_str()] {
        for how in ["NOW", "CANCEL"] {
            let answer = test.execute(&scene.group, key, how).await;
            assert_eq!(answer.code(), "E0102", "{key} {how}");
        }
    }
    assert_eq!(app.dump(), before);
}
