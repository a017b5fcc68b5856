//! Who gives a command: a person whose signature was verified, or a local caller (decisions I3, M2).

use super::execute::{By, carry_out};
use super::request::{AdminError, Envelope, Request, Signature, signed_text};
use crate::hub::Hub;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Command};
use ichae_domain::operator::Operator;
use ichae_domain::time::Time;
use serde_json::{Value, json};
use std::sync::Arc;

/// Carries out what came over the socket, or what the holder of the store's lock gives.
///
/// Once there are operators, whatever changes something must be signed by one of them. What ends a
/// payout or moves money that no rule moves always must.
pub async fn serve(
    hub: &Arc<Hub>,
    local: &str,
    envelope: Envelope,
    progress: impl FnMut(String) + Send,
) -> Result<Value, AdminError> {
    let request: Request = serde_json::from_str(&envelope.body)
        .map_err(|_| AdminError::plain("the server does not know this command: same version?"))?;
    let operators = hub.read(|r| r.operators()).await?;
    if let Request::Identity { name } = &request {
        return identity(hub, &operators, name).await;
    }
    let by = match &envelope.signed {
        Some(signature) => {
            verify(hub, &operators, signature, &envelope.body).await?;
            By { name: signature.by.clone(), signed: true }
        }
        None if request.needs_operator() => return Err(Code::P0120.into()),
        None if request.changes() && !operators.is_empty() => {
            return Err(Code::P0120.into());
        }
        None => By { name: local.to_owned(), signed: false },
    };
    carry_out(hub, by, request, progress).await
}

/// One answer for an unknown name, a revoked one and a wrong signature.
async fn verify(
    hub: &Arc<Hub>,
    operators: &[Operator],
    signature: &Signature,
    body: &str,
) -> Result<(), AdminError> {
    let known = operators.iter().find(|o| o.name == signature.by && o.may_sign());
    let operator = known.ok_or(Code::P0121)?;
    let store = store_id(hub).await?;
    let text = signed_text(&store, &signature.by, signature.at, body);
    let bytes = STANDARD.decode(&signature.signature).map_err(|_| Code::P0121)?;
    UnparsedPublicKey::new(&ED25519, operator.public_key)
        .verify(text.as_bytes(), &bytes)
        .map_err(|_| Code::P0121)?;
    let (name, at) = (operator.name.clone(), Time(signature.at));
    hub.submit(Actor::Operator(name.clone()), Command::Sign { name, at }).await?;
    Ok(())
}

async fn store_id(hub: &Arc<Hub>) -> Result<String, AdminError> {
    Ok(STANDARD.encode(hub.read(|r| r.store_id()).await?))
}

/// The store, and the moment that the operator's next signature may name.
async fn identity(hub: &Arc<Hub>, operators: &[Operator], name: &str) -> Result<Value, AdminError> {
    let last = operators.iter().find(|o| o.name == name).map_or(Time(0), |o| o.last_signed);
    let next = hub.now().max(last.plus_ms(1));
    Ok(json!({ "store": store_id(hub).await?, "at": next.0 }))
}
