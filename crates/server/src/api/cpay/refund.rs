use super::{Follow, as_left, by_reason};
use crate::api::answer::Answered;
use crate::api::charge::paid;
use crate::till::Call;
use ichae_acquirer::port::RefundCall;
use ichae_domain::billing::{Charge, Trade, TradeState};
use ichae_domain::code::Code;
use ichae_domain::command::{Command, NewRefund};
use ichae_domain::refusal::Refusal;
use ichae_wire::cpay::failure::Failure;
use ichae_wire::cpay::{Job, job, refund};

/// Refunds all of a payment, or a part of it (wire facts 2.7).
///
/// The amount is set aside of what is captured and not settled, then of what is available; what the two
/// cannot cover is refused with PAYC0007. PAYC0009 is neither success nor failure.
#[utoipa::path(post, path = job::REFUND_PATH, tag = "billing", request_body = refund::RequestBody,
    responses((status = 200, description = "The refund, or a refusal: PAYC0001 PAYC0002 PAYC0003 \
               PAYC0004 PAYC0005 PAYC0006 PAYC0007 PAYC0008 PAYC0009 PAYC0010 AUTH0004", body = refund::Answer),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn refund(follow: Follow) -> Answered {
    let entry = follow.partner(Job::Refund)?;
    let refuse = |refusal: Refusal| follow.refuse(&refusal);
    let parsed = refund::parse(&follow.call.fields).map_err(refuse)?;
    let hub = &follow.call.api.hub;
    let given = hub.sealer.verifier(&parsed.refund_key);
    let own = entry.partner.billing.refund_verifier;
    if !own.is_some_and(|own| ichae_store::keys::same(&given.0, &own.0)) {
        return Err(refuse(Code::PAYC0001.into()));
    }
    if !hub.till.is_open() {
        return Err(refuse(Code::PAYC0010.into()));
    }
    let (partner, oid, day) = (entry.partner.no, parsed.oid, parsed.day);
    let found = hub.read(move |r| r.charge_by_oid(partner, &oid, Some(day))).await;
    let found = found.map_err(|error| follow.unreadable(&error))?;
    let of_month = |charge: &Charge| parsed.month.is_none_or(|month| charge.month == Some(month));
    let row = found.filter(|row| of_month(&row.charge));
    let row = row.ok_or_else(|| refuse(Code::PAYC0004.into()))?;
    let pay = row.trade(row.charge.pay).map(Trade::reference).unwrap_or_default();
    let command = Command::Refund(Box::new(NewRefund {
        partner,
        charge: row.charge.no,
        amount: parsed.amount,
        vat: parsed.vat,
    }));
    let call = move |_: &Charge, trade: &Trade| {
        Call::Refund(RefundCall {
            reference: trade.reference(),
            pay_reference: pay,
            amount: trade.amount,
            vat: trade.vat,
        })
    };
    let (charge, trade) = hub.trade(command, call).await.map_err(refuse)?;
    if trade.state != TradeState::Done {
        return Err(refuse(by_reason(&trade, Code::PAYC0008, Code::PAYC0009)));
    }
    let row = as_left(row, charge, &trade);
    let payer_id = hub.payer_id(&row.payer);
    let paid = paid(&row, &payer_id);
    let paid = paid.ok_or_else(|| follow.internal("a payment has no call"))?;
    Ok(follow.done(&refund::response(&paid, &trade)))
}
