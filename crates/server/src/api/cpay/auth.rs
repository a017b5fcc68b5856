use super::admit;
use crate::api::Api;
use crate::api::answer::{Answered, Unread, json, status};
use crate::api::call::{Call, read};
use crate::auth as caller;
use crate::config::Environment;
use crate::token::Bearer;
use axum::extract::{Query, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_wire::cpay::Job;
use ichae_wire::cpay::auth::{self, RequestBody, Response as Body};
use ichae_wire::json::Fields;
use secrecy::SecretString;

const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Authenticates a partner and says where its job goes (decision C1).
///
/// The AuthKey lives 30 minutes and serves any number of calls of any job: take one and keep it.
#[utoipa::path(post, path = auth::PATH, tag = "billing", request_body = RequestBody,
    responses((status = 200, description = "The AuthKey and the job's address, or `result` `error` and \
               AUTH0001 AUTH0002 AUTH0003 AUTH0004 AUTH0008 in `result_msg`", body = Body),
              (status = "4XX", description = "A fault below the API", body = Body),
              (status = 503, description = "Busy or draining", body = Body)))]
pub async fn auth(State(api): State<Api>, request: Request) -> Answered {
    let own = origin(&api, request.headers(), false);
    let unread = |fault| unread(&own, fault);
    let (mut call, headers, body) = Call::begun(request, &api).map_err(unread)?;
    call.fields = read(body, api.settings.body_timeout).await.map_err(unread)?;
    answer(&call, &headers)
}

/// The query form of before, in TEST only. Do not use it: addresses end up in logs. It takes what the POST
/// takes, as parameters of the address (decision C3).
#[utoipa::path(get, path = auth::PATH, tag = "billing",
    responses((status = 200, description = "As the POST's", body = Body),
              (status = "4XX", description = "A fault below the API, or LIVE", body = Body),
              (status = 503, description = "Busy or draining", body = Body)))]
pub async fn auth_by_get(State(api): State<Api>, request: Request) -> Answered {
    let own = origin(&api, request.headers(), false);
    let unread = |fault| unread(&own, fault);
    if api.hub.environment == Environment::Live {
        let refused = Unread::fault(StatusCode::METHOD_NOT_ALLOWED, "POST로 요청해주세요.");
        return Err(unread(refused));
    }
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let pairs = pairs.map(|pairs| pairs.0).unwrap_or_default();
    let (mut call, headers, body) = Call::begun(request, &api).map_err(unread)?;
    call.fields = match pairs.is_empty() {
        true => read(body, api.settings.body_timeout).await.map_err(unread)?,
        false => {
            let object: serde_json::Map<_, _> =
                pairs.into_iter().map(|(name, value)| (name, value.into())).collect();
            let text = serde_json::Value::Object(object).to_string();
            Fields::parse(text.as_bytes())
                .map_err(|fault| unread(Unread::fault(StatusCode::BAD_REQUEST, fault.ko())))?
        }
    };
    answer(&call, &headers)
}

/// A fault below the API, in this call's own fields and the Hub API's (decision H1).
fn unread(origin: &str, unread: Unread) -> Response {
    let body = Body::fault(origin, unread.code, unread.text);
    json(unread.status, unread.code, &body)
}

fn answer(call: &Call, headers: &HeaderMap) -> Answered {
    let origin = origin(&call.api, headers, call.by_proxy);
    let done = authenticate(call, headers, &origin);
    let (code, body) = match done {
        Ok(body) => (Code::A0000, body),
        Err(refusal) if matches!(refusal.code, Code::T0429 | Code::T0503) => {
            let text = refusal.code.entry().ko.to_owned();
            (refusal.code, Body::fault(&origin, refusal.code, text))
        }
        Err(refusal) => (refusal.code, Body::error(&origin, &refusal)),
    };
    Ok(json(status(code), code, &body))
}

fn authenticate(call: &Call, headers: &HeaderMap, origin: &str) -> Result<Body, Refusal> {
    let hub = &call.api.hub;
    let given = auth::parse(&call.fields)?;
    let entry = caller::known(hub, &given.cst_id, &given.cust_key, Code::AUTH0003)?;
    admit(call, headers, &entry)?;
    if call.exceeds_rate(entry.partner.no) {
        return Err(Code::T0429.into());
    }
    let job = Job::of(&call.fields).ok_or(Code::AUTH0008)?;
    let (partner, generation) = (entry.partner.no, entry.partner.key_generation);
    let issued = hub.auth_keys.load().issue(Bearer { partner, generation }, hub.now());
    let auth_key: SecretString = issued.ok_or(Code::T0999)?.into();
    Ok(Body::done(origin, job, &given, &auth_key))
}

/// Scheme and host that the caller reaches us by: the configured ones, else the call's own. What a
/// trusted proxy says of the scheme is believed as its forwarded address is.
fn origin(api: &Api, headers: &HeaderMap, by_proxy: bool) -> String {
    let settings = &api.settings;
    if let Some(origin) = &settings.public_url {
        return origin.clone();
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = text(FORWARDED_PROTO).filter(|_| by_proxy);
    let tls = forwarded.map_or(settings.tls, |scheme| scheme.trim().eq_ignore_ascii_case("https"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let host = text(HOST.as_str()).filter(|host| host.len() <= 255 && host.chars().all(plain));
    format!("{}://{}", if tls { "https" } else { "http" }, host.unwrap_or("localhost"))
}
