//! Answers: HTTP 200 for what the API itself says, a status of its own for faults below it
//! (decision H1). Never a stack and never an internal text.

use crate::api::call::Call;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use ichae_domain::code::Code;
use ichae_domain::ident::PartnerNo;
use ichae_domain::refusal::Refusal;
use ichae_store::port::StoreError;
use ichae_wire::hub::refusal::RefusalBody;
use serde::Serialize;

/// Seconds that a busy answer asks to wait.
const RETRY_AFTER_S: &str = "1";

/// The answer's code, for the access log and the metrics.
#[derive(Clone, Copy, Debug)]
pub struct Said(pub Code);

pub type Answered = Result<Response, Response>;

/// A body as JSON.
pub fn json(status: StatusCode, code: Code, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => respond(status, code, Body::from(bytes)),
        // Our own types always serialise; an empty 500 would be a fault below the API.
        Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, Code::T0999, Body::empty()),
    }
}

pub fn respond(status: StatusCode, code: Code, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response.extensions_mut().insert(Said(code));
    response
}

/// Marks another cell's answer.
#[derive(Clone, Copy)]
pub struct SentOn;

/// Marks the answer of a handler that panicked.
#[derive(Clone, Copy)]
pub struct Broke;

/// A handler that panicked: it is not known how far it came (decision H1). The access log has the
/// request's id; the panic itself is printed by the runtime.
pub fn broke(_panic: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler broke");
    let mut response = json(StatusCode::OK, Code::T0999, &RefusalBody::from(Code::T0999));
    response.extensions_mut().insert(Broke);
    response
}

/// Success.
pub fn done(body: &impl Serialize) -> Response {
    json(StatusCode::OK, Code::A0000, body)
}

/// A fault below the API: status and code (decision H1).
pub fn fault(status: StatusCode, message: &str) -> Response {
    Unread::fault(status, message).hub()
}

/// Why a call came to no handler (decision H1). Which fields say so depends on the API that was called.
#[derive(Debug)]
pub struct Unread {
    pub status: StatusCode,
    pub code: Code,
    /// Where it is more than the code's own.
    pub text: String,
}

impl Unread {
    pub fn fault(status: StatusCode, text: &str) -> Unread {
        Unread { status, code: Code::T0400, text: text.to_owned() }
    }

    pub fn busy() -> Unread {
        let code = Code::T0503;
        Unread { status: status(code), code, text: code.entry().ko.to_owned() }
    }

    /// As the Hub API says it.
    pub fn hub(self) -> Response {
        let body = RefusalBody { message: self.text, ..RefusalBody::from(self.code) };
        json(self.status, self.code, &body)
    }
}

/// Busy answers keep their HTTP status; all other refusals are HTTP 200.
pub(super) fn status(code: Code) -> StatusCode {
    match code {
        Code::T0429 => StatusCode::TOO_MANY_REQUESTS,
        Code::T0503 | Code::T0504 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}

impl Call {
    /// A refusal, with its rows' identifiers encoded for the partner that asked.
    pub fn refuse(&self, partner: Option<PartnerNo>, refusal: &Refusal) -> Response {
        if refusal.code == Code::T0999 {
            return self.internal("the command was refused inside");
        }
        let id =
            |kind, serial| partner.map(|no| self.api.hub.id(kind, no, serial)).unwrap_or_default();
        json(status(refusal.code), refusal.code, &RefusalBody::of(refusal, id))
    }

    /// T0999 with a reference to the log line and nothing else.
    pub fn internal(&self, what: &str) -> Response {
        let reference = self.request_id.to_string();
        tracing::error!(request_id = %reference, what, "internal fault");
        json(StatusCode::OK, Code::T0999, &RefusalBody::internal(reference))
    }

    /// A read that failed: busy where the store did not answer in time, else a fault.
    pub fn unread(&self, error: &StoreError) -> Response {
        if error.is_outage() {
            return self.refuse(None, &Code::T0503.into());
        }
        self.internal(&error.to_string())
    }
}
