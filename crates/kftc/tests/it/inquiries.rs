//! Inquiries about many deposits, about none, and those that go wrong.

use crate::site::{PLAIN, Site, TODAY, codes, id, inquiry, script};
use serde_json::{Value, json};

const RESULT: &str = "/v2.0/transfer/result";

#[tokio::test]
async fn only_what_all_three_name_is_found() {
    let site = Site::start("").await;
    site.deposit(1, PLAIN).await;
    for asked in [(2, TODAY, 1_000), (1, "20261123", 1_000), (1, TODAY, 999)] {
        let answer = site.inquire(&[asked]).await;
        assert_eq!(codes(&answer), ("A0018", ""), "{asked:?}");
        assert!(answer.get("res_list").is_none());
    }
    let mut withdrawal = inquiry(&[(1, TODAY, 1_000)]);
    withdrawal["check_type"] = json!("1");
    assert_eq!(codes(&site.post(RESULT, &withdrawal).await), ("A0018", ""));
}

#[tokio::test]
async fn of_many_the_known_ones_are_told() {
    let site = Site::start("").await;
    for (n, account) in [(1, PLAIN), (2, "9900000415"), (4, "9900002400")] {
        site.deposit(n, account).await;
    }
    let all: Vec<(u32, &str, i64)> = (1..=25).map(|n| (n, TODAY, 1_000)).collect();
    let answer = site.inquire(&all).await;
    assert_eq!((&answer["rsp_code"], &answer["res_cnt"]), (&json!("A0000"), &json!("3")));
    let list = answer["res_list"].as_array().unwrap();
    let told: Vec<_> = list
        .iter()
        .map(|item| {
            (item["tran_no"].clone(), item["bank_tran_id"].clone(), item["bank_rsp_code"].clone())
        })
        .collect();
    let expected = [("1", id(1), "000"), ("2", id(2), "415"), ("4", id(4), "400")];
    assert_eq!(told, expected.map(|(no, id, code)| (json!(no), json!(id), json!(code))));
}

#[tokio::test]
async fn the_first_payment_of_a_number_is_the_one_that_is_told() {
    let site = Site::start("").await;
    site.deposit(1, "9900000415").await;
    assert_eq!(codes(&site.inquire(&[(1, TODAY, 1_000)]).await), ("A0000", "415"));
    site.deposit(1, PLAIN).await;
    site.deposit(1, "9900000412").await;
    assert_eq!(codes(&site.inquire(&[(1, TODAY, 1_000)]).await), ("A0000", "000"));
}

#[tokio::test]
async fn inquiries_are_lost_wrong_or_find_nothing_for_a_while() {
    let faults = ["inquiry-lost", "inquiry-wrong", "inquiry-no-history"];
    let plan = script(&["inquiry-lost", "inquiry-wrong", "inquiry-no-history"]);
    let mut site = Site::start(&plan).await;
    for n in 1..=3 {
        assert_eq!(codes(&site.deposit(n, PLAIN).await), ("A0000", "000"), "it is paid");
    }
    for _ in 0..2 {
        assert!(site.send(RESULT, &inquiry(&[(1, TODAY, 1_000)])).await.is_err());
        assert_eq!(codes(&site.inquire(&[(2, TODAY, 1_000)]).await), ("A0003", ""));
        assert_eq!(codes(&site.inquire(&[(3, TODAY, 1_000)]).await), ("A0018", ""));
        // What was spoilt is written down: a restart spoils no more than that.
        site.close().await;
        site.open("", |settings| settings).await;
    }
    for n in 1..=3 {
        assert_eq!(codes(&site.inquire(&[(n, TODAY, 1_000)]).await), ("A0000", "000"), "{n}");
    }
    let rows = site.rows();
    let struck: Vec<_> = rows.iter().map(|row| row.fault.as_deref().unwrap()).collect();
    assert_eq!(struck, faults);
}

#[tokio::test]
async fn one_spoilt_deposit_spoils_the_inquiry_about_many() {
    let site = Site::start(&script(&["pay-then-drop+inquiry-wrong+inquiry-no-history"])).await;
    assert_eq!(site.raw_deposit(1, PLAIN).await.unwrap(), "");
    site.deposit(2, PLAIN).await;
    let both = [(1, TODAY, 1_000), (2, TODAY, 1_000)];
    for _ in 0..2 {
        assert_eq!(codes(&site.inquire(&both).await), ("A0003", ""));
    }
    let hidden: Value = site.inquire(&both).await;
    assert_eq!(hidden["res_list"].as_array().unwrap().len(), 1);
    assert_eq!(hidden["res_list"][0]["bank_tran_id"], id(2));
    site.control("POST", "calm", "").await;
    let answer = site.inquire(&both).await;
    assert_eq!(answer["res_cnt"], "2", "calm is calm for inquiries too");
}
