//! What a deposit's answer means, row by row (openbanking 7.1, 8 and 9).

use super::samples::{
    ACCOUNT, BANK_DAY, FAULTED, MISMATCH, OTHER_ID, PROCESSING, SETTLED, UNREADABLE, body, code,
    entry, ok, reply, sent, undecided, with,
};
use crate::common::DAY;
use ichae_domain::bank::{Answer, BANK_TABLE, BankClass, RSP_TABLE, Why};
use ichae_rail::openbanking::deposit::read;
use ichae_rail::openbanking::message::{BODY_MAX, Got};
use serde_json::{Value, json};

fn told(got: &Got) -> Answer {
    read(&sent(), got)
}

fn refused(text: &str) -> Answer {
    Answer::Refused { code: code(text), day: BANK_DAY }
}

#[test]
fn done_needs_both_codes_and_the_echo_of_what_was_sent() {
    let good = entry("000");
    let cases: &[(&str, Option<Value>, Answer)] = &[
        ("print_content", Some(json!("급여")), SETTLED),
        ("account_num", None, SETTLED),
        ("account_num", Some(json!("")), SETTLED),
        ("account_num", Some(json!(null)), SETTLED),
        ("tran_amt", Some(json!("000000001000")), SETTLED),
        ("bank_tran_id", Some(json!(OTHER_ID)), MISMATCH),
        ("bank_tran_id", None, UNREADABLE),
        ("tran_amt", Some(json!("1001")), MISMATCH),
        ("tran_amt", None, UNREADABLE),
        ("tran_amt", Some(json!(1000)), UNREADABLE),
        ("tran_amt", Some(json!("1000.0")), UNREADABLE),
        ("tran_amt", Some(json!("-1000")), UNREADABLE),
        ("tran_amt", Some(json!("99999999999999999999")), UNREADABLE),
        ("account_num", Some(json!("110123456780")), MISMATCH),
        ("account_num", Some(json!(110_123_456_789_i64)), UNREADABLE),
        ("bank_tran_date", None, UNREADABLE),
        ("bank_tran_date", Some(json!("20211325")), UNREADABLE),
        ("bank_rsp_code", None, UNREADABLE),
        ("bank_rsp_code", Some(json!("")), UNREADABLE),
        ("bank_rsp_code", Some(json!(0)), UNREADABLE),
        ("bank_rsp_code", Some(json!("0")), UNREADABLE),
        ("bank_rsp_code", Some(json!("A0000")), undecided("A0000")),
        ("bank_rsp_code", Some(json!("400")), PROCESSING),
        ("bank_rsp_code", Some(json!("412")), undecided("412")),
        ("bank_rsp_code", Some(json!("453")), undecided("453")),
    ];
    for (key, value, expected) in cases {
        let changed = with(good.clone(), key, value.clone());
        assert_eq!(told(&ok(&body("A0000", &[changed]))), *expected, "{key} {value:?}");
    }
    assert_eq!(told(&ok(&body("A0000", std::slice::from_ref(&good)))), SETTLED);
    assert_eq!(told(&ok(&body("A0000", &[good.clone(), good]))), MISMATCH);
}

#[test]
fn a_branch_that_is_no_number_decides_nothing() {
    for branch in [json!("x"), json!(7), json!("12345678"), json!("")] {
        let changed = with(entry("000"), "bank_code_sub", Some(branch));
        let expected = Answer::Settled { day: BANK_DAY, bank_code_sub: 0 };
        assert_eq!(told(&ok(&body("A0000", &[changed]))), expected);
    }
}

#[test]
fn without_an_entry_nothing_is_settled() {
    for list in [json!([]), json!(null)] {
        let of = |rsp| ok(&with(body(rsp, &[]), "res_list", Some(list.clone())));
        assert_eq!(told(&of("A0000")), UNREADABLE);
        assert_eq!(told(&of("A0002")), undecided("A0002"));
        assert_eq!(told(&of("A0009")), undecided("A0009"));
        assert_eq!(told(&of("A0001")), PROCESSING);
    }
    for list in [json!({}), json!("x"), json!([1]), json!([["000"]]), json!([null])] {
        for rsp in ["A0000", "A0002", "A0009", "A0004"] {
            let got = ok(&with(body(rsp, &[]), "res_list", Some(list.clone())));
            assert_eq!(told(&got), UNREADABLE, "{rsp} {list}");
        }
    }
}

#[test]
fn under_an_error_at_the_bank_the_entrys_code_decides_by_its_class() {
    for outer in ["A0002", "A0009"] {
        for row in BANK_TABLE {
            let text = row.code.text();
            let expected = match (text.as_str(), row.class) {
                ("000", _) => undecided(outer),
                ("400", _) => PROCESSING,
                (_, BankClass::Refused) => refused(&text),
                (_, BankClass::OwnSide) => Answer::OwnSide { code: row.code },
                _ => undecided(&text),
            };
            assert_eq!(told(&ok(&body(outer, &[entry(&text)]))), expected, "{outer} {text}");
        }
        for text in ["432", "551", "777", "A0312", "O0002"] {
            assert_eq!(told(&ok(&body(outer, &[entry(text)]))), undecided(text), "{text}");
        }
        for text in ["41", "4155", "abc", " 415", "A04"] {
            assert_eq!(told(&ok(&body(outer, &[entry(text)]))), UNREADABLE, "{text}");
        }
    }
}

#[test]
fn a_refusal_must_be_about_this_transfer_and_has_the_banks_day() {
    for bank in ["415", "453"] {
        let cases: &[(&str, Option<Value>, Answer)] = &[
            ("bank_tran_id", Some(json!(OTHER_ID)), MISMATCH),
            ("bank_tran_id", None, UNREADABLE),
            ("tran_amt", Some(json!("999")), MISMATCH),
        ];
        for (key, value, expected) in cases {
            let changed = with(entry(bank), key, value.clone());
            assert_eq!(told(&ok(&body("A0009", &[changed]))), *expected, "{bank} {key}");
        }
    }
    let quiet = with(with(entry("415"), "tran_amt", None), "bank_tran_date", None);
    let expected = Answer::Refused { code: code("415"), day: DAY };
    assert_eq!(told(&ok(&body("A0002", &[quiet]))), expected);
}

#[test]
fn the_centres_own_code_decides_by_its_class() {
    for row in RSP_TABLE {
        let text = row.code.text();
        let expected = match (text.as_str(), row.class) {
            ("A0000", _) => UNREADABLE,
            ("A0001", _) => PROCESSING,
            (_, BankClass::Refused) => Answer::Refused { code: row.code, day: DAY },
            (_, BankClass::OwnSide) => Answer::OwnSide { code: row.code },
            (_, BankClass::NotSent) => Answer::NotSent,
            _ => undecided(&text),
        };
        assert_eq!(told(&ok(&body(&text, &[]))), expected, "{text}");
    }
    // Digits in its place are a bank's code: the centre did not say that.
    for text in ["000", "415", "453", "A0331", "A9999", "O0011"] {
        assert_eq!(told(&ok(&body(text, &[]))), undecided(text), "{text}");
    }
    for text in ["", "A000", "a0000", "X0001", "A00000"] {
        assert_eq!(told(&ok(&body(text, &[]))), UNREADABLE, "{text}");
    }
}

#[test]
fn a_refusal_outside_and_an_open_outcome_inside_decide_nothing() {
    for outer in ["A0004", "A0312", "O0002", "O0006"] {
        for bank in ["000", "400", "804", "777"] {
            assert_eq!(told(&ok(&body(outer, &[entry(bank)]))), undecided(outer), "{bank}");
        }
        let agreeing = told(&ok(&body(outer, &[entry("415")])));
        // Whoever names the transfer has seen it: then a refused token is no "not sent".
        let expected = match outer {
            "O0002" => undecided(outer),
            _ => told(&ok(&body(outer, &[]))),
        };
        assert_eq!(agreeing, expected, "{outer}");
    }
}

#[test]
fn the_rows_of_7_1_are_unknown() {
    let outer = ["A0001", "A0007", "A0003", "A0006", "A0008", "A0016", "A0017", "A0326", "O0007"];
    for text in outer {
        let answer = told(&ok(&body(text, &[])));
        assert!(matches!(answer, Answer::Unknown(_)), "{text} {answer:?}");
    }
    for bank in ["400", "803", "804", "819", "822", "111", "114", "818", "999", "701", "813"] {
        let answer = told(&ok(&body("A0002", &[entry(bank)])));
        assert!(matches!(answer, Answer::Unknown(_)), "{bank} {answer:?}");
    }
    assert_eq!(told(&Got::TimedOut), Answer::Unknown(Why::TimedOut));
    assert_eq!(told(&Got::Lost), Answer::Unknown(Why::Lost));
    assert_eq!(told(&Got::NotSent), Answer::NotSent);
}

#[test]
fn under_an_http_error_only_the_gateways_codes_are_read() {
    let settled = body("A0000", &[entry("000")]).to_string();
    let refused = body("A0009", &[entry("415")]).to_string();
    for status in [100, 201, 204, 301, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        for text in ["<html>502</html>", "", &settled, &refused, r#"{"rsp_code":"A0004"}"#] {
            assert_eq!(told(&reply(status, text)), FAULTED, "{status} {text}");
        }
        for (rsp, expected) in [
            ("O0001", Answer::OwnSide { code: code("O0001") }),
            ("O0002", Answer::NotSent),
            ("O0003", Answer::NotSent),
            ("O0006", Answer::OwnSide { code: code("O0006") }),
            ("O0007", undecided("O0007")),
            ("O0099", undecided("O0099")),
        ] {
            let got = reply(status, json!({ "rsp_code": rsp }).to_string());
            assert_eq!(told(&got), expected, "{status} {rsp}");
            let both = reply(status, body(rsp, &[entry("000")]).to_string());
            assert_eq!(told(&both), FAULTED, "{status} {rsp}");
        }
    }
}

#[test]
fn what_is_no_message_is_unreadable() {
    let good = body("A0000", &[entry("000")]).to_string();
    let twice = good.replacen("{", r#"{"rsp_code":"A0000","#, 1);
    let twice_inside = good.replacen(r#"{"tran_no""#, r#"{"tran_amt":"1000","tran_no""#, 1);
    let padded = |to: usize| format!("{good}{}", " ".repeat(to - good.len()));
    for text in ["", "null", "[]", "\"A0000\"", "{", "{}", "<html></html>", &twice, &twice_inside] {
        assert_eq!(told(&reply(200, text)), UNREADABLE, "{text}");
    }
    assert_eq!(told(&reply(200, [0xff, 0xfe, b'{', b'}'])), UNREADABLE);
    assert_eq!(told(&reply(200, padded(BODY_MAX))), SETTLED);
    assert_eq!(told(&reply(200, padded(BODY_MAX + 1))), UNREADABLE);
    assert_eq!(told(&reply(200, "[".repeat(100_000))), UNREADABLE);
    for cut in (0..good.len()).filter(|cut| good.is_char_boundary(*cut)) {
        assert_eq!(told(&reply(200, &good[..cut])), UNREADABLE, "{cut}");
    }
}

#[test]
fn canned_dates_are_not_kept_where_they_are_not_trusted() {
    let mut sent = sent();
    sent.original.trust_dates = false;
    for date in [json!("20190101"), json!("x"), json!(null)] {
        let of = |bank| with(entry(bank), "bank_tran_date", Some(date.clone()));
        let settled = read(&sent, &ok(&body("A0000", &[of("000")])));
        assert_eq!(settled, Answer::Settled { day: DAY, bank_code_sub: 201_234 });
        let refused = read(&sent, &ok(&body("A0002", &[of("415")])));
        assert_eq!(refused, Answer::Refused { code: code("415"), day: DAY });
    }
}

#[test]
fn what_may_hold_an_account_prints_none_of_it() {
    let got = ok(&body("A0000", &[entry("000")]));
    let printed = format!("{got:?} {:?}", sent());
    assert!(!printed.contains(ACCOUNT), "{printed}");
}
