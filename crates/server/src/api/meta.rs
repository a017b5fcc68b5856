//! For operators and monitors: life, readiness, metrics, and what is not served.

use super::Api;
use super::answer::Unread;
use super::cpay;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// The process runs. Never depends on the store.
#[utoipa::path(get, path = "/livez", tag = "operation",
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain")))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// The process can take work: the store answers and it does not drain.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "Ready", body = String, content_type = "text/plain"),
              (status = 503, description = "Not ready", body = String, content_type = "text/plain")))]
pub async fn readyz(State(api): State<Api>) -> Response {
    if *api.draining.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    match api.hub.read(|r| r.answers()).await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response(),
    }
}

/// OpenMetrics text.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "OpenMetrics", body = String,
               content_type = "application/openmetrics-text")))]
pub async fn metrics(State(api): State<Api>) -> Response {
    let metrics = &api.hub.metrics;
    metrics.queue_depth.set(i64::try_from(api.hub.writer.depth()).unwrap_or(i64::MAX));
    let now = api.hub.now();
    metrics.rail_open.set(i64::from(api.hub.calendar.open_from(now) <= now));
    if let Ok((rail, (unknown, won))) = api.hub.read(|r| Ok((r.rail()?, r.unknown_sum()?))).await {
        metrics.rail_paused.set(i64::from(rail.pause.is_some()));
        metrics.unknown.set(unknown);
        metrics.unknown_won.set(won.0);
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], metrics.text()).into_response()
}

pub async fn not_found(uri: Uri) -> Response {
    unread(&uri, Unread::fault(StatusCode::NOT_FOUND, "제공하지 않는 경로입니다."))
}

pub async fn wrong_method(uri: Uri) -> Response {
    unread(&uri, Unread::fault(StatusCode::METHOD_NOT_ALLOWED, "POST로 요청해주세요."))
}

/// On cpay's paths, that API's own fields as well (decision H1).
fn unread(uri: &Uri, unread: Unread) -> Response {
    match cpay::is_path(uri.path()) {
        true => cpay::unread(unread),
        false => unread.hub(),
    }
}
