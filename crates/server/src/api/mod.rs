//! The API: routes, and what every call goes through.
//!
//! The route and its place in the OpenAPI document are one declaration.

pub mod answer;
pub mod bulk;
pub mod call;
pub mod charge;
mod cpay;
mod docs;
pub mod elsewhere;
mod hub;
mod meta;
pub mod row;

use self::docs::Bearer;
use crate::hub::Hub;
use axum::Router;
use axum::middleware;
use ichae_wire::cpay::job;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How calls are taken.
#[derive(Clone, Debug)]
pub struct Settings {
    pub body_timeout: Duration,
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Zero: no limit.
    pub requests_per_second: u32,
    pub docs: bool,
    /// Whether the reference page lets a reader make calls.
    pub try_it: bool,
    /// Scheme and host that partners reach cpay by; without one, the call's own are taken.
    pub public_url: Option<String>,
    /// Whether the listener itself speaks TLS.
    pub tls: bool,
}

/// What handlers share. Cloned with every call, so it is one pointer.
#[derive(Clone)]
pub struct Api(Arc<Parts>);

impl Api {
    pub fn new(parts: Parts) -> Api {
        Api(Arc::new(parts))
    }
}

impl std::ops::Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

pub struct Parts {
    pub hub: Arc<Hub>,
    pub settings: Settings,
    pub limiter: Option<Arc<call::Limiter>>,
    /// Set while the process drains: no new work is taken.
    pub draining: tokio::sync::watch::Receiver<bool>,
    /// Places for bulk calls.
    pub bulk: bulk::Places,
    /// Sends on calls of other cells' partners.
    pub forwarder: elsewhere::Forwarder,
}

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ichae",
        version = "1",
        description = "A self-hosted payout hub. Answers of the API itself, refusals included, are \
                       HTTP 200 with `result` and `message`; success is `result` T0000 or A0000. \
                       To try it: execute /oauth/token, give its access_token to Authorize, then \
                       verify an account, request and execute. Independent of Payple and KFTC.",
        license(name = "Apache-2.0")
    ),
    tags(
        (name = "token", description = "Access tokens, good for 60 seconds"),
        (name = "payouts", description = "Verify, request, execute, cancel"),
        (name = "look-ups", description = "What waits, what became of it, what is left"),
        (name = "billing", description = "Billing keys and payments with them (cpay)"),
        (name = "bulk", description = "A settlement day in one call: ours, not in Payple's documents"),
        (name = "operation", description = "For operators and monitors")
    ),
    modifiers(&Bearer)
)]
struct Document;

/// Paths as they may stand in a label or a log line.
const ROUTES: &[&str] = &[
    ichae_wire::hub::token::PATH,
    ichae_wire::hub::real_name::PATH,
    ichae_wire::hub::request::PATH,
    ichae_wire::hub::execute::PATH,
    ichae_wire::hub::remain::PATH,
    ichae_wire::hub::waiting::PATH,
    ichae_wire::hub::result::PATH,
    ichae_wire::hub::result_date::PATH,
    ichae_wire::hub::result_group::PATH,
    ichae_wire::bulk::PATH,
    job::AUTH_PATH,
    job::USER_PATH,
    job::SIMPLE_CARD_PATH,
    job::SIMPLE_ACCOUNT_PATH,
    job::MONTHLY_CARD_PATH,
    job::MONTHLY_ACCOUNT_PATH,
    job::REFUND_PATH,
    job::CHECK_PATH,
    job::RECEIPT_PATH,
    "/livez",
    "/readyz",
    "/metrics",
];

/// Looks a payer's key up, or removes it.
const KEYS: &str = job::USER_PATH;

/// Those that only read.
const LOOK_UPS: &[&str] = &[
    ichae_wire::hub::remain::PATH,
    ichae_wire::hub::waiting::PATH,
    ichae_wire::hub::result::PATH,
    ichae_wire::hub::result_date::PATH,
    ichae_wire::hub::result_group::PATH,
    job::CHECK_PATH,
];

fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(hub::token::token))
        .routes(routes!(hub::real_name::real_name))
        .routes(routes!(hub::request::request))
        .routes(routes!(hub::execute::execute))
        .routes(routes!(hub::remain::remain))
        .routes(routes!(hub::lists::waiting))
        .routes(routes!(hub::result::result))
        .routes(routes!(hub::lists::by_date))
        .routes(routes!(hub::lists::by_group))
        .routes(routes!(bulk::payouts))
        .routes(routes!(cpay::auth::auth, cpay::auth::auth_by_get))
        .routes(routes!(cpay::user::user))
        .routes(routes!(cpay::pay::simple_card))
        .routes(routes!(cpay::pay::simple_account))
        .routes(routes!(cpay::pay::monthly_card))
        .routes(routes!(cpay::pay::monthly_account))
        .routes(routes!(cpay::refund::refund))
        .routes(routes!(cpay::check::check))
        .routes(routes!(cpay::receipt::receipt))
        .routes(routes!(meta::livez))
        .routes(routes!(meta::readyz))
        .routes(routes!(meta::metrics))
}

/// The OpenAPI document, as committed in `docs/reference/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    docs::completed(routes().into_openapi())
}

/// The router that the listener serves.
pub fn router(api: Api) -> Router {
    let (router, document) = routes().split_for_parts();
    let router = if api.settings.docs {
        router.merge(docs::routes(docs::completed(document), api.settings.try_it))
    } else {
        router
    };
    router
        .fallback(meta::not_found)
        .method_not_allowed_fallback(meta::wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), elsewhere::aside))
        .layer(CatchPanicLayer::custom(answer::broke))
        .layer(middleware::from_fn_with_state(api.clone(), call::around))
        .with_state(api)
}
