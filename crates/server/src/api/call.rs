//! What every call goes through: a request id, the access log, the time and size limits of a body,
//! and its reading as JSON.

use super::answer::{Broke, Said, SentOn, Unread};
use super::cpay;
use super::{Api, Peer};
use crate::auth;
use crate::directory::Entry;
use crate::metrics::{ByAnswer, ByRoute};
use axum::body::Body;
use axum::extract::{FromRequest, MatchedPath, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ichae_domain::code::{Class, Code};
use ichae_domain::ident::PartnerNo;
use ichae_domain::refusal::Refusal;
use ichae_wire::bulk;
use ichae_wire::hub::credentials;
use ichae_wire::json::Fields;
use secrecy::zeroize::Zeroizing;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;
use uuid::Uuid;

/// Largest body (decision H1).
pub const BODY_MAX: usize = 64 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Calls a second, keyed by partner after it is known, so that the map is bounded.
pub type Limiter = DefaultKeyedRateLimiter<PartnerNo>;

/// `None` for zero: no limit.
pub fn limiter(per_second: u32) -> Option<Arc<Limiter>> {
    let rate = NonZeroU32::new(per_second)?;
    Some(Arc::new(RateLimiter::keyed(Quota::per_second(rate))))
}

#[derive(Clone, Copy)]
struct RequestId(Uuid);

/// One call, read: its body as fields and who sent it.
pub struct Call {
    pub api: Api,
    pub fields: Fields,
    pub from: IpAddr,
    /// Whether the connection is a trusted proxy's.
    pub by_proxy: bool,
    pub request_id: Uuid,
    authorization: Option<HeaderValue>,
    whose: Whose,
}

/// Whose call it turned out to be; shared with what goes around the handler.
#[derive(Clone, Default)]
struct Whose(Arc<OnceLock<PartnerNo>>);

impl Call {
    /// The partner, after every check of decision H6a up to the source address.
    pub fn caller(&self) -> Result<Arc<Entry>, Response> {
        let authorization = self.authorization.as_ref().map(HeaderValue::as_bytes);
        let given = || credentials::parse(&self.fields);
        let entry = auth::caller(&self.api.hub, authorization, self.from, given);
        self.within_rate(entry)
    }

    /// As [`Call::caller`], with the credentials in the call's head.
    pub fn caller_in_head(&self, headers: &HeaderMap) -> Result<Arc<Entry>, Response> {
        let authorization = self.authorization.as_ref().map(HeaderValue::as_bytes);
        let text = |name| std::str::from_utf8(headers.get(name)?.as_bytes()).ok();
        let given = || credentials::of(text(bulk::CST_ID), text(bulk::CUST_KEY));
        let entry = auth::caller(&self.api.hub, authorization, self.from, given);
        self.within_rate(entry)
    }

    /// A call whose body is not read yet.
    pub fn begun(request: Request, api: &Api) -> Result<(Call, HeaderMap, Body), Unread> {
        let (parts, body) = request.into_parts();
        let RequestId(request_id) =
            parts.extensions.get().copied().unwrap_or(RequestId(Uuid::now_v7()));
        let (from, by_proxy) = source(api, &parts.extensions, &parts.headers);
        if *api.draining.borrow() {
            return Err(Unread::busy());
        }
        let authorization = parts.headers.get(AUTHORIZATION).cloned();
        let fields = Fields::default();
        let whose = parts.extensions.get().cloned().unwrap_or_default();
        let api = api.clone();
        let call = Call { api, fields, from, by_proxy, request_id, authorization, whose };
        Ok((call, parts.headers, body))
    }

    /// As [`Call::caller`], for the token's own endpoint.
    pub fn applicant(&self) -> Result<Arc<Entry>, Response> {
        self.within_rate(auth::applicant(&self.api.hub, self.from, &self.fields))
    }

    fn within_rate(&self, entry: Result<Arc<Entry>, Refusal>) -> Result<Arc<Entry>, Response> {
        let entry = entry.map_err(|refusal| self.refuse(None, &refusal))?;
        if self.exceeds_rate(entry.partner.no) {
            return Err(self.refuse(None, &Code::T0429.into()));
        }
        self.is_of(&entry);
        Ok(entry)
    }

    pub(super) fn is_of(&self, entry: &Entry) {
        // A call has one partner.
        let _ = self.whose.0.set(entry.partner.no);
    }

    /// Counts the call; whether it is one too many of this second.
    pub(super) fn exceeds_rate(&self, partner: PartnerNo) -> bool {
        let limiter = self.api.limiter.as_ref();
        limiter.is_some_and(|l| l.check_key(&partner).is_err())
    }
}

impl FromRequest<Api> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, api: &Api) -> Result<Call, Response> {
        let (mut call, _, body) = Call::begun(request, api).map_err(Unread::hub)?;
        call.fields = read(body, api.settings.body_timeout).await.map_err(Unread::hub)?;
        Ok(call)
    }
}

/// A body as fields, within its limits of time and size.
pub(super) async fn read(body: Body, limit: std::time::Duration) -> Result<Fields, Unread> {
    let bytes = Zeroizing::new(collect(body, limit).await?);
    Fields::parse(&bytes)
        .map_err(|unreadable| Unread::fault(StatusCode::BAD_REQUEST, unreadable.ko()))
}

pub(super) async fn collect(body: Body, limit: std::time::Duration) -> Result<Vec<u8>, Unread> {
    let collected = tokio::time::timeout(limit, Limited::new(body, BODY_MAX).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Unread::fault(StatusCode::PAYLOAD_TOO_LARGE, "요청 본문이 64 KiB를 초과했습니다."))
        }
        Ok(Err(_)) => Err(Unread::fault(StatusCode::BAD_REQUEST, Code::T0400.entry().ko)),
        Err(_) => Err(Unread::fault(
            StatusCode::REQUEST_TIMEOUT,
            "요청 본문이 제시간에 도착하지 않았습니다.",
        )),
    }
}

/// The caller's address: the connection's, or what a trusted proxy says, from the right, up to the
/// first address that is no trusted proxy.
pub(super) fn source(
    api: &Api,
    extensions: &axum::http::Extensions,
    headers: &HeaderMap,
) -> (IpAddr, bool) {
    let unknown = Peer(IpAddr::from([0, 0, 0, 0]));
    let peer = extensions.get::<Peer>().copied().unwrap_or(unknown).0.to_canonical();
    let trusted = |ip: &IpAddr| api.settings.trusted_proxies.iter().any(|net| net.contains(ip));
    if !trusted(&peer) {
        return (peer, false);
    }
    let named = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
    let mut nearest = peer;
    for name in named.iter().rev() {
        let Ok(ip) = name.trim().parse::<IpAddr>() else { break };
        nearest = ip.to_canonical();
        if !trusted(&nearest) {
            break;
        }
    }
    (nearest, true)
}

/// Gives the call an id, and writes one line and one count about its answer.
pub async fn around(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7();
    request.extensions_mut().insert(RequestId(id));
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", |path| known_route(path.as_str()));
    let cpay = cpay::is_path(request.uri().path());
    let whose = Whose::default();
    request.extensions_mut().insert(whose.clone());
    let map = api.hub.map();
    let mut response = next.run(request).await;
    if let Some(partner) = whose.0.get()
        && let Some(code) = rests_on_reads(route, &response)
        && !api.hub.was_here(*partner, map).await
    {
        // It moved to another cell while this was read: what was found may be of before.
        let text = code.entry().ko.to_owned();
        let unsaid = Unread { status: super::answer::status(code), code, text };
        response = if cpay { cpay::unread(unsaid) } else { unsaid.hub() };
    }
    if cpay && response.extensions().get::<Broke>().is_some() {
        response = cpay::broke(id);
    }
    let elapsed = started.elapsed();
    let code = response.extensions().get::<Said>().map_or("-", |said| said.0.name());
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let metrics = &api.hub.metrics;
    metrics.requests.get_or_create(&ByAnswer { route, code }).inc();
    metrics.latency.get_or_create(&ByRoute { route }).observe(elapsed.as_secs_f64());
    let status = response.status().as_u16();
    let latency_us = elapsed.as_micros();
    // What was said to a call that was sent on, its own cell has in its log.
    let sent_on = response.extensions().get::<SentOn>().is_some();
    match code {
        _ if sent_on => tracing::debug!(request_id = %id, route, status, latency_us, "sent on"),
        "A0000" | "T0000" | "0000" => {
            tracing::debug!(request_id = %id, route, status, code, latency_us, "answered")
        }
        _ => tracing::info!(request_id = %id, route, status, code, latency_us, "answered"),
    }
    response
}

/// What is said instead of an answer that rests on what was read, where the partner was not here all the
/// while: of look-ups and refusals, which leave nothing, to come again. What was written the store itself has
/// looked at.
fn rests_on_reads(route: &str, response: &Response) -> Option<Code> {
    let class = response.extensions().get::<Said>().map(|said| said.0.entry().class);
    match class {
        Some(Class::Refused) => Some(Code::T0503),
        // It may be a look-up or a removal.
        Some(Class::Ok) if route == super::KEYS => Some(Code::T0504),
        _ if super::LOOK_UPS.contains(&route) => Some(Code::T0503),
        _ => None,
    }
}

/// A route's path as a constant: labels must not be made from what was asked for.
fn known_route(path: &str) -> &'static str {
    super::ROUTES.iter().find(|route| **route == path).copied().unwrap_or("docs")
}
