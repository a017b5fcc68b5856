use crate::api::answer::{Answered, done, json};
use crate::api::call::Call;
use crate::hub::Hub;
use axum::http::StatusCode;
use axum::response::Response;
use ichae_domain::code::Code;
use ichae_domain::command::{Action, Actor, Command, Execute, Target};
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo};
use ichae_domain::payout::State;
use ichae_domain::time::Time;
use ichae_domain::view::Reply;
use ichae_store::port::Tally;
use ichae_wire::hub::execute::{self, Parsed, RequestBody, Response as Body};
use ichae_wire::hub::refusal::{RefusalBody, StateCount};
use ichae_wire::hub::{MESSAGE, RESULT};
use ichae_wire::ident::Kind;

/// Executes or cancels what waits in a group, all of it or what waits on one key (decision H10).
///
/// Success means accepted; each outcome comes by webhook or look-up. A repeat finds nothing waiting:
/// E0130 then says what the call named has become.
#[utoipa::path(post, path = execute::PATH, tag = "payouts", request_body = RequestBody,
    security(("bearer" = [])),
    responses((status = 200, description = "What was taken, or a refusal: E0101 E0102 E0110 E0120 \
               E0130 T0340", body = Body),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn execute(call: Call) -> Answered {
    let entry = call.caller()?;
    let partner = entry.partner.no;
    let refuse = |refusal| call.refuse(Some(partner), &refusal);
    let hub = &call.api.hub;
    let per_call = hub.environment == crate::config::Environment::Test;
    let parsed = execute::parse(&call.fields, per_call).map_err(refuse)?;
    if parsed.webhook_url.as_ref().is_some_and(|url| !hub.reach.accepts(url)) {
        return Err(refuse(Code::E0120.into()));
    }
    let named = name(&call, partner, &parsed).await?;
    let command = Command::Execute(Box::new(Execute {
        partner,
        group: named.group,
        target: named.target,
        action: parsed.action,
        webhook_url: parsed.webhook_url.clone(),
    }));
    match hub.submit(Actor::Partner, command).await {
        Ok(Reply::Executed { total, remain, at, .. }) => Ok(done(&Body {
            result: RESULT,
            message: MESSAGE,
            cst_id: entry.partner.cst_id.clone(),
            billing_tran_id: match parsed.billing_tran_id {
                execute::Target::All => execute::ALL.to_owned(),
                execute::Target::Key(key) => key,
            },
            group_key: parsed.group_key,
            tot_tran_amt: total.to_string(),
            remain_amt: remain.to_string(),
            execute_type: parsed.action.name().to_owned(),
            api_tran_dtm: at.seoul_17(),
            opens_at: opens_at(hub, parsed.action, at),
        })),
        Ok(_) => Err(call.internal("an execution was answered out of turn")),
        Err(refusal) if refusal.code == Code::E0130 => {
            Err(nothing_waits(&call, named.group, named.key).await)
        }
        Err(refusal) => Err(refuse(refusal)),
    }
}

/// When what was executed goes out, where it has to wait for the centre's hours.
fn opens_at(hub: &Hub, action: Action, at: Time) -> Option<String> {
    let opens = hub.calendar.open_from(at);
    (action == Action::Now && opens > at).then(|| opens.seoul_17())
}

/// What a call names, found.
struct Named {
    group: GroupNo,
    key: Option<KeyNo>,
    target: Target,
}

/// Finds group and key; the rows that wait on a key are looked up here, outside the writer.
async fn name(call: &Call, partner: PartnerNo, parsed: &Parsed) -> Result<Named, Response> {
    let hub = &call.api.hub;
    let refuse = |code: Code| call.refuse(Some(partner), &code.into());
    let group = hub.serial(Kind::Group, partner, &parsed.group_key).map(GroupNo);
    let group = group.ok_or_else(|| refuse(Code::E0101))?;
    let found = hub.read(move |r| r.group(group)).await.map_err(|error| call.unread(&error))?;
    if found.is_none_or(|found| found.partner != partner) {
        return Err(refuse(Code::E0101));
    }
    let text = match &parsed.billing_tran_id {
        execute::Target::All => return Ok(Named { group, key: None, target: Target::All }),
        execute::Target::Key(text) => text,
    };
    let key = hub.serial(Kind::BillingKey, partner, text).map(KeyNo);
    let key = key.ok_or_else(|| refuse(Code::E0102))?;
    let rows = hub.read(move |r| Ok((r.waiting_on_key(group, key)?, r.tally(group, Some(key))?)));
    let (rows, tally) = rows.await.map_err(|error| call.unread(&error))?;
    if tally.is_empty() {
        return Err(refuse(Code::E0102));
    }
    Ok(Named { group, key: Some(key), target: Target::Rows(rows) })
}

/// E0130 with count and sum per state of what the call named (decision H10).
async fn nothing_waits(call: &Call, group: GroupNo, key: Option<KeyNo>) -> Response {
    let tally = match call.api.hub.read(move |r| r.tally(group, key)).await {
        Ok(tally) => tally,
        Err(error) => return call.unread(&error),
    };
    let was_executed = |t: &Tally| !matches!(t.state, State::Requested | State::Canceled);
    let executed = tally.iter().any(was_executed);
    let states = tally.iter().map(|t| StateCount::new(t.state, t.count, t.sum)).collect();
    let body = RefusalBody::nothing_waits(states, executed);
    json(StatusCode::OK, Code::E0130, &body)
}
