//! What goes out: exact fields, numbers as texts, and nothing that has no form.

use super::samples::{ACCOUNT, CHECK_ID, ID, SECRETS, original, settings};
use crate::common::{DAY, START, deposit, payee};
use ichae_domain::key::InfoKind;
use ichae_domain::money::Won;
use ichae_rail::openbanking::message::{Body, Outgoing, Unfit};
use ichae_rail::openbanking::settings::{ContractKind, Settings};
use ichae_rail::openbanking::{deposit as deposits, real_name, receive, result, status, token};
use ichae_rail::port::{AccountCheck, Payee};
use serde_json::{Value, json};

const HOST: &str = "https://testapi.openbanking.or.kr";

fn json_of(out: &Outgoing) -> Value {
    let Body::Json(body) = &out.body else { panic!("a POST in JSON") };
    serde_json::from_slice(body).unwrap()
}

#[test]
fn a_deposit_has_its_documented_fields() {
    let made = deposits::build(&settings(HOST), &deposit(1), &payee(ACCOUNT), None, START);
    let out = made.unwrap();
    assert_eq!(out.path, "/v2.0/transfer/deposit/acnt_num");
    let mut expected = json!({
        "cntr_account_type": "N",
        "cntr_account_num": SECRETS[1],
        "wd_pass_phrase": SECRETS[2],
        "wd_print_content": "지급",
        "name_check_option": "on",
        "tran_dtime": "20211022150040",
        "req_cnt": "1",
        "req_list": [{
            "tran_no": "1",
            "bank_tran_id": ID,
            "bank_code_std": "020",
            "account_num": ACCOUNT,
            "account_holder_name": "홍길동",
            "print_content": "급여",
            "tran_amt": "1000",
            "req_client_name": "이체상사",
            "req_client_bank_code": "097",
            "req_client_account_num": SECRETS[3],
            "req_client_num": "CLIENT1",
            "transfer_purpose": "TR",
        }],
    });
    assert_eq!(json_of(&out), expected);

    let other =
        Settings { contract_kind: ContractKind::Ledger, name_check: false, ..settings(HOST) };
    let made = deposits::build(&other, &deposit(1), &payee(ACCOUNT), Some(CHECK_ID), START);
    expected["cntr_account_type"] = json!("C");
    expected["name_check_option"] = json!("off");
    expected["req_list"][0]["recv_bank_tran_id"] = json!(CHECK_ID);
    assert_eq!(json_of(&made.unwrap()), expected);
}

#[test]
fn what_has_no_form_does_not_go_out() {
    let good = || payee(ACCOUNT);
    let with_number = |number: &str| payee(number);
    let long = "가나다라마바사아자차카";
    let cases: Vec<(Payee, i64, &str)> = vec![
        (Payee { bank: "20".to_owned(), ..good() }, 1_000, "bank_code_std"),
        (with_number(""), 1_000, "account_num"),
        (with_number("12345678901234567"), 1_000, "account_num"),
        (with_number("110-123"), 1_000, "account_num"),
        (Payee { print: long.to_owned(), ..good() }, 1_000, "print_content"),
        (Payee { print: String::new(), ..good() }, 1_000, "print_content"),
        (good(), 0, "tran_amt"),
        (good(), -1, "tran_amt"),
        (good(), 1_000_000_000_000, "tran_amt"),
    ];
    for (to, won, field) in cases {
        let deposit = ichae_domain::view::Deposit { amount: Won(won), ..deposit(1) };
        let made = deposits::build(&settings(HOST), &deposit, &to, None, START);
        assert_eq!(made.unwrap_err(), Unfit(field));
        let sent = receive::Sent { bank_tran_id: ID.to_owned(), amount: Won(won) };
        assert_eq!(receive::build(&settings(HOST), &sent, &to).unwrap_err(), Unfit(field));
    }
    let mut to = good();
    to.account.holder = long.into();
    let made = deposits::build(&settings(HOST), &deposit(1), &to, None, START);
    assert_eq!(made.unwrap_err(), Unfit("account_holder_name"));
    let made = deposits::build(&settings(HOST), &deposit(1), &good(), Some("x"), START);
    assert_eq!(made.unwrap_err(), Unfit("recv_bank_tran_id"));
    let shouting = Settings { institution: "m202112389".to_owned(), ..settings(HOST) };
    let made = deposits::build(&shouting, &deposit(1), &good(), None, START);
    assert_eq!(made.unwrap_err(), Unfit("bank_tran_id"));
}

#[test]
fn a_receiver_check_has_its_documented_fields() {
    let sent = receive::Sent { bank_tran_id: CHECK_ID.to_owned(), amount: Won(1_000) };
    let out = receive::build(&settings(HOST), &sent, &payee(ACCOUNT)).unwrap();
    assert_eq!(out.path, "/v2.0/inquiry/receive");
    let expected = json!({
        "bank_tran_id": CHECK_ID,
        "cntr_account_type": "N",
        "cntr_account_num": SECRETS[1],
        "bank_code_std": "020",
        "account_num": ACCOUNT,
        "account_holder_name": "홍길동",
        "print_content": "급여",
        "tran_amt": "1000",
        "req_client_name": "이체상사",
        "req_client_bank_code": "097",
        "req_client_account_num": SECRETS[3],
        "req_client_num": "CLIENT1",
        "transfer_purpose": "TR",
    });
    assert_eq!(json_of(&out), expected);
}

#[test]
fn a_birth_date_is_a_space_and_a_business_number_a_six() {
    let check = |info_kind, info: &str| AccountCheck {
        bank_tran_id: ID.to_owned(),
        bank: "020".to_owned(),
        number: ACCOUNT.into(),
        info_kind,
        info: info.into(),
    };
    for (kind, info, letter) in
        [(InfoKind::BirthDate, "880212", " "), (InfoKind::BusinessNumber, "1234567890", "6")]
    {
        let out = real_name::build(&check(kind, info), START).unwrap();
        assert_eq!(out.path, "/v2.0/inquiry/real_name");
        let expected = json!({
            "bank_tran_id": ID,
            "bank_code_std": "020",
            "account_num": ACCOUNT,
            "account_holder_info_type": letter,
            "account_holder_info": info,
            "tran_dtime": "20211022150040",
        });
        assert_eq!(json_of(&out), expected);
    }
    for (kind, info) in [
        (InfoKind::BirthDate, "1234567890"),
        (InfoKind::BusinessNumber, "880212"),
        (InfoKind::BirthDate, "88021a"),
    ] {
        let made = real_name::build(&check(kind, info), START);
        assert_eq!(made.unwrap_err(), Unfit("account_holder_info"));
    }
    let short =
        AccountCheck { bank_tran_id: "x".to_owned(), ..check(InfoKind::BirthDate, "880212") };
    assert_eq!(real_name::build(&short, START).unwrap_err(), Unfit("bank_tran_id"));
}

#[test]
fn an_inquiry_names_id_date_and_amount_of_up_to_25() {
    let out = result::build(&[original(), original()], START).unwrap();
    assert_eq!(out.path, "/v2.0/transfer/result");
    let entry = |number: &str| {
        json!({
            "tran_no": number,
            "org_bank_tran_id": ID,
            "org_bank_tran_date": DAY.to_string(),
            "org_tran_amt": "1000",
        })
    };
    let expected = json!({
        "check_type": "2",
        "tran_dtime": "20211022150040",
        "req_cnt": "2",
        "req_list": [entry("1"), entry("2")],
    });
    assert_eq!(json_of(&out), expected);
    assert_eq!(result::build(&[], START).unwrap_err(), Unfit("req_cnt"));
    assert!(result::build(&vec![original(); 25], START).is_ok());
    assert_eq!(result::build(&vec![original(); 26], START).unwrap_err(), Unfit("req_cnt"));
}

#[test]
fn the_token_is_asked_for_with_a_form_and_the_banks_without_anything() {
    let out = token::build(&settings(HOST));
    assert_eq!(out.path, "/oauth/2.0/token");
    let form = "client_id=client-1&client_secret=a%2Bsecret%2F1&scope=oob\
                &grant_type=client_credentials";
    assert!(out.body == Body::Form(form.to_owned()));
    let out = status::build();
    assert!(out.path == "/v2.0/bank/status" && out.body == Body::Nothing);
}

#[test]
fn requests_and_settings_print_no_secret() {
    let made = deposits::build(&settings(HOST), &deposit(1), &payee(ACCOUNT), None, START);
    let token = token::build(&settings(HOST));
    let printed = format!("{:?} {token:?} {:?}", made.unwrap(), settings(HOST));
    for secret in SECRETS.iter().chain(&[ACCOUNT, "홍길동"]) {
        assert!(!printed.contains(secret), "{printed}");
    }
}
