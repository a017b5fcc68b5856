//! Bulk intake: a platform's settlement day in one call.
//!
//! Body and answer are streams of lines. What arrives is decided in slices ([`intake`]) and answered
//! row by row once it is durable. The answers that nobody has read yet wait in memory, at most one
//! for each row, so that the rows go on being taken; few calls at once may do that.

mod intake;
mod lines;

use super::Api;
use super::answer::{Answered, Said, Unread, fault};
use super::call::Call;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream;
use ichae_domain::code::Code;
use ichae_wire::bulk::{self, BYTES_MAX, RowBody, TakenLine};
use ichae_wire::hub::refusal::RefusalBody;
use intake::Intake;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Bulk calls at once; a further one is told "busy". Each may hold 40 MB of unread answers.
pub const CALLS_MAX: usize = 8;

/// Places for bulk calls.
pub type Places = Arc<Semaphore>;

/// Queues many payouts, each row by the rules of `/transfer/request`, all in a group of their own.
/// Ours, not in Payple's documents.
///
/// One JSON object a line, up to 100,000 rows or 32 MiB; `distinct_key` is required in every row, so
/// that a call that was cut can be sent again whole: what was taken then answers R0132. Each row is
/// answered with a line of its own, in order, once it is durable. Rows are taken whether or not the
/// answers are read. Nothing moves before the group is executed.
#[utoipa::path(post, path = bulk::PATH, tag = "bulk",
    request_body(content = RowBody, content_type = "application/x-ndjson",
                 description = "One such object a line"),
    params(("ichae-cst-id" = String, Header, description = "Partner id"),
           ("ichae-cust-key" = String, Header, description = "Partner key")),
    security(("bearer" = [])),
    responses((status = 200, description = "A line for each row: what was taken, or its refusal \
               (R0101 R0102 R0103 R0110 R0112 R0113 R0120 R0130 R0131 R0132 R0133 R0140 T0340 T0400 \
               T0503). Refused credentials are one JSON object instead",
               content((TakenLine<'_> = "application/x-ndjson"),
                       (RefusalBody = "application/json"))),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn payouts(State(api): State<Api>, request: Request) -> Answered {
    let (call, headers, body) = Call::begun(request, &api).map_err(Unread::hub)?;
    let entry = call.caller_in_head(&headers)?;
    if announced(&headers).is_some_and(|length| length > BYTES_MAX) {
        return Err(fault(StatusCode::PAYLOAD_TOO_LARGE, "요청 본문이 32 MiB를 초과했습니다."));
    }
    let Ok(place) = Arc::clone(&api.bulk).try_acquire_owned() else {
        return Err(call.refuse(None, &Code::T0503.into()));
    };
    // As many lines as rows at most, which the intake sees to.
    let (answers, unread) = mpsc::unbounded_channel();
    let intake = Intake::new(call, entry, answers);
    // Not tied to the connection: what arrived is taken even if the client hangs up.
    tokio::spawn(async move {
        intake.run(body).await;
        drop(place);
    });
    Ok(streamed(unread))
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn streamed(unread: mpsc::UnboundedReceiver<Bytes>) -> Response {
    let lines = stream::unfold(unread, |mut unread| async move {
        let lines = unread.recv().await?;
        Some((Ok::<_, Infallible>(lines), unread))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(bulk::LINES));
    response.extensions_mut().insert(Said(Code::A0000));
    response
}
