//! What an inquiry's answer means, row by row (openbanking 7.2).

use super::samples::{
    BANK_DAY, FAULTED, MISMATCH, OTHER_ID, PROCESSING, SETTLED, UNREADABLE, body, code, entry, ok,
    original, reply, undecided, with,
};
use crate::common::DAY;
use ichae_domain::bank::{Answer, BANK_TABLE, BankClass, RSP_TABLE, Why};
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::original::Original;
use ichae_rail::openbanking::result::read;
use serde_json::{Value, json};

const NO_HISTORY: Answer = Answer::Unknown(Why::NoHistory);

fn told(got: &Got) -> Answer {
    let answers = read(&[original()], got);
    assert_eq!(answers.len(), 1);
    answers[0]
}

#[test]
fn the_entrys_code_is_read_by_what_is_final() {
    for row in BANK_TABLE {
        let text = row.code.text();
        let expected = match (text.as_str(), row.class) {
            ("000", _) => SETTLED,
            ("400", _) => PROCESSING,
            (_, BankClass::Refused) => Answer::Refused { code: row.code, day: BANK_DAY },
            _ => undecided(&text),
        };
        assert_eq!(told(&ok(&body("A0000", &[entry(&text)]))), expected, "{text}");
    }
    for text in ["432", "777", "A0312", "A0001"] {
        let expected = undecided(text);
        assert_eq!(told(&ok(&body("A0000", &[entry(text)]))), expected, "{text}");
    }
}

#[test]
fn only_a_plain_ok_outside_lets_an_entry_speak() {
    for row in RSP_TABLE.iter().filter(|row| row.code.text() != "A0000") {
        let text = row.code.text();
        let expected = match text.as_str() {
            "A0018" | "A0310" => NO_HISTORY,
            "A0001" => PROCESSING,
            _ => undecided(&text),
        };
        for inside in ["000", "415"] {
            assert_eq!(told(&ok(&body(&text, &[entry(inside)]))), expected, "{text} {inside}");
        }
        assert_eq!(told(&ok(&body(&text, &[]))), expected, "{text}");
    }
    for text in ["000", "415", "A0331"] {
        assert_eq!(told(&ok(&body(text, &[entry("000")]))), undecided(text), "{text}");
    }
}

#[test]
fn an_entry_must_be_about_the_transfer() {
    let cases: &[(&str, &str, Option<Value>, Answer)] = &[
        ("000", "bank_tran_id", Some(json!(OTHER_ID)), NO_HISTORY),
        ("000", "bank_tran_id", None, UNREADABLE),
        ("000", "tran_amt", Some(json!("1")), MISMATCH),
        ("000", "tran_amt", None, UNREADABLE),
        ("000", "bank_tran_date", None, UNREADABLE),
        ("000", "bank_rsp_code", None, UNREADABLE),
        ("415", "tran_amt", Some(json!("1")), MISMATCH),
        ("415", "tran_amt", None, Answer::Refused { code: code("415"), day: BANK_DAY }),
        ("415", "bank_tran_date", None, Answer::Refused { code: code("415"), day: DAY }),
        ("415", "bank_tran_id", Some(json!(7)), UNREADABLE),
    ];
    for (bank, key, value, expected) in cases {
        let changed = with(entry(bank), key, value.clone());
        assert_eq!(told(&ok(&body("A0000", &[changed]))), *expected, "{bank} {key} {value:?}");
    }
}

#[test]
fn an_entry_that_stands_twice_must_say_the_same() {
    let twice = [entry("000"), entry("000")];
    assert_eq!(told(&ok(&body("A0000", &twice))), SETTLED);
    for other in [entry("415"), with(entry("000"), "tran_amt", Some(json!("2000")))] {
        assert_eq!(told(&ok(&body("A0000", &[entry("000"), other.clone()]))), MISMATCH);
        assert_eq!(told(&ok(&body("A0000", &[other, entry("000")]))), MISMATCH);
    }
}

#[test]
fn several_are_told_apart_by_their_ids_and_not_by_their_order() {
    let all: Vec<Original> = (1..=25)
        .map(|n| Original { bank_tran_id: format!("M202112389U{n:09}"), ..original() })
        .collect();
    let of =
        |n: usize, bank: &str| with(entry(bank), "bank_tran_id", Some(json!(all[n].bank_tran_id)));
    let entries: Vec<Value> = (0..25)
        .rev()
        .filter(|n| n % 5 != 4)
        .map(|n| of(n, ["000", "415", "400", "777"][n % 5]))
        .collect();
    let answers = read(&all, &ok(&body("A0000", &entries)));
    assert_eq!(answers.len(), 25);
    let refused = Answer::Refused { code: code("415"), day: BANK_DAY };
    for (n, answer) in answers.into_iter().enumerate() {
        let expected = [SETTLED, refused, PROCESSING, undecided("777"), NO_HISTORY][n % 5];
        assert_eq!(answer, expected, "{n}");
    }
}

#[test]
fn an_empty_list_is_no_history_and_a_missing_one_is_no_answer() {
    assert_eq!(told(&ok(&body("A0000", &[]))), NO_HISTORY);
    for list in [None, Some(json!(null)), Some(json!({})), Some(json!([1]))] {
        assert_eq!(told(&ok(&with(body("A0000", &[]), "res_list", list))), UNREADABLE);
    }
}

#[test]
fn a_failed_inquiry_says_nothing_of_any_deposit() {
    let two = [original(), Original { bank_tran_id: OTHER_ID.to_owned(), ..original() }];
    let settled = body("A0000", &[entry("000")]).to_string();
    for (got, expected) in [
        (Got::TimedOut, Answer::Unknown(Why::TimedOut)),
        (Got::Lost, Answer::Unknown(Why::Lost)),
        (Got::NotSent, Answer::NotSent),
        (reply(500, settled), FAULTED),
        (reply(502, "<html>"), FAULTED),
        (reply(401, r#"{"rsp_code":"O0002"}"#), undecided("O0002")),
        (reply(200, r#"{"rsp_code":"O0006"}"#), undecided("O0006")),
        (reply(200, "<html>"), UNREADABLE),
        (reply(200, ""), UNREADABLE),
    ] {
        assert_eq!(read(&two, &got), [expected, expected], "{got:?}");
    }
}
