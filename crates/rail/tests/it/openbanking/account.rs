//! Answers about accounts: the check of a holder, the check of a receiver, the banks' own state.

use super::samples::{
    ACCOUNT, BANK_DAY, ID, OTHER_ID, body, check_sent, code, ok, receive_sent, reply, with,
};
use crate::common::DAY;
use ichae_domain::bank::{BANK_TABLE, BankClass, BankCode, RSP_TABLE};
use ichae_domain::time::Day;
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::receive::Checked;
use ichae_rail::openbanking::{real_name, receive, status};
use ichae_rail::port::{BankState, BankStatus, CheckAnswer};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// A check's answer in a form that can be compared.
#[derive(PartialEq, Debug)]
enum Told {
    Holder(String, u32, Day),
    Refused(BankCode),
    NoAnswer,
}

fn plain(answer: CheckAnswer) -> Told {
    match answer {
        CheckAnswer::Holder { name, bank_code_sub, day } => {
            Told::Holder(name.expose_secret().to_owned(), bank_code_sub, day)
        }
        CheckAnswer::Refused(code) => Told::Refused(code),
        CheckAnswer::NoAnswer => Told::NoAnswer,
        CheckAnswer::NoSuchAccount => panic!("the API has a code for it"),
    }
}

fn told(got: &Got) -> Told {
    plain(real_name::read(&check_sent(), got))
}

fn received(got: &Got) -> Checked {
    receive::read(&receive_sent(), got)
}

fn about(rsp: &str, bank: &str) -> Value {
    json!({
        "rsp_code": rsp,
        "bank_tran_id": ID,
        "bank_tran_date": "20211023",
        "bank_code_tran": "097",
        "bank_rsp_code": bank,
        "bank_code_sub": "0201234",
        "account_num": ACCOUNT,
        "account_holder_name": "홍길동",
        "tran_amt": "1000",
    })
}

fn holder() -> Told {
    Told::Holder("홍길동".to_owned(), 201_234, BANK_DAY)
}

#[test]
fn a_holder_needs_both_codes_and_the_echo() {
    assert_eq!(told(&ok(&about("A0000", "000"))), holder());
    let cases: &[(&str, Option<Value>, Told)] = &[
        ("account_num", None, holder()),
        ("account_num", Some(json!("1")), Told::NoAnswer),
        ("bank_tran_id", Some(json!(OTHER_ID)), Told::NoAnswer),
        ("bank_tran_id", None, Told::NoAnswer),
        ("account_holder_name", None, Told::NoAnswer),
        ("account_holder_name", Some(json!("")), Told::NoAnswer),
        ("account_holder_name", Some(json!(["x"])), Told::NoAnswer),
        ("bank_tran_date", None, Told::NoAnswer),
        ("bank_rsp_code", None, Told::NoAnswer),
        ("bank_rsp_code", Some(json!("412")), Told::NoAnswer),
    ];
    for (key, value, expected) in cases {
        let got = ok(&with(about("A0000", "000"), key, value.clone()));
        assert_eq!(told(&got), *expected, "{key} {value:?}");
    }
    let mut sent = check_sent();
    sent.trust_dates = false;
    let kept = plain(real_name::read(&sent, &ok(&about("A0000", "000"))));
    assert_eq!(kept, Told::Holder("홍길동".to_owned(), 201_234, DAY));
}

#[test]
fn a_banks_refusal_is_read_by_its_class() {
    for outer in ["A0002", "A0009"] {
        for row in BANK_TABLE {
            let text = row.code.text();
            let (check, receiver) = match row.class {
                BankClass::Refused => (Told::Refused(row.code), Checked::Refused(row.code)),
                BankClass::OwnSide => (Told::NoAnswer, Checked::OwnSide(row.code)),
                _ => (Told::NoAnswer, Checked::NoAnswer),
            };
            let got = ok(&about(outer, &text));
            assert_eq!((told(&got), received(&got)), (check, receiver), "{outer} {text}");
        }
        let other = ok(&with(about(outer, "412"), "bank_tran_id", Some(json!(OTHER_ID))));
        assert_eq!((told(&other), received(&other)), (Told::NoAnswer, Checked::NoAnswer));
        let none = ok(&with(about(outer, "412"), "bank_rsp_code", None));
        assert_eq!((told(&none), received(&none)), (Told::NoAnswer, Checked::NoAnswer));
    }
}

#[test]
fn the_centres_refusal_is_read_by_its_class() {
    for row in RSP_TABLE {
        let (check, receiver) = match row.class {
            BankClass::Refused => (Told::Refused(row.code), Checked::Refused(row.code)),
            BankClass::OwnSide => (Told::NoAnswer, Checked::OwnSide(row.code)),
            _ => (Told::NoAnswer, Checked::NoAnswer),
        };
        let got = ok(&json!({ "rsp_code": row.code.text() }));
        assert_eq!((told(&got), received(&got)), (check, receiver), "{}", row.code.text());
    }
    let against = ok(&about("A0312", "000"));
    assert_eq!((told(&against), received(&against)), (Told::NoAnswer, Checked::NoAnswer));
    let other = ok(&json!({ "rsp_code": "A0312", "bank_tran_id": OTHER_ID }));
    assert_eq!((told(&other), received(&other)), (Told::NoAnswer, Checked::NoAnswer));
    // A bank's code where the centre's belongs.
    assert_eq!(told(&ok(&json!({ "rsp_code": "412" }))), Told::NoAnswer);
}

#[test]
fn a_receiver_passes_only_for_the_amount_that_was_asked_about() {
    let passed = about("A0000", "000");
    assert_eq!(received(&ok(&passed)), Checked::Passed);
    assert_eq!(received(&ok(&with(passed.clone(), "tran_amt", None))), Checked::Passed);
    for (key, value) in [
        ("tran_amt", Some(json!("1001"))),
        ("tran_amt", Some(json!(1000))),
        ("bank_tran_id", Some(json!(OTHER_ID))),
        ("bank_tran_id", None),
        ("bank_rsp_code", Some(json!("400"))),
    ] {
        let got = ok(&with(passed.clone(), key, value.clone()));
        assert_eq!(received(&got), Checked::NoAnswer, "{key} {value:?}");
    }
}

#[test]
fn no_answer_is_no_answer() {
    let passed = about("A0000", "000").to_string();
    for got in [
        Got::NotSent,
        Got::TimedOut,
        Got::Lost,
        reply(500, passed),
        reply(200, "<html>"),
        reply(200, ""),
    ] {
        assert_eq!((told(&got), received(&got)), (Told::NoAnswer, Checked::NoAnswer), "{got:?}");
        assert_eq!(status::read(&got), None);
    }
    let quota = reply(429, r#"{"rsp_code":"O0008"}"#);
    assert_eq!(received(&quota), Checked::OwnSide(code("O0008")));
    assert_eq!(told(&quota), Told::NoAnswer);
}

#[test]
fn banks_say_one_of_four_letters() {
    let bank = |bank: &str, letter: &str| json!({ "bank_code_std": bank, "bank_status": letter });
    let list = [bank("002", "Y"), bank("003", "D"), bank("004", "L"), bank("020", "E")];
    let states = [
        ("002", BankStatus::Open),
        ("003", BankStatus::Failing),
        ("004", BankStatus::NotYetOpen),
        ("020", BankStatus::Closing),
    ]
    .map(|(bank, status)| BankState { bank: bank.to_owned(), status });
    assert_eq!(status::read(&ok(&body("A0000", &list))), Some(states.to_vec()));
    let odd = [bank("002", "X"), bank("02", "Y"), json!({}), bank("004", "D")];
    let one = BankState { bank: "004".to_owned(), status: BankStatus::Failing };
    assert_eq!(status::read(&ok(&body("A0000", &odd))), Some(vec![one]));
    assert_eq!(status::read(&ok(&body("A0003", &list))), None);
    assert_eq!(status::read(&ok(&json!({ "rsp_code": "A0000" }))), None);
}
