use crate::api::answer::{Answered, done};
use crate::api::call::Call;
use ichae_domain::command::{Actor, Command, Request};
use ichae_domain::ident::KeyNo;
use ichae_domain::view::Reply;
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::request::{self, RequestBody, Response as Body};
use ichae_wire::hub::{MESSAGE, RESULT};
use ichae_wire::ident::Kind;
use uuid::Uuid;

/// Queues a payout and holds its amount; nothing moves before it is executed (decisions H7 to H9).
///
/// A repeat with the same `distinct_key` is refused with R0132 and carries the first request.
#[utoipa::path(post, path = request::PATH, tag = "payouts", request_body = RequestBody,
    security(("bearer" = [])),
    responses((status = 200, description = "The queued payout, or a refusal: R0101 R0102 R0103 R0110 \
               R0112 R0113 R0120 R0130 R0131 R0132 R0133 R0140 T0340", body = Body),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn request(call: Call) -> Answered {
    let entry = call.caller()?;
    let partner = &entry.partner;
    let parsed =
        request::parse(&call.fields).map_err(|refusal| call.refuse(Some(partner.no), &refusal))?;
    let hub = &call.api.hub;
    let key = hub.serial(Kind::BillingKey, partner.no, &parsed.billing_tran_id).map(KeyNo);
    // In order of time, so that the keys that we make are written side by side.
    let distinct_key = parsed.distinct_key.unwrap_or_else(|| Uuid::now_v7().simple().to_string());
    let command = Command::Request(Box::new(Request {
        partner: partner.no,
        key,
        amount: parsed.amount,
        sub_id: parsed.sub_id.clone(),
        distinct_key: distinct_key.clone(),
        print: parsed.print,
    }));
    match hub.submit(Actor::Partner, command).await {
        Ok(Reply::Requested(queued)) => Ok(done(&Body {
            result: RESULT,
            message: MESSAGE,
            cst_id: partner.cst_id.clone(),
            sub_id: parsed.sub_id.unwrap_or_default(),
            distinct_key,
            group_key: hub.id(Kind::Group, partner.no, queued.group.0),
            billing_tran_id: parsed.billing_tran_id,
            tran_amt: parsed.amount.to_string(),
            remain_amt: queued.remain.to_string(),
            print_content: queued.print,
            api_tran_dtm: queued.at.seoul_17(),
        })),
        Ok(_) => Err(call.internal("a request was answered out of turn")),
        Err(refusal) => Err(call.refuse(Some(partner.no), &refusal)),
    }
}
