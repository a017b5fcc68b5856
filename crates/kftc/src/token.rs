//! Tokens: POST /oauth/2.0/token, and who may call with what (openbanking 2).

use crate::answer::{self, Body};
use crate::route::Centre;
use hyper::Response;
use ichae_domain::time::Time;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Tokens that are kept at most; the one that ends first goes.
const TOKENS_MAX: usize = 4_096;

/// The tokens that were given out, each with its end. A restart forgets them.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<String, Time>>);

impl Tokens {
    fn give(&self, end: Time) -> String {
        let token = format!("{}{}", uuid::Uuid::now_v7().simple(), uuid::Uuid::now_v7().simple());
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            let oldest = tokens.iter().min_by_key(|(_, end)| **end).map(|(token, _)| token.clone());
            oldest.and_then(|token| tokens.remove(&token));
        }
        tokens.insert(token.clone(), end);
        token
    }

    /// Ends a token before its time.
    pub fn kill(&self, token: &str) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = tokens.get_mut(token) {
            *end = Time(i64::MIN);
        }
    }

    /// The code that refuses a token: O0002 if it is none of ours, O0003 after its end.
    pub fn refuses(&self, token: &str, now: Time) -> Option<&'static str> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match tokens.get(token) {
            None => Some("O0002"),
            Some(end) if *end <= now => Some("O0003"),
            Some(_) => None,
        }
    }
}

/// Gives out a token; O0001 for wrong credentials, scope or kind of grant.
pub fn call(centre: &Centre, body: &[u8], now: Time) -> Response<Body> {
    let settings = &centre.settings;
    let fields: Vec<_> = form_urlencoded::parse(body).collect();
    // A name that comes twice says nothing.
    let field = |wanted: &str| {
        let mut found = fields.iter().filter(|(name, _)| name == wanted);
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_ref())
    };
    let ours = field("client_id") == Some(settings.client_id.as_str())
        && field("client_secret") == Some(settings.client_secret.expose_secret());
    let grants = field("grant_type") == Some("client_credentials");
    let scope = field("scope").filter(|scope| ["oob", "sa"].contains(scope));
    let Some(scope) = scope.filter(|_| ours && grants) else {
        return answer::code(now, "O0001");
    };
    let life = settings.token_life;
    let ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
    answer::json(&json!({
        "access_token": centre.tokens.give(now.plus_ms(ms)),
        "token_type": "Bearer",
        "expires_in": life.as_secs(),
        "scope": scope,
        "client_use_code": settings.institution,
    }))
}
