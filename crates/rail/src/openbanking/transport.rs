//! The one file that opens a connection to a bank.
//!
//! It says whether a byte of a request can have left before a failure, because only that decides
//! between "not sent" and "unknown" (decision H13).

use super::message::{BODY_MAX, Body, Got, Outgoing};
use super::settings::Settings;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Request, Url};
use secrecy::{ExposeSecret as _, SecretString};
use std::net::IpAddr;
use std::time::Duration;

/// How long a connection waits for its next request. Below the five seconds after which many
/// servers close theirs: a request on a connection that is just closing is an unknown outcome.
const IDLE: Duration = Duration::from_secs(4);

pub(super) struct Transport {
    client: Client,
    base: Url,
}

impl Transport {
    /// # Errors
    /// What is wrong, in words: the address, or TLS.
    pub fn new(settings: &Settings) -> Result<Transport, String> {
        let base = base(&settings.base_url)?;
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // The library's own retries would send again what nobody decided to send again.
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .https_only(base.scheme() == "https")
            .pool_max_idle_per_host(settings.in_flight)
            .pool_idle_timeout(IDLE)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .user_agent("ichae-rail/1")
            .build()
            .map_err(|error| error.without_url().to_string())?;
        Ok(Transport { client, base })
    }

    /// Sends one request once.
    pub async fn send(&self, out: &Outgoing, token: Option<&SecretString>) -> Got {
        let Some(request) = self.request(out, token) else { return Got::NotSent };
        let mut response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => return failed(&error),
        };
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Got::Reply { status, body },
                Err(error) if error.is_timeout() => return Got::TimedOut,
                Err(_) => return Got::Lost,
            }
            if body.len() > BODY_MAX {
                body.truncate(BODY_MAX + 1);
                return Got::Reply { status, body };
            }
        }
    }

    fn request(&self, out: &Outgoing, token: Option<&SecretString>) -> Option<Request> {
        let url = self.base.join(out.path).ok()?;
        let mut request = match &out.body {
            Body::Nothing => self.client.get(url),
            Body::Json(json) => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/json; charset=UTF-8")
                .body(json.clone()),
            Body::Form(form) => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
                .body(form.clone()),
        };
        if let Some(token) = token {
            let bearer = format!("Bearer {}", token.expose_secret());
            let mut value = HeaderValue::from_str(&bearer).ok()?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.build().ok()
    }
}

/// A failure before the answer's head. Names, TCP and TLS are all part of connecting, and so is
/// its own time-out; the total one may strike at any time, so it proves nothing.
fn failed(error: &reqwest::Error) -> Got {
    if error.is_connect() || error.is_builder() {
        Got::NotSent
    } else if error.is_timeout() {
        Got::TimedOut
    } else {
        Got::Lost
    }
}

/// The address of the API's host: https and nothing behind the host, or http on this machine.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("base_url is no address: {error}"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err("base_url must begin with https://, or lead to this machine".to_owned());
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return Err(
            "base_url must be a host and nothing else: leave out path, query, user".to_owned()
        );
    }
    Ok(url)
}

/// Whether the address is KFTC's production host (openbanking 1).
pub(super) fn is_production(text: &str) -> bool {
    base(text).is_ok_and(|url| url.host_str() == Some("openapi.openbanking.or.kr"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openbanking::settings::ContractKind;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    fn settings(base_url: String, connect_timeout: Duration, timeout: Duration) -> Settings {
        Settings {
            base_url,
            client_id: String::new(),
            client_secret: "".into(),
            scope: String::new(),
            institution: String::new(),
            contract_account: "".into(),
            contract_kind: ContractKind::Account,
            pass_phrase: "".into(),
            print: String::new(),
            client_name: String::new(),
            client_bank: String::new(),
            client_account: "".into(),
            client_number: String::new(),
            transfer_purpose: String::new(),
            name_check: true,
            receive_check: false,
            timeout,
            connect_timeout,
            calls_per_second: 1,
            in_flight: 1,
            trust_dates: true,
        }
    }

    async fn send(base_url: String, connect_ms: u64, total_ms: u64, token: &str) -> Got {
        let [connect, total] = [connect_ms, total_ms].map(Duration::from_millis);
        let transport = Transport::new(&settings(base_url, connect, total)).unwrap();
        let out = Outgoing { path: "/x", body: Body::Json(b"{}".to_vec()) };
        transport.send(&out, Some(&token.into())).await
    }

    #[tokio::test]
    async fn what_fails_before_the_request_is_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody accepts and so nobody shakes hands: connecting itself has run out of time.
        let silent = send(format!("https://{address}"), 100, 60_000, "t").await;
        assert_eq!(silent, Got::NotSent);
        // The same silence, cut off by the total time-out, proves nothing.
        let total = send(format!("https://{address}"), 60_000, 100, "t").await;
        assert_eq!(total, Got::TimedOut);
        // A header that cannot be written never leaves.
        let unwritten = send(format!("http://{address}"), 60_000, 60_000, "a\nb").await;
        assert_eq!(unwritten, Got::NotSent);
        drop(listener);
        assert_eq!(send(format!("https://{address}"), 60_000, 60_000, "t").await, Got::NotSent);
        assert_eq!(send(format!("http://{address}"), 60_000, 60_000, "t").await, Got::NotSent);
        // A label of more than 63 characters is no name: it is not even asked for.
        let nowhere = format!("https://{}.invalid", "x".repeat(64));
        assert_eq!(send(nowhere, 60_000, 120_000, "t").await, Got::NotSent);
    }

    #[tokio::test]
    async fn a_handshake_that_fails_is_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 no\r\n\r\n").await.unwrap();
        });
        assert_eq!(send(url, 60_000, 120_000, "t").await, Got::NotSent);
        server.await.unwrap();
    }

    #[test]
    fn the_production_host_is_known() {
        assert!(is_production("https://openapi.openbanking.or.kr"));
        assert!(is_production("https://OPENAPI.openbanking.or.kr/"));
        assert!(!is_production("https://testapi.openbanking.or.kr") && !is_production("x"));
    }
}
