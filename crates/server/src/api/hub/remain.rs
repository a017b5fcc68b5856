use crate::api::answer::{Answered, done};
use crate::api::call::Call;
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::remain::{self, RequestBody, Response as Body};
use ichae_wire::hub::{MESSAGE, RESULT};

/// What a partner has, what of it is held, under way or sent, and what is left (decision H8).
#[utoipa::path(post, path = remain::PATH, tag = "look-ups", request_body = RequestBody,
    security(("bearer" = [])),
    responses((status = 200, description = "The limit, or a refusal of the credentials", body = Body),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn remain(call: Call) -> Answered {
    let entry = call.caller()?;
    let hub = &call.api.hub;
    let partner = entry.partner.no;
    let ledger = hub.ledger(partner).await.map_err(|error| call.unread(&error))?;
    let ledger = ledger.ok_or_else(|| call.internal("a partner has no ledger"))?;
    Ok(done(&Body {
        result: RESULT,
        message: MESSAGE,
        cst_id: entry.partner.cst_id.clone(),
        total_account_amt: ledger.funded.to_string(),
        total_transfer_amt: ledger.transferred().to_string(),
        remain_amt: ledger.available.to_string(),
        api_tran_dtm: hub.now().seoul_17(),
    }))
}
