//! Partners and their money outside the API (decision M1).

use super::Scene;
use crate::code::Code;
use crate::command::{Funding, NewPartner};
use crate::ident::PartnerNo;
use crate::ledger::{Entry, Ledger, Subject};
use crate::money::Won;
use crate::partner::{BillingSettings, Partner, Settings, Verifier};
use crate::refusal::Refusal;
use crate::text;
use crate::view::{About, Change, EventKind, Reply, Write};
use secrecy::SecretString;

pub(super) fn add(at: &Scene<'_>, new: &NewPartner) -> Result<Change, Refusal> {
    if at.view.partner.is_some() {
        return Err(Code::P0102.into());
    }
    if !text::is_cst_id(&new.cst_id) {
        return Err(Refusal::field(Code::P0103, "cst_id"));
    }
    let name = text::partner_name(&new.name).ok_or(Refusal::field(Code::P0103, "name"))?;
    let no = PartnerNo(at.context.serial);
    let partner = Partner {
        no,
        cst_id: new.cst_id.clone(),
        name,
        suspended: false,
        held: false,
        key_generation: 1,
        verifier: new.verifier,
        webhook_url: new.webhook_url.clone(),
        sources: new.sources.clone(),
        transfer_cap: new.transfer_cap,
        made_at: at.context.now,
        billing: BillingSettings::default(),
    };
    let event = at.event(EventKind::PartnerAdded, About::Partner(no), Some(no));
    Ok(Change {
        writes: vec![
            Write::Partner(partner),
            Write::WebhookSecret(no, new.webhook_secret.clone()),
            Write::Ledger(Ledger::new(no)),
            Write::Event(event),
        ],
        reply: Reply::Partner(no),
        serials: 1,
    })
}

pub(super) fn set(at: &Scene<'_>, settings: &Settings) -> Result<Change, Refusal> {
    let mut partner = at.partner()?.clone();
    if let Some(name) = &settings.name {
        partner.name = text::partner_name(name).ok_or(Refusal::field(Code::P0103, "name"))?;
    }
    if let Some(url) = &settings.webhook_url {
        partner.webhook_url.clone_from(url);
    }
    if let Some(sources) = &settings.sources {
        partner.sources.clone_from(sources);
    }
    if let Some(cap) = settings.transfer_cap {
        partner.transfer_cap = cap;
    }
    if let Some(domains) = &settings.domains {
        partner.billing.domains.clone_from(domains);
    }
    if let Some(url) = &settings.payment_url {
        partner.billing.payment_url.clone_from(url);
    }
    if let Some(url) = &settings.removal_url {
        partner.billing.removal_url.clone_from(url);
    }
    changed(at, partner, EventKind::PartnerChanged)
}

pub(super) fn rotate_cust_key(at: &Scene<'_>, verifier: Verifier) -> Result<Change, Refusal> {
    let mut partner = at.partner()?.clone();
    partner.verifier = verifier;
    partner.key_generation += 1;
    changed(at, partner, EventKind::CustKeyRotated)
}

pub(super) fn rotate_webhook_secret(
    at: &Scene<'_>,
    secret: &SecretString,
) -> Result<Change, Refusal> {
    let partner = at.partner()?.clone();
    let write = Write::WebhookSecret(partner.no, secret.clone());
    let mut change = changed(at, partner, EventKind::WebhookSecretRotated)?;
    change.writes.push(write);
    Ok(change)
}

pub(super) fn rotate_refund_key(
    at: &Scene<'_>,
    verifier: Option<Verifier>,
) -> Result<Change, Refusal> {
    let mut partner = at.partner()?.clone();
    partner.billing.refund_verifier = verifier;
    changed(at, partner, EventKind::RefundKeyRotated)
}

pub(super) fn suspend(at: &Scene<'_>, suspended: bool) -> Result<Change, Refusal> {
    let mut partner = at.partner()?.clone();
    if partner.suspended == suspended {
        return Ok(Change::none(Reply::Done));
    }
    partner.suspended = suspended;
    let kind = if suspended { EventKind::PartnerSuspended } else { EventKind::PartnerResumed };
    changed(at, partner, kind)
}

fn changed(at: &Scene<'_>, partner: Partner, kind: EventKind) -> Result<Change, Refusal> {
    let event = at.event(kind, About::Partner(partner.no), Some(partner.no));
    Ok(Change {
        writes: vec![Write::Partner(partner), Write::Event(event)],
        reply: Reply::Done,
        serials: 0,
    })
}

/// Idempotent by its reference; takes back at most what is available (decision M1).
pub(super) fn fund(
    at: &Scene<'_>,
    funding: Funding,
    amount: Won,
    reference: &str,
) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let ledger = at.ledger()?;
    if amount <= Won::ZERO {
        return Err(Refusal::field(Code::P0103, "amount"));
    }
    let reference_ok =
        text::clean(reference).is_some_and(|r| (1..=64).contains(&r.chars().count()));
    if !reference_ok {
        return Err(Refusal::field(Code::P0103, "reference"));
    }
    let (entry, kind, signed) = match funding {
        Funding::In => (Entry::Fund, EventKind::Funded, amount),
        Funding::Back => (Entry::TakeBack, EventKind::TakenBack, Won(-amount.0)),
    };
    if let Some(before) = at.view.fund {
        let repeated = Reply::Funded { available: ledger.available, repeated: true };
        return if before == signed { Ok(Change::none(repeated)) } else { Err(Code::P0110.into()) };
    }
    let (next, posting) = at.post(ledger, entry, amount, Subject::Fund, Code::P0111)?;
    let mut event = at.event(kind, About::Partner(partner.no), Some(partner.no));
    event.amount = Some(amount);
    event.note = Some(reference.to_owned());
    let reply = Reply::Funded { available: next.available, repeated: false };
    let fund = Write::Fund {
        partner: partner.no,
        reference: reference.to_owned(),
        amount: signed,
        at: at.context.now,
    };
    let writes = vec![Write::Ledger(next), posting, fund, Write::Event(event)];
    Ok(Change { writes, reply, serials: 0 })
}
