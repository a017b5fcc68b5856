//! What goes back to a caller: an answer, or the end of its connection.

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use ichae_domain::bank::BankCode;
use ichae_domain::time::Time;
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::io;

/// A body, whole or as it comes.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// No answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Cut {
    #[error("the connection is closed without an answer")]
    Close,
    #[error("the connection is reset")]
    Reset,
}

/// What becomes of a call.
pub type Answer = Result<Response<Body>, Cut>;

const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain; charset=UTF-8";
pub const CSV: &str = "text/csv; charset=UTF-8";

/// An answer of bytes.
pub fn bytes(status: StatusCode, kind: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(bytes.into()).map_err(|never: Infallible| match never {});
    with(status, kind, body.boxed_unsync())
}

/// An answer with any body.
pub fn with(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// HTTP 200 with JSON, as the centre answers whatever it has to say.
pub fn json(value: &Value) -> Response<Body> {
    bytes(StatusCode::OK, JSON, value.to_string())
}

/// HTTP 200 with bytes that claim to be JSON.
pub fn raw(bytes_: Vec<u8>) -> Response<Body> {
    bytes(StatusCode::OK, JSON, bytes_)
}

/// A text for a developer, or for an HTTP error.
pub fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    bytes(status, TEXT, text.into())
}

/// Half of a body under the whole one's length; then the connection ends.
pub fn truncated(whole: Vec<u8>) -> Response<Body> {
    let (length, mut half) = (whole.len(), whole);
    half.truncate(length / 2);
    let pieces = futures_util::stream::unfold(Some(half), |piece| async {
        if let Some(piece) = piece {
            return Some((Ok(Frame::data(Bytes::from(piece))), None));
        }
        // One turn of the connection, so that the half is sent before the end.
        tokio::task::yield_now().await;
        Some((Err(io::Error::other(Cut::Close)), None))
    });
    let mut response = with(StatusCode::OK, JSON, StreamBody::new(pieces).boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// The fields that every answer of the centre begins with (openbanking 4).
pub fn head(now: Time, rsp_code: &str) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("api_tran_id".to_owned(), uuid::Uuid::now_v7().to_string().into());
    head.insert("api_tran_dtm".to_owned(), now.seoul_17().into());
    head.insert("rsp_code".to_owned(), rsp_code.into());
    head.insert("rsp_message".to_owned(), message(rsp_code).into());
    head
}

/// An answer that is nothing but its head.
pub fn code(now: Time, rsp_code: &str) -> Response<Body> {
    json(&Value::Object(head(now, rsp_code)))
}

/// The same, and what it is about: `요청 전문 형식 오류 [tran_amt]`.
pub fn code_about(now: Time, rsp_code: &str, what: &str) -> Response<Body> {
    let mut head = head(now, rsp_code);
    head.insert("rsp_message".to_owned(), format!("{} [{what}]", message(rsp_code)).into());
    json(&Value::Object(head))
}

/// The text of a code of a bank or of the centre, from the one table of them.
pub fn message(code: &str) -> &'static str {
    BankCode::find(code).and_then(BankCode::entry).map_or("기타 오류", |entry| entry.ko)
}
