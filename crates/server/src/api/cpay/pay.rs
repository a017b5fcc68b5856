use super::{Follow, example, undone};
use crate::api::answer::Answered;
use crate::api::charge::paid;
use crate::till::Call;
use ichae_acquirer::port::{PayCall, ReceiptFor, ReceiptPurpose};
use ichae_domain::billing::{Charge, ChargeState, Trade, words};
use ichae_domain::command::{Command, NewCharge};
use ichae_domain::refusal::Refusal;
use ichae_store::billing::ChargeRow;
use ichae_wire::cpay::failure::Failure;
use ichae_wire::cpay::receipt::ReceiptAsked;
use ichae_wire::cpay::{Job, job, pay};
use uuid::Uuid;

/// Charges a card key once (wire facts 2.6).
///
/// An order number is charged once: a repeat is refused with SPCD0014. Where the acquirer does not answer
/// the answer is PAYU0001, which is neither success nor failure: the hub asks until it knows.
#[utoipa::path(post, path = job::SIMPLE_CARD_PATH, tag = "billing", request_body = pay::RequestBody,
    responses((status = 200, description = "The payment, or a refusal: SPCD0001 SPCD0002 SPCD0003 \
               SPCD0004 SPCD0007 SPCD0012 SPCD0014 SPCD1001 SPCD9991 PAYU0001 AUTH0004", body = pay::SimpleCard),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn simple_card(follow: Follow) -> Answered {
    charge(follow, Job::SimpleCard).await
}

/// Charges an account key once (wire facts 2.6).
#[utoipa::path(post, path = job::SIMPLE_ACCOUNT_PATH, tag = "billing",
    request_body(content = pay::RequestBody, example = example::simple_account),
    responses((status = 200, description = "The payment, or a refusal: SPAY0001 SPAY0005 SPAY0011 \
               SPAY0012 SPAY0019 CPAY0202 PAYU0002 AUTH0004", body = pay::SimpleAccount),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn simple_account(follow: Follow) -> Answered {
    charge(follow, Job::SimpleAccount).await
}

/// Charges a card key for a month, once (wire facts 2.6).
#[utoipa::path(post, path = job::MONTHLY_CARD_PATH, tag = "billing",
    request_body = pay::RequestBody,
    responses((status = 200, description = "The payment, or a refusal: RPCD0001 RPCD0002 RPCD0003 \
               RPCD0004 RPCD0005 RPCD0006 RPCD0007 RPCD0012 RPCD0015 RPCD1001 RPCD9991 RPCD9999 \
               PAYU0001 AUTH0004", body = pay::MonthlyCard),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn monthly_card(follow: Follow) -> Answered {
    charge(follow, Job::MonthlyCard).await
}

/// Charges an account key for a month, once (wire facts 2.6).
#[utoipa::path(post, path = job::MONTHLY_ACCOUNT_PATH, tag = "billing",
    request_body(content = pay::RequestBody, example = example::monthly_account),
    responses((status = 200, description = "The payment, or a refusal: CPAY0001 CPAY0004 CPAY0012 \
               CPAY0018 CPAY0022 CPAY0202 PAYU0002 AUTH0004", body = pay::MonthlyAccount),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn monthly_account(follow: Follow) -> Answered {
    charge(follow, Job::MonthlyAccount).await
}

async fn charge(follow: Follow, job: Job) -> Answered {
    let entry = follow.partner(job)?;
    let refuse = |refusal: Refusal| follow.refuse(&refusal);
    let parsed = pay::parse(&follow.call.fields, job).map_err(refuse)?;
    let Some((method, monthly)) = job.pays() else { return Err(refuse(job.form().into())) };
    let hub = &follow.call.api.hub;
    if !hub.till.is_open() {
        return Err(refuse(words(method, monthly).closed.into()));
    }
    let partner = entry.partner.no;
    let query = hub.payer_query(partner, &parsed.payer_id);
    let found = hub.payers.find(query).await.map_err(|error| follow.unreadable(&error))?;
    let (payer, token) = match &found {
        Some((payer, instrument)) => (Some(payer.no), instrument.token.clone()),
        None => (None, String::new().into()),
    };
    let texts = parsed.order.clone();
    let command = Command::Charge(Box::new(NewCharge {
        partner,
        method,
        payer,
        oid: parsed.oid.unwrap_or_else(|| Uuid::now_v7().simple().to_string()),
        month: parsed.month,
        amount: parsed.amount,
        tax: parsed.tax,
        order: parsed.order,
    }));
    let (receipt, cst_id) = (parsed.receipt, entry.partner.cst_id.clone());
    let call = move |charge: &Charge, trade: &Trade| {
        Call::Pay(PayCall {
            reference: trade.reference(),
            order: format!("{cst_id}:{}", charge.oid),
            token,
            method: charge.method,
            amount: charge.amount,
            vat: charge.tax.vat,
            receipt: receipt.map(receipt_for),
        })
    };
    let (charge, trade) = hub.trade(command, call).await.map_err(refuse)?;
    if charge.state != ChargeState::Captured {
        return Err(refuse(undone(method, monthly, &trade)));
    }
    let (payer, instrument) =
        found.ok_or_else(|| follow.internal("a payment without its payer"))?;
    let row = ChargeRow { charge, texts, payer, instrument, trades: vec![trade] };
    let paid = paid(&row, &parsed.payer_id);
    let paid = paid.ok_or_else(|| follow.internal("a payment has no call"))?;
    Ok(follow.done(&pay::response(&paid)))
}

/// Whom a cash receipt is for, as the acquirer takes it.
pub(super) fn receipt_for(asked: ReceiptAsked) -> ReceiptFor {
    let purpose = if asked.personal { ReceiptPurpose::Personal } else { ReceiptPurpose::Company };
    ReceiptFor { purpose, id_number: asked.id_number }
}
