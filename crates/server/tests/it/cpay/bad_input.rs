//! What each field of each follow-up call is refused with, by the table of the Hub's fields (decisions
//! H2, H3, figure 22).

use super::{
    ACCOUNT_KEY, CARD_KEY, CHECK, MONTHLY_CARD, RECEIPT, REFUND, SIMPLE_ACCOUNT, SIMPLE_CARD, Shop,
    USER, code, payment, registration,
};
use crate::app::setup;
use crate::bad_input::{Field, WRONG, field, x};
use ichae_domain::code::Code;
use serde_json::{Value, json};

/// Texts in which any script is well-formed.
const FREE: [&str; 7] = [
    "PCD_PAY_GOODS",
    "PCD_PAY_OID",
    "PCD_PAYER_NAME",
    "PCD_PAYER_EMAIL",
    "PCD_USER_DEFINE1",
    "PCD_USER_DEFINE2",
    "PCD_REFUND_KEY",
];

/// A call's path, a good body, what it succeeds with, and its fields.
type Row = (String, Value, &'static str, Vec<Field>);

fn all(name: &'static str, too_long: usize, code: &'static str) -> Field {
    field(name, x(too_long), [code; 4])
}

/// May be missing.
fn optional(name: &'static str, too_long: usize, done: &'static str, code: &'static str) -> Field {
    field(name, x(too_long), [done, code, code, code])
}

/// May be missing, and may be a number.
fn numeric(name: &'static str, too_long: usize, done: &'static str, code: &'static str) -> Field {
    field(name, x(too_long), [done, done, code, code])
}

fn texts(done: &'static str, code: &'static str) -> Vec<Field> {
    vec![
        numeric("PCD_PAYER_NO", 21, done, code),
        numeric("PCD_PAYER_HP", 21, done, code),
        optional("PCD_PAYER_EMAIL", 101, done, code),
    ]
}

fn payments() -> Vec<Row> {
    let mut monthly = payment(CARD_KEY, "", 1_000);
    monthly["PCD_REGULER_FLAG"] = "Y".into();
    monthly["PCD_PAY_YEAR"] = "2026".into();
    monthly["PCD_PAY_MONTH"] = "11".into();
    let card = "SPCD0003";
    let mut of_card = texts("SPCD0000", card);
    of_card.extend([
        field("PCD_PAYER_ID", x(33), ["SPCD0001", card, card, "SPCD0012"]),
        all("PCD_PAY_GOODS", 2_049, card),
        field("PCD_PAY_TOTAL", "1".repeat(13), [card, "SPCD0002", card, card]),
        optional("PCD_PAY_OID", 256, "SPCD0000", card),
        all("PCD_SIMPLE_FLAG", 2, card),
        optional("PCD_PAY_ISTAX", 2, "SPCD0000", card),
        field("PCD_PAY_TAXTOTAL", "1".repeat(13), ["SPCD0000", "SPCD0000", card, card]),
        optional("PCD_PAYER_NAME", 81, "SPCD0000", card),
        optional("PCD_USER_DEFINE1", 2_049, "SPCD0000", card),
        optional("PCD_USER_DEFINE2", 2_049, "SPCD0000", card),
        optional("PCD_PAY_TYPE", 9, "SPCD0000", card),
    ]);
    let account = "SPAY0019";
    let of_account = vec![
        field("PCD_PAYER_ID", x(33), ["SPAY0005", account, account, "SPAY0005"]),
        field("PCD_PAY_TOTAL", "1".repeat(13), [account, "PAYU0002", account, account]),
        optional("PCD_TAXSAVE_FLAG", 2, "SPAY0000", account),
    ];
    let of_month = vec![
        all("PCD_PAY_YEAR", 5, "RPCD0004"),
        // Seven is a month, and one that nothing was paid for.
        field("PCD_PAY_MONTH", x(3), ["RPCD0005", "SPCD0000", "RPCD0005", "RPCD0005"]),
        field("PCD_PAY_GOODS", x(2_049), ["RPCD0003", "RPCD9999", "RPCD9999", "RPCD9999"]),
    ];
    vec![
        (SIMPLE_CARD.into(), payment(CARD_KEY, "", 1_000), "SPCD0000", of_card),
        (SIMPLE_ACCOUNT.into(), payment(ACCOUNT_KEY, "", 1_000), "SPAY0000", of_account),
        (MONTHLY_CARD.into(), monthly, "SPCD0000", of_month),
    ]
}

fn others(day: &str, refund_key: &str) -> Vec<Row> {
    let user = |act: &str| format!("{USER}?ACT_={act}");
    let mut registers = texts("CDAU0000", "CDAU9998");
    registers.extend([
        all("PCD_PAY_TYPE", 9, "CDAUCK01"),
        all("PCD_PAY_WORK", 9, "CDAUCK02"),
        all("PCD_PAYER_BIRTH", 11, "CDAUCK03"),
        all("PCD_PAY_CARDNUM", 17, "CDAUCK04"),
        all("PCD_PAY_CARDEXYEAR", 3, "CDAUCK05"),
        all("PCD_PAY_CARDEXMONTH", 3, "CDAUCK05"),
        all("PCD_PAY_CARDPW", 3, "CDAUCK06"),
        optional("PCD_PAYER_NAME", 101, "CDAU0000", "CDAU9998"),
    ]);
    let refund = json!({ "PCD_REFUND_KEY": refund_key, "PCD_PAYCANCEL_FLAG": "Y",
        "PCD_PAY_OID": "nothing", "PCD_PAY_DATE": day, "PCD_REFUND_TOTAL": "100" });
    let (form, none) = ("PAYC0003", "PAYC0004");
    let refunds = vec![
        field("PCD_REFUND_KEY", x(65), ["PAYC0001"; 4]),
        all("PCD_PAYCANCEL_FLAG", 2, form),
        all("PCD_PAY_OID", 256, form),
        all("PCD_PAY_DATE", 9, form),
        field("PCD_REFUND_TOTAL", "1".repeat(13), [none, none, form, form]),
        field("PCD_REFUND_TAXTOTAL", "1".repeat(13), [none, none, form, form]),
    ];
    let check = json!({ "PCD_PAYCHK_FLAG": "Y", "PCD_PAY_TYPE": "card", "PCD_PAY_OID": "nothing",
        "PCD_PAY_DATE": day });
    let checks = vec![
        all("PCD_PAYCHK_FLAG", 2, "CBIL0001"),
        all("PCD_PAY_TYPE", 9, "CBIL0003"),
        all("PCD_PAY_OID", 256, "CBIL0003"),
        all("PCD_PAY_DATE", 9, "CBIL0003"),
    ];
    let receipt = json!({ "PCD_PAYER_ID": ACCOUNT_KEY, "PCD_PAY_OID": "nothing",
        "PCD_TAXSAVE_TRADEUSE": "personal", "PCD_TAXSAVE_IDENTINUM": "01023456789" });
    let (form, none) = ("TSAV0003", "TSAV0004");
    let receipts = vec![
        field("PCD_PAYER_ID", x(33), [form, form, form, none]),
        all("PCD_PAY_OID", 256, form),
        all("PCD_TAXSAVE_TRADEUSE", 9, form),
        all("PCD_TAXSAVE_IDENTINUM", 19, form),
        field("PCD_TAXSAVE_AMOUNT", "1".repeat(13), [none, none, form, form]),
    ];
    let key = || vec![field("PCD_PAYER_ID", x(33), ["PUIF0001"; 4])];
    vec![
        (user("PUSERINFO"), json!({ "PCD_PAYER_ID": CARD_KEY }), "0000", key()),
        (user("PUSERDEL"), json!({ "PCD_PAYER_ID": CARD_KEY }), "PUSER0000", key()),
        (user("AUTHREG"), registration(super::CARD), "CDAU0000", registers),
        (REFUND.into(), refund, none_of(REFUND), refunds),
        (CHECK.into(), check, none_of(CHECK), checks),
        (format!("{RECEIPT}?ACT_=TSREG"), receipt, none_of(RECEIPT), receipts),
    ]
}

/// What a good body about a payment that is not there is answered with.
fn none_of(path: &str) -> &'static str {
    match path {
        REFUND => "PAYC0004",
        CHECK => "CBIL0003",
        _ => "TSAV0004",
    }
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_follow_up_call() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let day = app.hub.now().day().to_string();
    let (mut cases, mut fields) = (0, 0);
    // Payments last: what they leave must not be found by the others.
    for (path, good, done, of) in others(&day, &shop.refund_key).into_iter().chain(payments()) {
        for field in &of {
            fields += 1;
            for wrong in WRONG {
                let (value, wanted) = field.case(wrong);
                let script = matches!(wrong, "wrong script" | "full-width digits");
                let any = script && FREE.contains(&field.name);
                let wanted = if any && field.name != "PCD_REFUND_KEY" { done } else { wanted };
                let mut body = good.clone();
                // An order of its own each time.
                if good["PCD_PAY_OID"] == "" {
                    body["PCD_PAY_OID"] = format!("o-{cases}").into();
                    body["PCD_PAY_MONTH"] = format!("{}", cases % 12 + 1).into();
                    body["PCD_PAY_YEAR"] = format!("{}", 2_030 + cases / 12).into();
                }
                match value {
                    Some(value) => body[field.name] = value,
                    None => drop(body.as_object_mut().unwrap().remove(field.name)),
                }
                let case = format!("{path} {} {wrong}", field.name);
                let before = app.dump();
                let answer = shop.send(&path, body).await;
                assert_eq!(answer.status, 200, "{case}");
                assert_eq!(code(&answer), wanted, "{case}: {}", answer.text);
                let message = answer.get("PCD_PAY_MSG");
                match Code::find(wanted) {
                    Some(known) => {
                        let text = format!("[Test] [{wanted}] {}", known.entry().ko);
                        assert!(message.starts_with(&text), "{case}: {message}");
                        assert_eq!(app.dump(), before, "{case}: nothing is written");
                    }
                    None => assert!(!message.starts_with('['), "{case}: {message}"),
                }
                cases += 1;
            }
        }
    }
    assert_eq!(cases, fields * WRONG.len() as i64);
    assert!(fields > 45, "{fields}");
}

/// What a session is refused with is the job's own.
#[tokio::test(start_paused = true)]
async fn the_session_of_every_follow_up_call() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let day = app.hub.now().day().to_string();
    let sessions = [
        ("SPCD9991", "SPCD0004"),
        ("SPAY0001", "SPAY0001"),
        ("RPCD9991", "RPCD0006"),
        ("PUIF0002", "PUIF0002"),
        ("PUIF0002", "PUIF0002"),
        ("CDAU9991", "CDAU0001"),
        ("PAYC0002", "PAYC0002"),
        ("CBIL0001", "CBIL0002"),
        ("TSAV0002", "TSAV0002"),
    ];
    let rows = payments().into_iter().chain(others(&day, &shop.refund_key));
    let before = app.dump();
    for ((path, good, ..), (partner, session)) in rows.zip(sessions) {
        let of = [
            all("PCD_CST_ID", 13, partner),
            all("PCD_CUST_KEY", 256, partner),
            all("PCD_AUTH_KEY", 256, session),
        ];
        for field in &of {
            for wrong in WRONG {
                let (value, wanted) = field.case(wrong);
                let mut rest = good.clone();
                rest[field.name] = value.unwrap_or(Value::Null);
                let answer = shop.send(&path, rest).await;
                let case = format!("{path} {} {wrong}", field.name);
                assert_eq!(code(&answer), wanted, "{case}: {}", answer.text);
            }
        }
    }
    assert_eq!(app.dump(), before);
}

/// Characters that hide, reorder or are half of something, in any text of a payment.
#[tokio::test(start_paused = true)]
async fn what_hides_in_a_text_of_a_payment_is_refused() {
    let app = setup().app().await;
    let shop = Shop::open(app.test()).await;
    shop.documented_keys().await;
    let before = app.dump();
    for name in ["PCD_PAY_GOODS", "PCD_PAY_OID", "PCD_PAYER_NAME", "PCD_USER_DEFINE1"] {
        for hidden in crate::bad_input::HIDDEN {
            let mut body = payment(CARD_KEY, "o-1", 1_000);
            body[name] = format!("정{hidden}").into();
            let answer = shop.send(SIMPLE_CARD, body).await;
            assert_eq!(code(&answer), "SPCD0003", "{name} {}", hidden.escape_unicode());
        }
    }
    for amount in ["0", "-1", "+1", "01", "1e3", "1.0", "9007199254740993000", " 1000", "１０００"]
    {
        let mut body = payment(CARD_KEY, "o-1", 1_000);
        body["PCD_PAY_TOTAL"] = amount.into();
        assert_eq!(code(&shop.send(SIMPLE_CARD, body).await), "SPCD0003", "{amount}");
    }
    assert_eq!(app.dump(), before);
}
