//! Nobody learns that something exists which belongs to another partner (decisions I1, "Hub
//! codes"): foreign, nonexistent and forged identifiers get one answer, to the letter.

use crate::app::{ACCOUNT, Client, HOOK, SETTLED, setup};
use crate::cpay::{CARD, CARD_KEY, Shop, code};
use ichae_domain::ident::PartnerNo;
use ichae_wire::ident::Kind;
use serde_json::{Value, json};

/// Everything that a partner can own.
struct Things {
    key: String,
    group: String,
    transfer: String,
}

async fn things(client: &Client<'_>) -> Things {
    let paid = client.pay(ACCOUNT, "d-1").await;
    client.app.settle_by_hand(|_| Some(SETTLED)).await;
    let transfer = client.transfer(&paid).await;
    Things { key: paid.key, group: paid.group, transfer }
}

/// An endpoint, the field that holds the identifier, its kind, and the rest of the body.
fn places(ours: &Things) -> Vec<(&'static str, &'static str, Kind, Value, &'static str)> {
    let execute = |rest: Value| {
        let mut body = json!({ "execute_type": "NOW", "webhook_url": HOOK });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    let group = json!({ "group_key": ours.group });
    vec![
        (
            "/transfer/request",
            "billing_tran_id",
            Kind::BillingKey,
            json!({ "tran_amt": "1000", "distinct_key": "d-9" }),
            "R0102",
        ),
        (
            "/transfer/execute",
            "group_key",
            Kind::Group,
            execute(json!({ "billing_tran_id": "ALL" })),
            "E0101",
        ),
        ("/transfer/execute", "billing_tran_id", Kind::BillingKey, execute(group.clone()), "E0102"),
        ("/request/result/group_key", "group_key", Kind::Group, json!({}), "L0102"),
        ("/transfer/result", "api_tran_id", Kind::Transfer, json!({}), "L0101"),
        ("/transfer/result/group_key", "group_key", Kind::Group, json!({}), "L0102"),
        ("/transfer/result/group_key", "last_key", Kind::Transfer, group.clone(), "L0130"),
        (
            "/transfer/result/date",
            "last_key",
            Kind::Transfer,
            json!({ "bank_tran_date": "20261122" }),
            "L0130",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn foreign_nonexistent_and_forged_identifiers_get_one_answer() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let (ours, theirs) = (things(&test).await, things(&other).await);
    let id = |kind, partner: PartnerNo, no| app.hub.id(kind, partner, no);
    let before = app.dump();
    for (path, field, kind, rest, code) in places(&ours) {
        let foreign = match kind {
            Kind::BillingKey => &theirs.key,
            Kind::Group => &theirs.group,
            _ => &theirs.transfer,
        };
        // A last_key names a place, not a row: a number that was never handed out is one as well.
        let nonexistent = if field == "last_key" {
            vec![]
        } else {
            vec![id(kind, test.no(), 1 << 40), id(kind, test.no(), 0)]
        };
        let of_nobody = id(kind, PartnerNo(99), 1);
        let mut forged = foreign.clone();
        let last = if forged.ends_with('0') { '1' } else { '0' };
        forged.pop();
        forged.push(last);
        let own_of_another_kind =
            if kind == Kind::BillingKey { ours.transfer.clone() } else { ours.key.clone() };
        let upper = foreign.to_uppercase();
        let mut named = vec![foreign.clone(), of_nobody, forged, own_of_another_kind, upper];
        named.extend(nonexistent);
        named.extend(["x", "16j4vkf4-8tue-aaaa-bbbb-cccccccccc", "' OR 1=1 --"].map(str::to_owned));
        let mut answers = Vec::new();
        for name in &named {
            let mut body = rest.clone();
            body[field] = name.as_str().into();
            let answer = test.post(path, body).await;
            assert_eq!(answer.code(), code, "{path} {field} {name}");
            answers.push((answer.status, answer.text));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path} {field}: {answers:?}");
    }
    assert_eq!(app.dump(), before);
}

/// Two partners with the same account, sub_id and distinct_key share no text at all.
#[tokio::test(start_paused = true)]
async fn partners_that_do_the_same_share_no_identifier() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    let (ours, theirs) = (things(&test).await, things(&other).await);
    assert_ne!(ours.key, theirs.key);
    assert_ne!(ours.group, theirs.group);
    assert_ne!(ours.transfer, theirs.transfer);
}

/// A day's list holds the caller's rows only.
#[tokio::test(start_paused = true)]
async fn a_day_shows_nothing_of_others() {
    let app = setup().app().await;
    let (test, other) = (app.test(), app.partner("other").await);
    things(&other).await;
    let day = json!({ "bank_tran_date": "20261122" });
    assert_eq!(test.post("/transfer/result/date", day.clone()).await.code(), "L0120");
    assert_eq!(other.post("/transfer/result/date", day).await.get("res_cnt"), "1");
}

/// Decision C4 and figure 18: a key that is another's, that never was, that is forged or gone gets one
/// answer, and what can be guessed is looked for in one way.
#[tokio::test(start_paused = true)]
async fn keys_of_others_and_none_at_all_get_one_answer() {
    let app = setup().app().await;
    let ours = Shop::open(app.test()).await;
    let theirs = Shop::open(app.partner("other").await).await;
    theirs.documented_keys().await;
    let (own, foreign) = (ours.card(CARD).await, theirs.card(CARD).await);
    let gone = ours.card(CARD).await;
    assert_eq!(code(&ours.delete(&gone).await), "PUSER0000");
    theirs.pay(&foreign, "o-1", 1_000).await;
    let id = |partner: PartnerNo, no| app.hub.id(Kind::Payer, partner, no);
    let no = ours.client.no();
    let mut forged = foreign.clone().into_bytes();
    forged.swap(4, 5);
    let forged = String::from_utf8(forged).unwrap();
    let names = [foreign.clone(), CARD_KEY.into(), id(no, 1 << 40), id(PartnerNo(99), 1), gone];
    let names = names.into_iter().chain([forged, "x".into(), foreign.to_lowercase()]);
    let before = app.dump();
    let mut answers = Vec::new();
    for name in names {
        for answer in [ours.info(&name).await, ours.delete(&name).await] {
            assert_eq!(code(&answer), "PUIF0001", "{name}");
            // Its own word comes back, and nothing else differs.
            answers.push((answer.status, answer.text.replace(&name, "")));
        }
        assert_eq!(code(&ours.pay(&name, "o-1", 1_000).await), "SPCD0012", "{name}");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // Nor do order numbers of another partner exist.
    assert_eq!(code(&ours.check("o-1", "card").await), "CBIL0003");
    assert_eq!(code(&ours.refund("o-1", None).await), "PAYC0004");
    assert_eq!(app.dump(), before);
    assert_eq!(code(&ours.info(&own).await), "0000");
    // What is asked of the store is the same for a key of another's and for one that somebody made up.
    let made_up = ichae_wire::cpay::payer_id::encode(&[0x5a; 16]);
    for name in [&foreign, &made_up, &CARD_KEY.to_owned()] {
        let query = app.hub.payer_query(no, name);
        assert!(query.no.is_none() && query.alias.is_some(), "{name}: {query:?}");
    }
}
