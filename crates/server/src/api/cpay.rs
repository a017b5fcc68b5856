//! The cpay endpoints, one file each: partner auth, keys, payments, refunds, receipts (decisions C1 to C7).
//!
//! Every answer of the API itself is HTTP 200 and has all the fields that clients read without looking.

pub mod auth;
pub mod check;
mod example;
pub mod pay;
pub mod receipt;
mod referer;
pub mod refund;
pub mod user;

use super::Api;
use super::answer::{Unread, json, status};
use super::call::{Call, read};
use crate::auth as caller;
use crate::config::Environment;
use crate::directory::Entry;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ichae_domain::billing::{Charge, Method, Trade, TradeState, words};
use ichae_domain::code::Code;
use ichae_domain::refusal::{Detail, Refusal};
use ichae_store::billing::ChargeRow;
use ichae_store::port::StoreError;
use ichae_wire::cpay::failure::Failure;
use ichae_wire::cpay::{Job, session};
use std::sync::Arc;

/// One follow-up call, read.
pub struct Follow {
    pub call: Call,
    headers: HeaderMap,
    /// `ACT_` of its query.
    pub act: Option<String>,
}

impl FromRequest<Api> for Follow {
    type Rejection = Response;

    async fn from_request(request: Request, api: &Api) -> Result<Follow, Response> {
        let act = query(&request, "ACT_");
        let (mut call, headers, body) = Call::begun(request, api).map_err(unread)?;
        call.fields = read(body, api.settings.body_timeout).await.map_err(unread)?;
        Ok(Follow { call, headers, act })
    }
}

/// The first value of that name in a call's query.
pub(super) fn query(request: &Request, name: &str) -> Option<String> {
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(request.uri()).ok()?;
    pairs.0.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Whether this API's clients read the answer.
pub fn is_path(path: &str) -> bool {
    path.starts_with("/php/")
}

/// A handler that panicked, with what its clients look for.
pub fn broke(request_id: uuid::Uuid) -> Response {
    json(StatusCode::OK, Code::T0999, &Failure::internal(request_id.to_string()))
}

/// A fault below the API, in this API's fields and the other's (decision H1).
pub fn unread(unread: Unread) -> Response {
    let mut body = Failure::fault(unread.code);
    body.head.pcd_pay_msg = format!("[{}] {}", unread.code.name(), unread.text);
    body.message = Some(unread.text);
    json(unread.status, unread.code, &body)
}

impl Follow {
    /// The partner: credentials, AuthKey, and that both are one's; then where the call comes from.
    pub fn partner(&self, job: Job) -> Result<Arc<Entry>, Response> {
        let refuse = |refusal: Refusal| self.refuse(&refusal);
        let given = session::parse(&self.call.fields, job).map_err(refuse)?;
        let hub = &self.call.api.hub;
        let entry = caller::known(hub, &given.cst_id, &given.cust_key, job.partner());
        let entry = entry.map_err(refuse)?;
        let auth_key = secrecy::ExposeSecret::expose_secret(&given.auth_key);
        let bearer = hub.auth_keys.load().read(auth_key, hub.now());
        let own = |bearer: &crate::token::Bearer| {
            bearer.partner == entry.partner.no && bearer.generation == entry.partner.key_generation
        };
        bearer.ok().filter(own).ok_or_else(|| refuse(job.session().into()))?;
        admit(&self.call, &self.headers, &entry).map_err(refuse)?;
        if self.call.exceeds_rate(entry.partner.no) {
            return Err(refuse(Code::T0429.into()));
        }
        self.call.is_of(&entry);
        Ok(entry)
    }

    pub fn refuse(&self, refusal: &Refusal) -> Response {
        if refusal.code == Code::T0999 {
            return self.internal("the command was refused inside");
        }
        let body = match refusal.code {
            Code::T0429 | Code::T0503 | Code::T0504 => Failure::fault(refusal.code),
            _ => Failure::of(refusal, self.is_test()),
        };
        json(status(refusal.code), refusal.code, &body.about(&self.call.fields))
    }

    pub fn is_test(&self) -> bool {
        self.call.api.hub.environment == Environment::Test
    }

    /// T0999 with a reference to the log line and nothing else.
    pub fn internal(&self, what: &str) -> Response {
        let reference = self.call.request_id.to_string();
        tracing::error!(request_id = %reference, what, "internal fault");
        let body = Failure::internal(reference).about(&self.call.fields);
        json(StatusCode::OK, Code::T0999, &body)
    }

    pub fn unreadable(&self, error: &StoreError) -> Response {
        if error.is_outage() {
            return self.refuse(&Code::T0503.into());
        }
        self.internal(&error.to_string())
    }

    /// Success. What it is about has a code of its own, which the log need not know.
    pub fn done(&self, body: &impl serde::Serialize) -> Response {
        json(StatusCode::OK, Code::A0000, body)
    }
}

/// Address and, in LIVE, Referer (decision C2).
fn admit(call: &Call, headers: &HeaderMap, entry: &Entry) -> Result<(), Refusal> {
    let live = call.api.hub.environment == Environment::Live;
    let known = !live || referer::is_registered(headers, &entry.partner.billing.domains);
    if entry.admits(call.from) && known { Ok(()) } else { Err(Code::AUTH0004.into()) }
}

/// What a call that is not done is answered with: refused with the institution's reason, or not known.
fn undone(method: Method, monthly: bool, trade: &Trade) -> Refusal {
    let words = words(method, monthly);
    by_reason(trade, words.refused, words.unknown)
}

fn by_reason(trade: &Trade, refused: Code, unknown: Code) -> Refusal {
    match (trade.state, trade.reason) {
        (TradeState::Refused, Some(reason)) => {
            Refusal { code: refused, detail: Detail::Institution(reason) }
        }
        (TradeState::Refused, None) => refused.into(),
        _ => unknown.into(),
    }
}

/// A payment as the command left it. Nothing is read again: what was done is answered even where the store
/// does not answer any more.
fn as_left(row: ChargeRow, charge: Charge, trade: &Trade) -> ChargeRow {
    let mut trades = row.trades;
    trades.retain(|known| known.no != trade.no);
    trades.push(trade.clone());
    ChargeRow { charge, trades, ..row }
}
