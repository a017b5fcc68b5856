use crate::api::answer::{Answered, json};
use crate::api::call::Call;
use crate::token::Bearer;
use axum::http::StatusCode;
use ichae_domain::code::Code;
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::token::{self, RequestBody, Response as Body};

/// Issues an access token (decision H6).
///
/// A token lives 60 seconds, can be used again within them, and issuing another does not end it.
#[utoipa::path(post, path = token::PATH, tag = "token", request_body = RequestBody,
    responses((status = 200, description = "The token, or a refusal: T0200 T0201 T0210 T0211 T0300 T0310",
               body = Body),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn token(call: Call) -> Answered {
    let entry = call.applicant()?;
    let parsed = token::parse(&call.fields).map_err(|refusal| call.refuse(None, &refusal))?;
    let hub = &call.api.hub;
    let partner = &entry.partner;
    let bearer = Bearer { partner: partner.no, generation: partner.key_generation };
    let issued = hub.tokens.load().issue(bearer, hub.now());
    let access_token = issued.ok_or_else(|| call.internal("a token could not be signed"))?;
    let body = Body {
        result: token::RESULT,
        message: token::MESSAGE,
        code: parsed.code,
        access_token,
        token_type: token::TOKEN_TYPE,
        expires_in: token::EXPIRES_IN,
    };
    Ok(json(StatusCode::OK, Code::T0000, &body))
}
