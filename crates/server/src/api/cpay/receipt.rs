use super::pay::receipt_for;
use super::{Follow, as_left, by_reason};
use crate::api::answer::Answered;
use crate::api::charge::paid;
use crate::till::Call;
use ichae_acquirer::port::ReceiptCall;
use ichae_domain::billing::{Charge, Trade, TradeState};
use ichae_domain::code::Code;
use ichae_domain::command::{Command, NewReceipt};
use ichae_domain::refusal::Refusal;
use ichae_wire::cpay::failure::Failure;
use ichae_wire::cpay::{Job, job, receipt};

/// Issues a cash receipt for a payment from an account, or cancels it; `ACT_` says which (wire facts 2.9).
#[utoipa::path(post, path = job::RECEIPT_PATH, tag = "billing", request_body = receipt::RequestBody,
    params(("ACT_" = String, Query, description = "TSREG or TSCANCEL", example = "TSREG")),
    responses((status = 200, description = "The receipt, or a refusal: TSAV0002 TSAV0003 TSAV0004 \
               TSAV0005 TSAV0006 TSAV0008 TSAV0009 TSAV0010 PUIF0003 AUTH0004", body = receipt::Answer),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn receipt(follow: Follow) -> Answered {
    let (job, cancel) = match Job::called(job::RECEIPT_PATH, follow.act.as_deref()) {
        Some(job @ Job::ReceiptIssue) => (job, false),
        Some(job @ Job::ReceiptCancel) => (job, true),
        _ => return Err(follow.refuse(&Code::PUIF0003.into())),
    };
    let entry = follow.partner(job)?;
    let refuse = |refusal: Refusal| follow.refuse(&refusal);
    let parsed = receipt::parse(&follow.call.fields, cancel).map_err(refuse)?;
    let hub = &follow.call.api.hub;
    if !hub.till.is_open() {
        return Err(refuse(Code::TSAV0010.into()));
    }
    let partner = entry.partner.no;
    let query = hub.payer_query(partner, &parsed.payer_id);
    let payer = hub.payers.find(query).await.map_err(|error| follow.unreadable(&error))?;
    let oid = parsed.oid;
    let found = hub.read(move |r| r.charge_by_oid(partner, &oid, None)).await;
    let found = found.map_err(|error| follow.unreadable(&error))?;
    // Also of a key that was deregistered since: the payment stands.
    let payer = payer.map(|(payer, _)| payer.no);
    let row = found.filter(|row| payer == Some(row.charge.payer));
    let row = row.ok_or_else(|| refuse(Code::TSAV0004.into()))?;
    let pay = row.trade(row.charge.pay).map(Trade::reference).unwrap_or_default();
    let (charge, amount) = (row.charge.no, parsed.amount);
    let command = Command::Receipt(Box::new(NewReceipt { partner, charge, amount, cancel }));
    let asked = parsed.asked;
    let call = move |_: &Charge, trade: &Trade| {
        Call::Receipt(ReceiptCall {
            reference: trade.reference(),
            pay_reference: pay,
            amount: trade.amount,
            cancel,
            for_whom: asked.map(receipt_for),
        })
    };
    let (charge, trade) = hub.trade(command, call).await.map_err(refuse)?;
    if trade.state != TradeState::Done {
        return Err(refuse(by_reason(&trade, Code::TSAV0008, Code::TSAV0009)));
    }
    let row = as_left(row, charge, &trade);
    let paid = paid(&row, &parsed.payer_id);
    let paid = paid.ok_or_else(|| follow.internal("a payment has no call"))?;
    Ok(follow.done(&receipt::response(&paid, &trade)))
}
