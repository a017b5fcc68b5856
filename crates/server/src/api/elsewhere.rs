//! Calls of partners that another cell serves: sent on to its nodes, whole and as they came.
//!
//! Nothing is decided here. Credentials, and whether the partner is there, are looked at where the call goes;
//! a call that was sent on once is not sent on again.

use super::answer::{SentOn, Unread, status};
use super::call::{collect, source};
use super::{Api, cpay};
use crate::auth;
use crate::cells::Route;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use ichae_domain::code::Code;
use ichae_wire::bulk;
use ichae_wire::json::Fields;
use secrecy::zeroize::Zeroizing;
use std::time::Duration;

/// That a call comes from another cell.
const SENT_ON: HeaderName = HeaderName::from_static("ichae-sent-on");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const CST_ID: &str = "cst_id";
/// How long another cell's node may take to take a connection.
const CONNECT: Duration = Duration::from_millis(800);

/// Sends calls on.
pub struct Forwarder {
    client: reqwest::Client,
}

impl Forwarder {
    /// `silence`: an answer that has nothing new for so long is given up.
    pub fn new(silence: Duration) -> Result<Forwarder, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(silence)
            .pool_idle_timeout(Duration::from_secs(20))
            .build()?;
        Ok(Forwarder { client })
    }
}

/// Where a call belongs.
enum Place {
    Here,
    There(Route),
}

/// Lets calls of our own partners through, and sends the others on.
pub async fn aside(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.hub.cells.is_empty() {
        return next.run(request).await;
    }
    let for_cpay = cpay::is_path(request.uri().path());
    let unread = |unread: Unread| if for_cpay { cpay::unread(unread) } else { unread.hub() };
    let (place, request) = match place(&api, request, for_cpay).await {
        Ok(found) => found,
        Err(fault) => return unread(fault),
    };
    match place {
        Place::Here => next.run(request).await,
        Place::There(Route::Between) => unread(Unread::busy()),
        Place::There(Route::To(_)) if request.headers().contains_key(SENT_ON) => {
            // Its sender knows better than we, or we better than it: one of us is told in a moment.
            unread(Unread::busy())
        }
        Place::There(Route::To(url)) => match send_on(&api, &url, request).await {
            Ok(response) => response,
            Err(code) => {
                let text = code.entry().ko.to_owned();
                unread(Unread { status: status(code), code, text })
            }
        },
    }
}

/// Whose call it is: by its token, by the head of a bulk call, by its address or by its body, which is read
/// for that and put back.
async fn place(api: &Api, request: Request, for_cpay: bool) -> Result<(Place, Request), Unread> {
    let hub = &api.hub;
    let sent_on = request.headers().contains_key(SENT_ON);
    let by_id = |cst_id: &str| match hub.directory.by_id(cst_id) {
        Some(_) => Place::Here,
        None => elsewhere(hub.cells.by_id(cst_id), sent_on),
    };
    if let Some(header) = request.headers().get(AUTHORIZATION) {
        let place = match auth::whose(hub, header.as_bytes()) {
            Some(no) if hub.directory.by_no(no).is_none() => {
                elsewhere(hub.cells.by_no(no), sent_on)
            }
            _ => Place::Here,
        };
        return Ok((place, request));
    }
    if let Some(cst_id) = request.headers().get(bulk::CST_ID).and_then(|id| id.to_str().ok()) {
        return Ok((by_id(cst_id), request));
    }
    if let Some(cst_id) = cpay::query(&request, CST_ID).filter(|_| for_cpay) {
        return Ok((by_id(&cst_id), request));
    }
    if request.method() != Method::POST {
        return Ok((Place::Here, request));
    }
    let (parts, body) = request.into_parts();
    let bytes = Zeroizing::new(collect(body, api.settings.body_timeout).await?);
    let place = match Fields::parse(&bytes).as_ref().map(|fields| fields.text(CST_ID)) {
        Ok(Ok(Some(cst_id))) => by_id(cst_id),
        _ => Place::Here,
    };
    Ok((place, Request::from_parts(parts, Body::from(bytes.to_vec()))))
}

/// Nobody's: here, where it is refused; but not where another cell said that it is ours.
fn elsewhere(known: Option<Route>, sent_on: bool) -> Place {
    match known {
        Some(route) => Place::There(route),
        None if sent_on => Place::There(Route::Between),
        None => Place::Here,
    }
}

/// Errors: T0503 where nobody took the call, T0504 where its answer was lost.
async fn send_on(api: &Api, url: &str, request: Request) -> Result<Response, Code> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let (from, by_proxy) = source(api, &parts.extensions, &parts.headers);
    let mut headers = without_hops(parts.headers);
    let scheme = HeaderValue::from_static(if api.settings.tls { "https" } else { "http" });
    if !by_proxy || !headers.contains_key(FORWARDED_PROTO) {
        // Not what a caller says of itself.
        headers.insert(FORWARDED_PROTO, scheme);
    }
    headers.insert(SENT_ON, HeaderValue::from_static("1"));
    if let Ok(from) = HeaderValue::from_str(&from.to_string()) {
        headers.insert(FORWARDED_FOR, from);
    }
    let sending = api
        .forwarder
        .client
        .request(parts.method, format!("{url}{path}"))
        .headers(headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send();
    let told = sending.await.map_err(|error| {
        // Without the address: it may have a partner's id in it.
        let connected = !error.is_connect();
        tracing::warn!(connected, "another cell did not answer a call that was sent on");
        if connected { Code::T0504 } else { Code::T0503 }
    })?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = told.status();
    response.extensions_mut().insert(SentOn);
    *response.headers_mut() = without_hops(told.headers().clone());
    *response.body_mut() = Body::from_stream(told.bytes_stream());
    Ok(response)
}

/// Without what is of one connection only. A length that stands beside another way of saying where a body
/// ends is none.
fn without_hops(mut headers: HeaderMap) -> HeaderMap {
    if headers.remove(TRANSFER_ENCODING).is_some() {
        headers.remove(CONTENT_LENGTH);
    }
    for name in [CONNECTION, UPGRADE, TE, TRAILER] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers
}
