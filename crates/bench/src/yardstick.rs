//! The yardstick: a bare axum handler that parses the same body and answers a constant. What the
//! machine, the sockets and the framework cost is in it, and nothing of ours.

use crate::BenchError;
use axum::Router;
use axum::routing::post;
use axum::serve::ListenerExt;
use std::net::SocketAddr;
use tokio::net::TcpListener;

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "parsed, as the real endpoint has to")]
struct Body {
    cst_id: String,
    #[serde(rename = "custKey")]
    cust_key: String,
    code: String,
}

/// As long as a token's answer.
const ANSWER: &str = r#"{"result":"T0000","message":"처리 성공","code":"as12345678","access_token":"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJwIjoxLCJnIjoxLCJ4IjoxNzk1MzE2NDAwMDAwLCJlIjoidGVzdCJ9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","token_type":"Bearer","expires_in":"60"}"#;

async fn answer(body: axum::body::Bytes) -> &'static str {
    match serde_json::from_slice::<Body>(&body) {
        Ok(_) => ANSWER,
        Err(_) => r#"{"result":"T0400"}"#,
    }
}

/// Serves until the process ends; tells its address first.
pub async fn serve(tell: impl FnOnce(SocketAddr)) -> Result<(), BenchError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    tell(listener.local_addr()?);
    let router = Router::new().route("/oauth/token", post(answer));
    let listener = listener.tap_io(|stream| {
        // As ours: small answers must not wait for the other side's acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}
