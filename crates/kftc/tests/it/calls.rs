//! The calls as they go when nothing goes wrong, the scenario accounts, and wrong forms.

use crate::site::{DEPOSIT, NOON, PLAIN, Site, TODAY, codes, deposit, id, inquiry};
use ichae_kftc::{Hours, Summary};
use serde_json::{Value, json};

fn real_name(account: &str) -> Value {
    json!({
        "bank_tran_id": id(9), "bank_code_std": "004", "account_num": account,
        "account_holder_info_type": " ", "account_holder_info": "880101",
        "tran_dtime": "20261124120000",
    })
}

fn receive(account: &str) -> Value {
    json!({
        "bank_tran_id": id(9), "cntr_account_type": "N", "cntr_account_num": "1101234567890",
        "bank_code_std": "004", "account_num": account, "account_holder_name": "홍길동",
        "print_content": "급여", "tran_amt": "1000", "req_client_name": "이체",
        "req_client_bank_code": "097", "req_client_account_num": "1101234567890",
        "req_client_num": "HUB1", "transfer_purpose": "TR",
    })
}

#[tokio::test]
async fn a_deposit_is_paid_journaled_and_told_again() {
    let site = Site::start("").await;
    let answer = site.deposit(1, PLAIN).await;
    assert_eq!(codes(&answer), ("A0000", "000"));
    assert_eq!((&answer["res_cnt"], &answer["wd_print_content"]), (&json!("1"), &json!("지급")));
    assert_eq!(answer["api_tran_dtm"], "20261124120000000");
    assert!(answer["api_tran_id"].as_str().unwrap().len() <= 40);
    let item = &answer["res_list"][0];
    for (name, value) in [
        ("tran_no", "1"),
        ("bank_tran_id", &id(1)),
        ("bank_tran_date", TODAY),
        ("account_num", PLAIN),
        ("account_num_masked", "1234567***"),
        ("tran_amt", "1000"),
        ("account_holder_name", "홍길동"),
        ("bank_name", "국민은행"),
        ("print_content", "급여"),
    ] {
        assert_eq!(item[name], value, "{name}");
    }
    let row = site.row();
    assert_eq!((row.id, row.date, row.amount), (id(1), 20_261_124, 1_000));
    assert_eq!((row.paid, row.code.as_str(), row.fault, row.at), (true, "000", None, NOON));

    let told = site.inquire(&[(1, TODAY, 1_000)]).await;
    assert_eq!(codes(&told), ("A0000", "000"));
    let item = &told["res_list"][0];
    assert_eq!((&item["bank_tran_id"], &item["tran_amt"]), (&json!(id(1)), &json!("1000")));
    assert_eq!(item["dps_bank_name"], "국민은행");
}

#[tokio::test]
async fn a_number_that_comes_twice_is_paid_twice() {
    let site = Site::start("").await;
    for _ in 0..2 {
        assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    }
    site.deposit(2, PLAIN).await;
    let expected =
        Summary { calls: 3, payments: 3, ids_paid: 2, most_paid: 2, paid_sum: 3_000, returned: 0 };
    assert_eq!(site.summary().await, expected);
}

#[tokio::test]
async fn a_strict_bank_knows_a_number_and_an_inquiry_finds_the_original() {
    let site = Site::with("", |mut settings| {
        settings.strict = true;
        settings
    })
    .await;
    site.deposit(1, "9900000415").await;
    let again = site.deposit(1, PLAIN).await;
    assert_eq!(codes(&again), ("A0002", "822"));
    assert_eq!(again["res_list"][0]["bank_code_tran"], "098");
    assert_eq!(codes(&site.inquire(&[(1, TODAY, 1_000)]).await), ("A0000", "415"));
    let summary = site.summary().await;
    assert_eq!((summary.calls, summary.payments), (2, 0));
}

#[tokio::test]
async fn scenario_accounts_that_are_answered() {
    let site = Site::start("").await;
    let table = [
        ("9900000415", "A0009", "415", false, "415"),
        ("9900000453", "A0009", "453", false, "453"),
        ("9900000804", "A0002", "804", false, "804"),
        ("9900001412", "A0009", "412", false, "412"),
        ("9900002400", "A0002", "400", true, "400"),
        ("9900003000", "A0000", "000", true, "000"),
    ];
    for (n, (account, outside, inside, paid, told)) in (1..).zip(table) {
        let answer = site.deposit(n, account).await;
        assert_eq!(codes(&answer), (outside, inside), "{account}");
        let row = site.rows().pop().unwrap();
        assert_eq!((row.paid, row.returned), (paid, false), "{account}");
        let inquiry = site.inquire(&[(n, TODAY, 1_000)]).await;
        assert_eq!(codes(&inquiry), ("A0000", told), "{account}");
    }
    // The second inquiry about the one that is processing, and the third.
    for told in ["400", "000"] {
        assert_eq!(codes(&site.inquire(&[(5, TODAY, 1_000)]).await), ("A0000", told));
    }
    site.pass(5_000);
    assert_eq!(site.summary().await.returned, 1);
}

#[tokio::test]
async fn scenario_accounts_whose_answer_is_lost() {
    let site = Site::start("").await;
    for (n, account, paid, told) in
        [(1, "9900002804", true, "000"), (2, "9900002803", false, "499")]
    {
        assert_eq!(site.raw_deposit(n, account).await.unwrap(), "", "{account}");
        assert_eq!(site.rows().pop().unwrap().paid, paid, "{account}");
        assert_eq!(codes(&site.inquire(&[(n, TODAY, 1_000)]).await), ("A0000", told));
    }
}

#[tokio::test]
async fn the_checks_name_the_holder_and_move_no_money() {
    let site = Site::start("").await;
    let answer = site.post("/v2.0/inquiry/real_name", &real_name(PLAIN)).await;
    for (name, value) in [
        ("rsp_code", "A0000"),
        ("bank_rsp_code", "000"),
        ("bank_tran_date", TODAY),
        ("account_holder_name", "홍길동"),
        ("account_holder_info", "880101"),
        ("bank_tran_id", &id(9)),
    ] {
        assert_eq!(answer[name], value, "{name}");
    }
    let answer = site.post("/v2.0/inquiry/receive", &receive(PLAIN)).await;
    assert_eq!((&answer["rsp_code"], &answer["tran_amt"]), (&json!("A0000"), &json!("1000")));
    assert_eq!(answer["account_holder_name"], "홍길동");
    for (path, body) in [
        ("/v2.0/inquiry/real_name", real_name("9900001412")),
        ("/v2.0/inquiry/receive", receive("9900001412")),
    ] {
        let answer = site.post(path, &body).await;
        assert_eq!(answer["rsp_code"], "A0002", "{path}");
        assert_eq!(answer["bank_rsp_code"], "412", "{path}");
        assert_eq!(answer["account_holder_name"], "", "{path}");
    }
    assert_eq!(site.summary().await, Summary::default());
}

#[tokio::test]
async fn holder_info_has_a_type_and_a_length() {
    let site = Site::start("").await;
    for (kind, info, code) in [
        (" ", "8801011", "A0321"),
        ("6", "1234567890", "A0000"),
        ("6", "880101", "A0321"),
        ("N", "", "A0000"),
        ("1", "8801011234567", "A0320"),
        ("X", "880101", "A0004"),
    ] {
        let mut body = real_name(PLAIN);
        body["account_holder_info_type"] = json!(kind);
        body["account_holder_info"] = json!(info);
        let answer = site.post("/v2.0/inquiry/real_name", &body).await;
        assert_eq!(answer["rsp_code"], code, "{kind:?} {info}");
    }
}

#[tokio::test]
async fn every_bank_says_how_it_is() {
    let site = Site::start("").await;
    let call = site.client.get(site.url("/v2.0/bank/status")).bearer_auth(&site.token);
    let answer: Value = call.send().await.unwrap().json().await.unwrap();
    let list = answer["res_list"].as_array().unwrap();
    assert_eq!(answer["res_cnt"], list.len().to_string());
    let kookmin = list.iter().find(|bank| bank["bank_code_std"] == "004").unwrap();
    assert_eq!(
        *kookmin,
        json!({
            "bank_code_std": "004", "bank_name": "국민은행", "bank_status": "Y"
        })
    );
}

#[tokio::test]
async fn a_wrong_form_is_refused_by_its_field_and_leaves_no_row() {
    let site = Site::start("").await;
    let (head, item) = ("", "/req_list/0");
    for (place, name, value) in [
        (head, "req_cnt", json!("2")),
        (head, "req_cnt", json!(1)),
        (head, "tran_dtime", json!("20261324120000")),
        (head, "name_check_option", json!("yes")),
        (head, "wd_print_content", json!("")),
        (item, "bank_tran_id", json!("M202112388U000000001")),
        (item, "bank_tran_id", json!("M202112389U00000001")),
        (item, "bank_code_std", json!("005")),
        (item, "account_num", json!("123-456")),
        (item, "tran_amt", json!("0")),
        (item, "tran_amt", json!(1000)),
        (item, "transfer_purpose", json!("XX")),
        (item, "req_client_fintech_use_num", json!("123456789012345678901234")),
        (item, "fintech_use_num", json!("1")),
        (item, "tran_no", json!("2")),
        (item, "print_content", json!(null)),
    ] {
        let mut body = deposit(1, PLAIN);
        body.pointer_mut(place).unwrap()[name] = value.clone();
        let answer = site.post(DEPOSIT, &body).await;
        assert_eq!(answer["rsp_code"], "A0004", "{name} {value}");
        assert!(answer["rsp_message"].as_str().unwrap().contains(name), "{answer}");
        assert!(answer.get("res_list").is_none());
    }
    let mut two = deposit(1, PLAIN);
    two["req_cnt"] = json!("2");
    two["req_list"] = json!([two["req_list"][0], two["req_list"][0]]);
    assert_eq!(site.post(DEPOSIT, &two).await["rsp_code"], "A0004");
    let many: Vec<(u32, &str, i64)> = (0..26).map(|n| (n, TODAY, 1_000)).collect();
    let answer = site.post("/v2.0/transfer/result", &inquiry(&many)).await;
    assert_eq!(answer["rsp_code"], "A0004");
    assert_eq!(site.rows(), []);
}

#[tokio::test]
async fn the_centre_turns_away_what_is_not_the_institutions() {
    let site = Site::start("").await;
    for (n, name, value, code) in
        [(1, "wd_pass_phrase", "WRONG", "A0307"), (2, "cntr_account_num", "1", "A0322")]
    {
        let mut body = deposit(n, PLAIN);
        body[name] = json!(value);
        let answer = site.post(DEPOSIT, &body).await;
        assert_eq!(codes(&answer), (code, ""));
        let row = site.rows().pop().unwrap();
        assert_eq!((row.known, row.paid, row.code.as_str()), (false, false, code));
        assert_eq!(codes(&site.inquire(&[(n, TODAY, 1_000)]).await), ("A0018", ""));
    }
    let mut wrong = receive(PLAIN);
    wrong["cntr_account_num"] = json!("1");
    let answer = site.post("/v2.0/inquiry/receive", &wrong).await;
    assert_eq!(answer["rsp_code"], "A0322");
}

#[tokio::test]
async fn another_name_is_refused_unless_it_is_not_to_be_looked_at() {
    let site = Site::start("").await;
    for (n, option, outside, inside) in
        [(1, "on", "A0002", "815"), (2, "", "A0002", "815"), (3, "off", "A0000", "000")]
    {
        let mut body = deposit(n, PLAIN);
        body["name_check_option"] = json!(option);
        body["req_list"][0]["account_holder_name"] = json!("임꺽정");
        assert_eq!(codes(&site.post(DEPOSIT, &body).await), (outside, inside), "{option:?}");
    }
}

#[tokio::test]
async fn outside_the_hours_nothing_goes() {
    let site = Site::with("", |mut settings| {
        settings.hours = Hours::Kftc;
        settings
    })
    .await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    site.pass(12 * 3_600_000);
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("A0020", "114"));
    assert_eq!(codes(&site.inquire(&[(1, TODAY, 1_000)]).await), ("A0020", ""));
    let name = site.post("/v2.0/inquiry/real_name", &real_name(PLAIN)).await;
    assert_eq!(name["rsp_code"], "A0020");
    let row = site.rows().pop().unwrap();
    assert_eq!((row.known, row.paid, row.code.as_str()), (false, false, "114"));
}

#[tokio::test]
async fn a_body_that_is_too_long_and_one_that_is_no_json() {
    let site = Site::start("").await;
    let long = "x".repeat(65_537);
    let call = |body: String| {
        site.client.post(site.url(DEPOSIT)).bearer_auth(&site.token).body(body).send()
    };
    assert_eq!(call(long).await.unwrap().status(), 413);
    let answer: Value = call("{".to_owned()).await.unwrap().json().await.unwrap();
    assert_eq!(answer["rsp_code"], "A0004");
}
