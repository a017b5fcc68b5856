//! What each field of each endpoint is refused with, by what is wrong with it (decisions H2, H3).

use crate::answer::Answer;
use crate::app::{ACCOUNT, Client, HOOK, setup};
use ichae_domain::code::Code;
use serde_json::{Value, json};

/// What may be wrong with a field; the text ones are put into it as they are.
pub const WRONG: [&str; 13] = [
    "absent",
    "null",
    "empty",
    "number",
    "bool",
    "array",
    "object",
    "too long",
    "wrong script",
    "full-width digits",
    "control",
    "zero width",
    "bidi mark",
];

/// The fields of an endpoint beside the credentials.
pub struct Field {
    pub name: &'static str,
    /// One character more than it may have.
    too_long: String,
    /// Absent, null and empty; a number; a bool, array or object; and each faulty text.
    missing: &'static str,
    number: &'static str,
    other_type: &'static str,
    text: &'static str,
}

pub fn field(name: &'static str, too_long: impl Into<String>, codes: [&'static str; 4]) -> Field {
    let [missing, number, other_type, text] = codes;
    Field { name, too_long: too_long.into(), missing, number, other_type, text }
}

impl Field {
    /// The body's field, and the code that is expected.
    pub fn case(&self, wrong: &str) -> (Option<Value>, &'static str) {
        match wrong {
            "absent" => (None, self.missing),
            "null" => (Some(Value::Null), self.missing),
            "empty" => (Some("".into()), self.missing),
            "number" => (Some(7.into()), self.number),
            "bool" => (Some(true.into()), self.other_type),
            "array" => (Some(json!(["x"])), self.other_type),
            "object" => (Some(json!({ "x": "y" })), self.other_type),
            "too long" => (Some(self.too_long.as_str().into()), self.text),
            "wrong script" => (Some("漢字".into()), self.text),
            "full-width digits" => (Some("１０００".into()), self.text),
            "control" => (Some("a\u{1}b".into()), self.text),
            "zero width" => (Some("a\u{200b}b".into()), self.text),
            "bidi mark" => (Some("\u{202e}ab".into()), self.text),
            other => panic!("{other}"),
        }
    }
}

/// Characters that hide, reorder or are half of something.
pub const HIDDEN: [char; 22] = [
    '\u{0}',
    '\u{7f}',
    '\u{85}',
    '\u{ad}',
    '\u{61c}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2069}',
    '\u{202a}',
    '\u{feff}',
    '\u{1100}',
    '\u{1161}',
    '\u{11a8}',
    '\u{115f}',
    '\u{1160}',
    '\u{3164}',
    '\u{ffa0}',
    '\u{fe0f}',
    '\u{e0041}',
];

pub fn x(count: usize) -> String {
    "x".repeat(count)
}

/// Every endpoint: a good body, and its fields. A code of success means: taken as it is.
fn table(key: &str, group: &str, transfer: &str) -> Vec<(&'static str, Value, Vec<Field>)> {
    let page = || {
        vec![
            field("limit", "1001", ["A0000", "A0000", "L0130", "L0130"]),
            field("last_key", x(41), ["A0000", "L0130", "L0130", "L0130"]),
        ]
    };
    let of_group = || {
        let mut fields = vec![field("group_key", x(5_000), ["L0102"; 4])];
        fields.extend(page());
        fields
    };
    let mut of_day = vec![field("bank_tran_date", "202611220", ["L0110"; 4])];
    of_day.extend(page());
    let by_group = json!({ "group_key": group });
    vec![
        (
            "/oauth/token",
            json!({ "code": "as12345678" }),
            vec![field("code", x(11), ["T0210", "T0211", "T0211", "T0211"])],
        ),
        (
            "/inquiry/real_name",
            json!({ "bank_code_std": "020", "account_num": ACCOUNT,
                "account_holder_info_type": "0", "account_holder_info": "880212" }),
            vec![
                field("sub_id", x(65), ["A0000", "R0130", "R0130", "R0130"]),
                field("bank_code_std", "0200", ["N0101"; 4]),
                field("account_num", "12345678901234567", ["N0102"; 4]),
                field("account_holder_info_type", "00", ["N0110"; 4]),
                field("account_holder_info", "8802121", ["N0112", "N0120", "N0120", "N0120"]),
            ],
        ),
        (
            "/inquiry/real_name",
            json!({ "bank_code_std": "020", "account_num": ACCOUNT,
                "account_holder_info_type": "6", "account_holder_info": "1234567890" }),
            vec![field("account_holder_info", "12345678901", ["N0112", "N0130", "N0130", "N0130"])],
        ),
        (
            "/transfer/request",
            json!({ "billing_tran_id": key, "tran_amt": "1000" }),
            vec![
                field("sub_id", x(65), ["A0000", "R0130", "R0130", "R0130"]),
                field("distinct_key", x(65), ["A0000", "R0131", "R0131", "R0131"]),
                field("billing_tran_id", x(5_000), ["R0101", "R0101", "R0101", "R0102"]),
                // Type N: a number is taken as one, and 7 is not TEST's amount.
                field("tran_amt", "1000000000000", ["R0110", "R0112", "R0110", "R0110"]),
                field("print_content", x(7), ["A0000", "R0120", "R0120", "R0120"]),
            ],
        ),
        (
            "/transfer/execute",
            json!({ "group_key": group, "billing_tran_id": "ALL", "execute_type": "NOW",
                "webhook_url": HOOK }),
            vec![
                field("group_key", x(5_000), ["E0101"; 4]),
                field("billing_tran_id", x(5_000), ["E0102"; 4]),
                field("execute_type", "NOWNOW", ["E0110"; 4]),
                field("webhook_url", format!("http://127.0.0.1/{}", x(2_048)), ["E0120"; 4]),
            ],
        ),
        ("/account/remain", json!({}), vec![]),
        ("/request/result/group_key", by_group.clone(), of_group()),
        (
            "/transfer/result",
            json!({ "api_tran_id": transfer }),
            vec![field("api_tran_id", x(5_000), ["L0101"; 4])],
        ),
        ("/transfer/result/group_key", by_group, of_group()),
        ("/transfer/result/date", json!({ "bank_tran_date": "20261122" }), of_day),
    ]
}

/// The two that every body has. A key of any script is well-formed, and wrong.
fn credentials() -> Vec<Field> {
    vec![field("cst_id", x(13), ["T0200"; 4]), field("custKey", x(256), ["T0201"; 4])]
}

/// What a code says in Korean, with a detail after it or without.
#[track_caller]
fn in_korean(answer: &Answer, case: &str) {
    assert_eq!(answer.status.as_u16(), 200, "{case}");
    let (code, message) = (answer.code(), answer.message());
    let text = Code::find(&code).unwrap().entry().ko;
    assert!(message == text || message.starts_with(&format!("{text} - ")), "{case}: {message}");
    assert!(message.chars().any(|c| ('가'..='힣').contains(&c)), "{case}: {message}");
}

async fn prepared(test: &Client<'_>) -> (String, String, String) {
    let paid = test.pay(ACCOUNT, "d-1").await;
    test.app.settle_by_hand(|_| Some(crate::app::SETTLED)).await;
    let transfer = test.transfer(&paid).await;
    (paid.key, paid.group, transfer)
}

/// Sends one faulty body and looks at everything that a refusal has to keep to.
async fn refused(test: &Client<'_>, path: &str, body: &Value, code: &str, case: &str) {
    let app = test.app;
    let bearer = test.token().await;
    let before = app.dump();
    let bearer = (path != "/oauth/token").then_some(bearer.as_str());
    let answer = app.raw(path, bearer, body.to_string()).await;
    assert_eq!(answer.code(), code, "{case}: {}", answer.text);
    in_korean(&answer, case);
    let writes = matches!(path, "/inquiry/real_name" | "/transfer/request");
    if !(writes && code == "A0000") {
        assert_eq!(app.dump(), before, "{case}: nothing is written");
    }
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_endpoint() {
    let app = setup().app().await;
    let test = app.test();
    let (key, group, transfer) = prepared(&test).await;
    let mut cases = 0;
    for (path, good, fields) in table(&key, &group, &transfer) {
        for field in &fields {
            for wrong in WRONG {
                let (value, code) = field.case(wrong);
                // Nothing waits in the group of the waiting list.
                let empty = path == "/request/result/group_key" && code == "A0000";
                let code = if empty { "L0121" } else { code };
                let mut body = test.body(good.clone());
                match value {
                    Some(value) => body[field.name] = value,
                    None => drop(body.as_object_mut().unwrap().remove(field.name)),
                }
                let case = format!("{path} {} {wrong}", field.name);
                refused(&test, path, &body, code, &case).await;
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 26 * WRONG.len());
}

#[tokio::test(start_paused = true)]
async fn the_credentials_of_every_endpoint() {
    let app = setup().app().await;
    let test = app.test();
    let (key, group, transfer) = prepared(&test).await;
    for (path, good, _) in table(&key, &group, &transfer) {
        for field in credentials() {
            for wrong in WRONG {
                let (value, code) = field.case(wrong);
                let script = matches!(wrong, "wrong script" | "full-width digits");
                let code = if field.name == "custKey" && script { "T0300" } else { code };
                let mut body = test.body(good.clone());
                match value {
                    Some(value) => body[field.name] = value,
                    None => drop(body.as_object_mut().unwrap().remove(field.name)),
                }
                let case = format!("{path} {} {wrong}", field.name);
                refused(&test, path, &body, code, &case).await;
            }
        }
    }
}

/// Decision H3: characters that hide, reorder or are half of something, in any field of text.
#[tokio::test(start_paused = true)]
async fn what_hides_in_a_text_is_refused() {
    let app = setup().app().await;
    let test = app.test();
    let (key, ..) = prepared(&test).await;
    for c in HIDDEN {
        let text = format!("정{c}");
        for (path, name, code) in [
            ("/transfer/request", "print_content", "R0120"),
            ("/transfer/request", "distinct_key", "R0131"),
            ("/transfer/request", "sub_id", "R0130"),
            ("/transfer/request", "custKey", "T0201"),
        ] {
            let mut body = test.body(json!({ "billing_tran_id": key, "tran_amt": "1000" }));
            body[name] = text.as_str().into();
            refused(&test, path, &body, code, &format!("{name} {:x}", u32::from(c))).await;
        }
    }
}

/// Counted in characters after composing: six syllables in eighteen pieces fit, seven do not.
#[tokio::test(start_paused = true)]
async fn text_is_counted_after_it_is_composed() {
    let app = setup().app().await;
    let test = app.test();
    let (key, ..) = prepared(&test).await;
    let syllable = "\u{1112}\u{1161}\u{11ab}";
    for (count, code) in [(6, "A0000"), (7, "R0120")] {
        let body = json!({ "billing_tran_id": key, "tran_amt": "1000",
            "print_content": syllable.repeat(count) });
        let answer = test.post("/transfer/request", body).await;
        assert_eq!(answer.code(), code, "{count}");
        if code == "A0000" {
            assert_eq!(answer.get("print_content"), "한".repeat(6));
        }
    }
}

/// The longest that each field may have is taken.
#[tokio::test(start_paused = true)]
async fn the_longest_of_each_is_taken() {
    let app = setup().app().await;
    app.partner("twelve_chars").await;
    let test = app.test();
    let (key, ..) = prepared(&test).await;
    let body = json!({ "sub_id": x(64), "distinct_key": x(64), "billing_tran_id": key,
        "tran_amt": "1000", "print_content": "여섯글자임다" });
    assert_eq!(test.post("/transfer/request", body).await.code(), "A0000");
    let body = json!({ "sub_id": "groble_sub-1.2", "bank_code_std": "020",
        "account_num": "0000000000000000", "account_holder_info_type": "0",
        "account_holder_info": "000229" });
    assert_eq!(test.post("/inquiry/real_name", body).await.code(), "A0000");
}
