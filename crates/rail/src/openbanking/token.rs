//! `POST /oauth/2.0/token`: the token that every other call carries (openbanking 2).

use super::json::Node;
use super::message::{Body, Got, Outgoing};
use super::settings::Settings;
use ichae_domain::bank::{BankClass, BankCode};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt::Write as _;
use std::time::Duration;

pub const PATH: &str = "/oauth/2.0/token";

/// A token of a JWT's size and then some.
const TOKEN_MAX: usize = 8_192;
/// Longer than any that was seen (90 days), so that no number of seconds runs over.
const LIFETIME_MAX: u64 = 366 * 24 * 3_600;

#[derive(Clone, Debug)]
pub struct Token {
    pub value: SecretString,
    pub lifetime: Duration,
    /// `client_use_code`, where the answer has it: the institution that it was issued to.
    pub institution: Option<String>,
}

/// Why there is no token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoToken {
    /// Trouble on our own side: the credentials, our address, our rights.
    Refused(BankCode),
    /// It could not be asked for, or the answer was none.
    NoAnswer,
}

/// Writes the request, a form.
pub fn build(settings: &Settings) -> Outgoing {
    let fields = [
        ("client_id", settings.client_id.as_str()),
        ("client_secret", settings.client_secret.expose_secret()),
        ("scope", settings.scope.as_str()),
        ("grant_type", "client_credentials"),
    ];
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(name);
        form.push('=');
        escape(value, &mut form);
    }
    Outgoing { path: PATH, body: Body::Form(form) }
}

fn escape(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Reads the answer.
///
/// # Errors
/// [`NoToken`].
pub fn read(got: &Got) -> Result<Token, NoToken> {
    let Got::Reply { status, body } = got else { return Err(NoToken::NoAnswer) };
    let node = Node::read(body).map_err(|_| NoToken::NoAnswer)?;
    let code = node.code("rsp_code").map_err(|_| NoToken::NoAnswer)?;
    match code {
        Some(code) if code.class() == BankClass::OwnSide => Err(NoToken::Refused(code)),
        Some(code) if code.class() != BankClass::Settled => Err(NoToken::NoAnswer),
        _ if *status == 200 => token(&node).ok_or(NoToken::NoAnswer),
        _ => Err(NoToken::NoAnswer),
    }
}

fn token(node: &Node) -> Option<Token> {
    let value = node.text("access_token").ok()??;
    let visible = value.len() <= TOKEN_MAX && value.bytes().all(|b| b.is_ascii_graphic());
    let bearer = node.text("token_type").ok()?.is_none_or(|t| t.eq_ignore_ascii_case("bearer"));
    if !visible || !bearer {
        return None;
    }
    // Both a number and a text were seen.
    let seconds = match node.get("expires_in")? {
        Node::Whole(seconds) => *seconds,
        Node::Text(text) => text.parse().ok()?,
        _ => return None,
    };
    let institution = node.text("client_use_code").ok()?.map(str::to_owned);
    let lifetime = Duration::from_secs(seconds.min(LIFETIME_MAX));
    (seconds > 0).then(|| Token { value: value.into(), lifetime, institution })
}
