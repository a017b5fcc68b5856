//! Sends webhooks over HTTP: signed, no redirects, and only to addresses that may be reached.

use crate::api::{charge, row};
use crate::engine::{Courier, Delivery, Message};
use crate::hub::Hub;
use crate::reach::{Reach, literal};
use ichae_wire::cpay;
use ichae_wire::hub::row::Verdict;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use secrecy::ExposeSecret;
use serde_json::Value;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub struct HttpCourier {
    client: reqwest::Client,
    reach: Reach,
}

/// Resolves names, and gives the connector only addresses that may be reached: what was checked is
/// what is connected to.
struct Filtered(Reach);

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|at| reach.allows(at.ip())).collect();
            if allowed.is_empty() {
                return Err("the name has no address that a webhook may go to".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

impl HttpCourier {
    /// `timeout`: after it a try has failed (decision H17: 10 s).
    pub fn new(reach: Reach, timeout: Duration) -> Result<HttpCourier, reqwest::Error> {
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(Filtered(reach)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .https_only(reach == Reach::Public)
            .referer(false)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(30))
            .timeout(timeout)
            .build()?;
        Ok(HttpCourier { client, reach })
    }

    /// `None` where there is nothing to send or no way to sign it.
    fn request(&self, hub: &Hub, delivery: &Delivery) -> Option<reqwest::RequestBuilder> {
        let url = reqwest::Url::parse(&delivery.url).ok()?;
        // A literal address is not resolved, so it is checked here.
        let reachable = literal(&url).is_none_or(|ip| self.reach.allows(ip));
        if !reachable || !self.reach.accepts(&delivery.url) {
            return None;
        }
        let notice = &delivery.notice;
        let body = serde_json::to_vec(&told(hub, delivery)?).ok()?;
        let id = hub.notice_id(notice);
        let seconds = hub.now().0 / 1_000;
        let signer = Webhook::new(delivery.secret.expose_secret()).ok()?;
        let signature = signer.sign(&id, seconds, &body).ok()?;
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(USER_AGENT, "ichae-webhook/1")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds.to_string())
            .header(HEADER_WEBHOOK_SIGNATURE, signature);
        Some(request.body(body))
    }
}

/// What a notice says, as the API that it is of has it. `None` where its rows do not fit together.
pub fn told(hub: &Hub, delivery: &Delivery) -> Option<Value> {
    let notice = &delivery.notice;
    let entry = hub.directory.by_no(notice.partner)?;
    let cst_id = &entry.partner.cst_id;
    match &delivery.message {
        Message::Payout(row) => {
            let verdict = Verdict::told(notice.outcome, row.attempt.as_ref())?;
            serde_json::to_value(row::result(hub, cst_id, row, verdict)).ok()
        }
        Message::Charge(row) => charge::told(hub, cst_id, notice, row),
        Message::Payer(row) => {
            let (payer, instrument) = row.as_ref();
            Some(cpay::notice::removed(cst_id, payer, instrument, &hub.payer_id(payer)))
        }
    }
}

#[async_trait::async_trait]
impl Courier for HttpCourier {
    async fn deliver(&self, hub: &Hub, delivery: &Delivery) -> i64 {
        let notice = delivery.notice.no.0;
        let Some(request) = self.request(hub, delivery) else {
            tracing::warn!(notice, "the webhook's address may not be reached");
            return 0;
        };
        match request.send().await {
            // The body is not read: any 2xx acknowledges, whatever it says.
            Ok(response) => i64::from(response.status().as_u16()),
            Err(error) => {
                // Without the address: a URL may carry what must not be logged.
                let error = error.without_url();
                tracing::info!(notice, %error, "the webhook's receiver did not answer");
                0
            }
        }
    }
}
