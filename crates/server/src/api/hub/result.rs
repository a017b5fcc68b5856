use crate::api::answer::{Answered, done};
use crate::api::call::Call;
use crate::api::row;
use ichae_domain::code::Code;
use ichae_domain::ident::PayoutNo;
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::result::{self, RequestBody, Response as Body};
use ichae_wire::hub::row::Verdict;
use ichae_wire::ident::Kind;

/// One payout's result, flat: A0001 while it is under way (decision H14).
#[utoipa::path(post, path = result::PATH, tag = "look-ups", request_body = RequestBody,
    security(("bearer" = [])),
    responses((status = 200, description = "The payout with its own result, or L0101", body = Body),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn result(call: Call) -> Answered {
    let entry = call.caller()?;
    let partner = entry.partner.no;
    let unknown = || call.refuse(Some(partner), &Code::L0101.into());
    let parsed =
        result::parse(&call.fields).map_err(|refusal| call.refuse(Some(partner), &refusal))?;
    let hub = &call.api.hub;
    let serial = hub.serial(Kind::Transfer, partner, &parsed.api_tran_id).ok_or_else(unknown)?;
    let found = hub.rows.find(PayoutNo(serial)).await;
    let found = found.map_err(|error| call.unread(&error))?.ok_or_else(unknown)?;
    if found.payout.partner != partner {
        return Err(unknown());
    }
    // What was never executed has no transfer yet: its id is an unknown one.
    let verdict = Verdict::of(found.state, found.attempt.as_ref()).ok_or_else(unknown)?;
    Ok(done(&row::result(hub, &entry.partner.cst_id, &found, verdict)))
}
