//! The reference page: Swagger UI over our own OpenAPI document, with nothing from elsewhere.

use super::Api;
use super::cpay;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;
use ichae_wire::cpay::auth;
use utoipa::Modify;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, RefOr, Schema};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The page talks to its own origin only.
const POLICY: &str = "default-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/// Adds the bearer scheme to the document.
pub struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The access_token of /oauth/token, good for 60 seconds"))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Adds what holds for every call: a refusal is HTTP 200 too (decision H1), in the fields of its API.
pub fn completed(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let refusal = match path.as_str() {
            auth::PATH => continue,
            path if cpay::is_path(path) => Ref::from_schema_name("CpayFailure"),
            _ => Ref::from_schema_name("Refusal"),
        };
        let Some(operation) = &mut item.post else { continue };
        let Some(RefOr::T(done)) = operation.responses.responses.get_mut("200") else { continue };
        for content in done.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            if let Some(success) = content.schema.take() {
                let either = AnyOfBuilder::new().item(success).item(RefOr::from(refusal.clone()));
                content.schema = Some(RefOr::T(Schema::from(either)));
            }
        }
    }
    document
}

/// `/docs` and `/openapi.json`; with "try it" in the sandbox and in TEST only.
pub fn routes(document: OpenApi, try_it: bool) -> Router<Api> {
    let methods: &[&str] = if try_it { &["get", "post"] } else { &[] };
    let config = Config::default()
        .try_it_out_enabled(try_it)
        .supported_submit_methods(methods.iter().map(|m| (*m).to_owned()))
        .display_request_duration(true)
        .use_base_layout()
        .default_models_expand_depth(-1)
        .validator_url("none");
    let page = SwaggerUi::new("/docs").config(config).url("/openapi.json", document);
    Router::from(page).layer(axum::middleware::map_response(guard))
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
