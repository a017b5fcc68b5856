use super::{Follow, undone};
use crate::api::answer::Answered;
use crate::api::charge::paid;
use ichae_domain::billing::ChargeState;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_wire::cpay::check;
use ichae_wire::cpay::failure::Failure;
use ichae_wire::cpay::{Job, job};

/// What became of a payment (wire facts 2.8).
///
/// A payment that failed, or of which the acquirer has not said what became of it, is answered with the
/// code that the payment itself got.
#[utoipa::path(post, path = job::CHECK_PATH, tag = "billing", request_body = check::RequestBody,
    responses((status = 200, description = "The payment, or a refusal: CBIL0001 CBIL0002 CBIL0003 \
               SPCD1001 RPCD1001 SPAY0011 SPAY0012 CPAY0018 CPAY0022 PAYU0001 AUTH0004", body = check::Answer),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn check(follow: Follow) -> Answered {
    let entry = follow.partner(Job::PayCheck)?;
    let refuse = |refusal: Refusal| follow.refuse(&refusal);
    let parsed = check::parse(&follow.call.fields).map_err(refuse)?;
    let hub = &follow.call.api.hub;
    let (partner, oid, day) = (entry.partner.no, parsed.oid, parsed.day);
    let found = hub.read(move |r| r.charge_by_oid(partner, &oid, Some(day))).await;
    let found = found.map_err(|error| follow.unreadable(&error))?;
    let row = found.filter(|row| {
        let month = parsed.month.is_none_or(|month| row.charge.month == Some(month));
        row.charge.method == parsed.method && month
    });
    let row = row.ok_or_else(|| refuse(Code::CBIL0003.into()))?;
    let payer_id = hub.payer_id(&row.payer);
    let paid = paid(&row, &payer_id);
    let paid = paid.ok_or_else(|| follow.internal("a payment has no call"))?;
    if row.charge.state != ChargeState::Captured {
        let monthly = row.charge.month.is_some();
        return Err(refuse(undone(row.charge.method, monthly, paid.pay)));
    }
    Ok(follow.done(&check::response(&paid)))
}
