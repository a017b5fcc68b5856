use super::Follow;
use crate::api::answer::Answered;
use crate::directory::Entry;
use axum::response::Response;
use ichae_acquirer::port::{CardDetails, Registration};
use ichae_domain::billing::{Instrument, Method};
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command, NewPayer};
use ichae_domain::refusal::{Detail, Refusal};
use ichae_domain::view::Reply;
use ichae_store::billing::PayerRow;
use ichae_wire::cpay::failure::Failure;
use ichae_wire::cpay::register::{self, mask_phone};
use ichae_wire::cpay::user::{self, Deleted, Info};
use ichae_wire::cpay::{Job, job};
use ichae_wire::ident::Kind;
use secrecy::{ExposeSecret, SecretString};

/// A payer's key: looked up, deregistered, or made of a card; `ACT_` says which (decisions C4 to C6).
///
/// `PUSERINFO` says what a key is. `PUSERDEL` ends it for good. `AUTHREG` registers a card without a
/// window; its number goes on to the acquirer and is kept nowhere here.
#[utoipa::path(post, path = job::USER_PATH, tag = "billing", request_body = user::Request,
    params(("ACT_" = String, Query, description = "PUSERINFO, PUSERDEL or AUTHREG",
        example = "PUSERINFO")),
    responses((status = 200, description = "The key, or a refusal: PUIF0001 PUIF0002 PUIF0003, of a \
               registration CDAU0001 CDAU0007 CDAU0009 CDAU9991 CDAU9998 CDAUCK01 CDAUCK02 CDAUCK03 \
               CDAUCK04 CDAUCK05 CDAUCK06; AUTH0004", body = user::Answer),
              (status = "4XX", description = "A fault below the API", body = Failure),
              (status = 503, description = "Busy or draining", body = Failure)))]
pub async fn user(follow: Follow) -> Answered {
    match Job::called(job::USER_PATH, follow.act.as_deref()) {
        Some(Job::UserInfo) => info(&follow).await,
        Some(Job::UserDelete) => delete(&follow).await,
        Some(Job::AuthReg) => register(&follow).await,
        _ => Err(follow.refuse(&Code::PUIF0003.into())),
    }
}

/// What a key is. One answer for a key that is another partner's, that never was, and that is gone, by
/// one way through here.
async fn info(follow: &Follow) -> Answered {
    let entry = follow.partner(Job::UserInfo)?;
    let asked = user::parse(&follow.call.fields);
    let (payer, instrument) = found(follow, &entry, &asked.payer_id).await?;
    Ok(follow.done(&Info::of(&payer, &instrument, &asked.payer_id)))
}

async fn delete(follow: &Follow) -> Answered {
    let entry = follow.partner(Job::UserDelete)?;
    let asked = user::parse(&follow.call.fields);
    let (payer, _) = found(follow, &entry, &asked.payer_id).await?;
    let command = Command::RemovePayer { partner: entry.partner.no, payer: payer.no };
    let removed = follow.call.api.hub.submit(Actor::Partner, command).await;
    removed.map_err(|refusal| follow.refuse(&refusal))?;
    Ok(follow.done(&Deleted::of(payer.method, &asked.payer_id, &asked.payer_no)))
}

async fn found(follow: &Follow, entry: &Entry, payer_id: &str) -> Result<PayerRow, Response> {
    let hub = &follow.call.api.hub;
    let query = hub.payer_query(entry.partner.no, payer_id);
    let found = hub.payers.find(query).await.map_err(|error| follow.unreadable(&error))?;
    let live = found.filter(|(payer, _)| payer.removed_at.is_none());
    live.ok_or_else(|| follow.refuse(&Code::PUIF0001.into()))
}

async fn register(follow: &Follow) -> Answered {
    let entry = follow.partner(Job::AuthReg)?;
    let refuse = |refusal: Refusal| follow.refuse(&refusal);
    let hub = &follow.call.api.hub;
    let parsed = register::parse(&follow.call.fields, hub.now()).map_err(refuse)?;
    if entry.partner.suspended {
        return Err(refuse(Code::CDAU9998.into()));
    }
    let card = CardDetails {
        number: parsed.number.clone(),
        expiry_year: parsed.expiry_year.clone(),
        expiry_month: parsed.expiry_month.clone(),
        password: parsed.password.clone(),
        birth: parsed.birth.clone(),
    };
    let (token, org, org_name, number_masked) = match hub.till.register_card(&card).await {
        Registration::Done { token, org, org_name, number_masked } => {
            (token, org, org_name, number_masked)
        }
        Registration::Refused(reason) => {
            let detail = Detail::Institution(reason);
            return Err(refuse(Refusal { code: Code::CDAU0007, detail }));
        }
        Registration::NoAnswer => return Err(refuse(Code::CDAU0009.into())),
    };
    let partner = entry.partner.no;
    let instrument = Instrument {
        token,
        number_masked: number_masked.clone(),
        holder: parsed.payer_name.clone(),
        phone_masked: SecretString::from(mask_phone(parsed.payer_phone.expose_secret())),
    };
    let (method, owner) = (Method::Card, parsed.owner);
    let name = org_name.clone();
    let new = NewPayer { partner, method, owner, org, org_name, instrument, alias: None };
    match hub.submit(Actor::Partner, Command::AddPayer(Box::new(new))).await {
        Ok(Reply::Payer(no)) => {
            let payer_id = hub.id(Kind::Payer, partner, no.0);
            let masked = number_masked.expose_secret();
            let cst_id = &entry.partner.cst_id;
            let body = register::Response::of(cst_id, &payer_id, &parsed, &name, masked);
            Ok(follow.done(&body))
        }
        Ok(_) => Err(follow.internal("a registration was answered out of turn")),
        Err(refusal) => Err(refuse(refusal)),
    }
}
