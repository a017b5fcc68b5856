//! Whatever a bank's bytes are, no reader panics, and a definite answer is given only where an
//! independent reading of the same bytes finds all that it needs.

use super::samples::{
    ACCOUNT, ID, OTHER_ID, body, check_sent, entry, original, receive_sent, reply, sent,
};
use ichae_domain::bank::{Answer, BankClass, BankCode};
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::receive::Checked;
use ichae_rail::openbanking::{deposit, real_name, receive, result, status, token};
use ichae_rail::port::CheckAnswer;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node[key].as_str().unwrap_or_default()
}

fn class(text: &str) -> Option<BankClass> {
    BankCode::find(text).map(BankCode::class)
}

/// Whether an entry is about what was sent, as far as a definite answer needs it.
fn is_ours(entry: &Value) -> bool {
    text(entry, "bank_tran_id") == ID
}

fn pays_ours(entry: &Value) -> bool {
    let won: Option<i64> = text(entry, "tran_amt").parse().ok();
    let account = entry.get("account_num").is_none_or(|a| a.is_null() || a == "" || a == ACCOUNT);
    is_ours(entry) && won == Some(1_000) && account && text(entry, "bank_rsp_code") == "000"
}

/// Holds a deposit's answer against the bytes it was read from.
fn deposit_is_justified(status: u16, bytes: &[u8]) -> Result<(), TestCaseError> {
    let answer = deposit::read(&sent(), &reply(status, bytes));
    if matches!(answer, Answer::Unknown(_)) {
        return Ok(());
    }
    let read: Value = serde_json::from_slice(bytes)
        .map_err(|_| TestCaseError::fail(format!("{answer:?} from no JSON")))?;
    let outer = text(&read, "rsp_code");
    let gateway = outer.starts_with('O');
    prop_assert!(status == 200 || gateway, "{answer:?} under HTTP {status}");
    let entries = read["res_list"].as_array().cloned().unwrap_or_default();
    prop_assert!(entries.len() <= 1, "{answer:?} from {} entries", entries.len());
    let inner = entries.first().map_or("", |e| text(e, "bank_rsp_code"));
    let inside = ["A0002", "A0009"].contains(&outer);
    let deciding = if inside { inner } else { outer };
    prop_assert!(outer.starts_with(['A', 'O']), "{answer:?} from {outer}");
    match answer {
        Answer::Settled { .. } => {
            prop_assert_eq!(outer, "A0000");
            prop_assert!(entries.first().is_some_and(pays_ours));
        }
        Answer::Refused { code, .. } => {
            prop_assert_eq!(code.text(), deciding);
            prop_assert_eq!(class(deciding), Some(BankClass::Refused));
        }
        Answer::OwnSide { code } => {
            prop_assert_eq!(code.text(), deciding);
            prop_assert_eq!(class(deciding), Some(BankClass::OwnSide));
        }
        Answer::NotSent => prop_assert!(["O0002", "O0003"].contains(&outer)),
        Answer::Unknown(_) => {}
    }
    let refused = !matches!(answer, Answer::Settled { .. });
    prop_assert!(!inside || entries.first().is_some_and(is_ours));
    prop_assert!(!refused || !["000", "400", "804"].contains(&inner), "{answer:?} with {inner}");
    Ok(())
}

/// Holds an inquiry's answer against the bytes it was read from.
fn result_is_justified(status: u16, bytes: &[u8]) -> Result<(), TestCaseError> {
    let answers = result::read(&[original()], &reply(status, bytes));
    prop_assert_eq!(answers.len(), 1);
    let answer = answers[0];
    prop_assert!(!matches!(answer, Answer::NotSent | Answer::OwnSide { .. }), "{answer:?}");
    if matches!(answer, Answer::Unknown(_)) {
        return Ok(());
    }
    let read: Value = serde_json::from_slice(bytes)
        .map_err(|_| TestCaseError::fail(format!("{answer:?} from no JSON")))?;
    prop_assert_eq!((status, text(&read, "rsp_code")), (200, "A0000"));
    let entries = read["res_list"].as_array().cloned().unwrap_or_default();
    let ours: Vec<&Value> = entries.iter().filter(|e| is_ours(e)).collect();
    prop_assert!(!ours.is_empty() && ours.iter().all(|e| *e == ours[0]));
    match answer {
        Answer::Refused { code, .. } => {
            prop_assert_eq!(code.text(), text(ours[0], "bank_rsp_code"));
            prop_assert!(code.final_in_inquiry() && code.class() == BankClass::Refused);
        }
        _ => prop_assert!(
            text(ours[0], "bank_rsp_code") == "000" && text(ours[0], "tran_amt") != "1001"
        ),
    }
    Ok(())
}

fn checks_are_justified(status: u16, bytes: &[u8]) -> Result<(), TestCaseError> {
    let got = reply(status, bytes);
    let read: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let done = status == 200
        && text(&read, "rsp_code") == "A0000"
        && text(&read, "bank_rsp_code") == "000"
        && is_ours(&read);
    let known = [text(&read, "rsp_code").to_owned(), text(&read, "bank_rsp_code").to_owned()];
    match real_name::read(&check_sent(), &got) {
        CheckAnswer::Holder { .. } => prop_assert!(done),
        CheckAnswer::Refused(code) => prop_assert!(known.contains(&code.text())),
        CheckAnswer::NoAnswer => {}
        CheckAnswer::NoSuchAccount => prop_assert!(false, "the API has a code for it"),
    }
    match receive::read(&receive_sent(), &got) {
        Checked::Passed => prop_assert!(done),
        Checked::Refused(code) | Checked::OwnSide(code) => {
            prop_assert!(known.contains(&code.text()));
        }
        Checked::NoAnswer => {}
    }
    if let Ok(token) = token::read(&got) {
        prop_assert!(status == 200 && read["access_token"].is_string(), "{token:?}");
    }
    if status::read(&got).is_some() {
        prop_assert!(status == 200 && read["res_list"].is_array());
    }
    Ok(())
}

fn all_are_justified(status: u16, bytes: &[u8]) -> Result<(), TestCaseError> {
    deposit_is_justified(status, bytes)?;
    result_is_justified(status, bytes)?;
    checks_are_justified(status, bytes)
}

const CODES: &[&str] = &[
    "A0000", "A0001", "A0002", "A0004", "A0009", "A0018", "A0310", "A0312", "A0326", "O0001",
    "O0002", "O0003", "O0007", "000", "400", "412", "415", "453", "804", "822", "777", "", "x",
];

const VALUES: &[&str] =
    &[ID, OTHER_ID, "1000", "1001", "20211023", "20211399", ACCOUNT, "", "홍길동"];

const KEYS: &[&str] = &[
    "rsp_code",
    "bank_rsp_code",
    "res_list",
    "bank_tran_id",
    "bank_tran_date",
    "tran_amt",
    "account_num",
    "account_holder_name",
    "access_token",
    "expires_in",
    "bank_code_std",
    "bank_status",
];

/// Any JSON, with a liking for the words of the API.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => select(CODES).prop_map(|t| json!(t)),
        3 => select(VALUES).prop_map(|t| json!(t)),
        1 => any::<String>().prop_map(|t| json!(t)),
        1 => any::<i64>().prop_map(|n| json!(n)),
        1 => any::<f64>().prop_map(|n| json!(n)),
        1 => any::<bool>().prop_map(|b| json!(b)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![8 => select(KEYS).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An answer in the right shape, each field of it right most of the time.
fn likely() -> impl Strategy<Value = Value> {
    let code = || select(CODES);
    let changed = || prop::option::weighted(0.3, (select(KEYS), any_json()));
    let one = (code(), changed()).prop_map(|(bank, changed)| alter(entry(bank), changed));
    let entries = prop::collection::vec(one, 0..3);
    let outer = prop_oneof![1 => Just("A0000"), 1 => Just("A0009"), 1 => code()];
    (outer, entries, changed(), code()).prop_map(|(rsp, entries, changed, bank)| {
        let mut answer = body(rsp, &entries);
        answer["bank_tran_id"] = json!(ID);
        answer["bank_rsp_code"] = json!(bank);
        answer["bank_tran_date"] = json!("20211023");
        answer["account_holder_name"] = json!("홍길동");
        alter(answer, changed)
    })
}

fn alter(mut node: Value, change: Option<(&str, Value)>) -> Value {
    if let Some((key, value)) = change {
        node[key] = value;
    }
    node
}

fn statuses() -> impl Strategy<Value = u16> {
    prop_oneof![4 => Just(200_u16), 1 => 100_u16..600]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn bytes(status in statuses(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        all_are_justified(status, &bytes)?;
    }

    #[test]
    fn any_json_at_all(status in statuses(), json in any_json()) {
        all_are_justified(status, json.to_string().as_bytes())?;
    }

    #[test]
    fn answers_that_are_nearly_right(status in statuses(), json in likely()) {
        all_are_justified(status, json.to_string().as_bytes())?;
    }

    #[test]
    fn a_settled_answer_with_one_wrong_byte(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = body("A0000", &[entry("000")]).to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        all_are_justified(200, &bytes)?;
    }

    #[test]
    fn a_refusal_with_one_byte_missing(at in any::<prop::sample::Index>()) {
        let mut bytes = body("A0009", &[entry("415")]).to_string().into_bytes();
        bytes.remove(at.index(bytes.len()));
        all_are_justified(200, &bytes)?;
    }
}

#[test]
fn the_generator_reaches_the_definite_answers() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut settled, mut refused, mut own_side, mut not_sent) = (0, 0, 0, 0);
    for _ in 0..4_000 {
        let json = likely().new_tree(&mut runner).unwrap().current();
        let got = Got::Reply { status: 200, body: json.to_string().into_bytes() };
        match deposit::read(&sent(), &got) {
            Answer::Settled { .. } => settled += 1,
            Answer::Refused { .. } => refused += 1,
            Answer::OwnSide { .. } => own_side += 1,
            Answer::NotSent => not_sent += 1,
            Answer::Unknown(_) => {}
        }
    }
    let reached = [settled, refused, own_side, not_sent];
    assert!(reached.iter().all(|count| *count > 5), "{reached:?}");
}
