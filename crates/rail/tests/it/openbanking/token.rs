//! What the token call's answer means (openbanking 2).

use super::samples::{code, reply};
use ichae_rail::openbanking::message::Got;
use ichae_rail::openbanking::token::{NoToken, read};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::time::Duration;

fn good() -> Value {
    json!({
        "access_token": "eyJ.abc.def",
        "token_type": "Bearer",
        "expires_in": "7776000",
        "scope": "oob",
        "client_use_code": "M202112389",
    })
}

#[test]
fn a_token_has_a_lifetime_in_either_form() {
    for seconds in [json!("7776000"), json!(7_776_000)] {
        let mut answer = good();
        answer["expires_in"] = seconds;
        let token = read(&reply(200, answer.to_string())).unwrap();
        assert_eq!(token.value.expose_secret(), "eyJ.abc.def");
        assert_eq!(token.lifetime, Duration::from_secs(7_776_000));
        assert_eq!(token.institution.as_deref(), Some("M202112389"));
        assert!(!format!("{token:?}").contains("eyJ"));
    }
    let mut long = good();
    long["expires_in"] = json!(u64::MAX);
    let token = read(&reply(200, long.to_string())).unwrap();
    assert_eq!(token.lifetime, Duration::from_secs(366 * 24 * 3_600));
}

#[test]
fn anything_else_is_no_token() {
    for (key, value) in [
        ("access_token", json!(null)),
        ("access_token", json!("")),
        ("access_token", json!("a b")),
        ("access_token", json!("a\r\nb")),
        ("access_token", json!("토큰")),
        ("access_token", json!("x".repeat(8_193))),
        ("access_token", json!(["x"])),
        ("token_type", json!("mac")),
        ("expires_in", json!(null)),
        ("expires_in", json!("0")),
        ("expires_in", json!(0)),
        ("expires_in", json!(-1)),
        ("expires_in", json!(1.5)),
        ("expires_in", json!("soon")),
        ("client_use_code", json!(7)),
        ("rsp_code", json!("O0002")),
        ("rsp_code", json!("A0003")),
        ("rsp_code", json!("?")),
    ] {
        let mut answer = good();
        answer[key] = value.clone();
        let got = read(&reply(200, answer.to_string()));
        assert_eq!(got.err(), Some(NoToken::NoAnswer), "{key} {value}");
    }
    let whole = good().to_string();
    for got in [Got::NotSent, Got::TimedOut, Got::Lost, reply(500, whole), reply(200, "<html>")] {
        assert_eq!(read(&got).err(), Some(NoToken::NoAnswer), "{got:?}");
    }
}

#[test]
fn a_refusal_is_trouble_on_our_side() {
    for status in [200, 400, 401] {
        for text in ["O0001", "O0006", "O0008"] {
            let got = reply(status, json!({ "rsp_code": text, "rsp_message": "" }).to_string());
            assert_eq!(read(&got).err(), Some(NoToken::Refused(code(text))), "{status} {text}");
        }
    }
}
