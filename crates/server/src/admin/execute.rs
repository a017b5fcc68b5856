//! Carries an operator's request out against a hub. Everything that changes goes through the writer.

use super::request::{AdminError, PartnerAdd, PartnerSet, Request};
use super::rotate;
use crate::cells::Route;
use crate::directory::{Entry, parse_net};
use crate::hub::Hub;
use crate::secrets;
use ichae_domain::code::Code;
use ichae_domain::command::{
    Action, Actor, Command, Execute, Funding, HoldOrder, NewPartner, Target,
};
use ichae_domain::group::Group;
use ichae_domain::ident::{GroupNo, NoticeNo, PartnerNo};
use ichae_domain::matter::{Act, Matter};
use ichae_domain::money::Won;
use ichae_domain::notice::{Notice, NoticeState, Subject};
use ichae_domain::partner::{Partner, Settings};
use ichae_domain::refusal::Refusal;
use ichae_domain::text;
use ichae_domain::view::{About, Event, Reply};
use ichae_rail::port::BankStatus;
use ichae_store::port::{NoticeFilter, Tally};
use ichae_wire::ident::Kind;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) type Done = Result<Value, AdminError>;

/// Groups and notices that one answer lists at most.
const LIST_MAX: usize = 1_000;

/// Who gives a request, and whether a signature says so.
pub(super) struct By {
    pub name: String,
    pub signed: bool,
}

/// Carries out one request of the process itself, or of a test. `progress` is told about long work
/// as it goes on.
pub async fn execute(
    hub: &Arc<Hub>,
    actor: &str,
    request: Request,
    progress: impl FnMut(String) + Send,
) -> Done {
    carry_out(hub, By { name: actor.to_owned(), signed: false }, request, progress).await
}

pub(super) async fn carry_out(
    hub: &Arc<Hub>,
    by: By,
    request: Request,
    mut progress: impl FnMut(String) + Send,
) -> Done {
    let admin = Admin { hub, actor: Actor::Operator(by.name), signed: by.signed };
    match request {
        Request::PartnerAdd(add) => admin.partner_add(add).await,
        Request::PartnerList => admin.partner_list().await,
        Request::PartnerShow { cst_id } => admin.partner_show(&cst_id).await,
        Request::PartnerRotateKey { cst_id, webhook_secret, refund_key } => {
            admin.partner_rotate(&cst_id, webhook_secret, refund_key).await
        }
        Request::Billing(request) => admin.billing(request).await,
        Request::PartnerSuspend { cst_id, suspended } => {
            let partner = admin.partner(&cst_id)?.partner.no;
            admin.give(Command::Suspend { partner, suspended }).await?;
            Ok(json!({ "cst_id": cst_id, "suspended": suspended }))
        }
        Request::PartnerFund { cst_id, amount, reference, take_back } => {
            admin.partner_fund(&cst_id, &amount, reference, take_back).await
        }
        Request::PartnerSet(set) => admin.partner_set(set).await,
        Request::GroupList { cst_id } => admin.group_list(&cst_id).await,
        Request::GroupShow { cst_id, group_key } => admin.group_show(&cst_id, &group_key).await,
        Request::GroupCancel { cst_id, group_key } => admin.group_cancel(&cst_id, &group_key).await,
        Request::WebhookList { cst_id, state, after, limit } => {
            admin.webhook_list(cst_id, state, after, limit).await
        }
        Request::WebhookShow { no } => admin.webhook_show(no).await,
        Request::WebhookResend { no } => {
            admin.give(Command::Resend { notice: NoticeNo(no) }).await?;
            admin.webhook_show(no).await
        }
        Request::BankStatus => admin.bank_status().await,
        Request::BankPause { reason } => {
            admin.give(Command::PauseRail { reason }).await?;
            admin.bank_status().await
        }
        Request::BankResume => {
            admin.give(Command::ResumeRail).await?;
            admin.bank_status().await
        }
        Request::KeyRotate => rotate::rotate(hub, &mut progress).await,
        Request::EventList { cst_id, limit } => admin.event_list(cst_id, limit).await,
        other => admin.decide_on(other).await,
    }
}

pub(super) struct Admin<'a> {
    pub hub: &'a Arc<Hub>,
    actor: Actor,
    signed: bool,
}

impl Admin<'_> {
    pub(super) fn name(&self) -> &str {
        match &self.actor {
            Actor::Operator(name) => name,
            Actor::Engine | Actor::Partner => "engine",
        }
    }

    /// What persons decide, and what they look at for it.
    async fn decide_on(&self, request: Request) -> Done {
        match request {
            Request::BankBalance { amount, source } => self.bank_balance(&amount, source).await,
            Request::StatementNote(note) => self.statement_note(note).await,
            Request::PartnerHold { cst_id, held, reason } => {
                self.partner_hold(&cst_id, held, reason).await
            }
            Request::PartnerRecover { cst_id, amount, evidence } => {
                self.owed(&cst_id, &amount, Matter::Recover, evidence).await
            }
            Request::PartnerWriteOff { cst_id, amount, evidence } => {
                self.owed(&cst_id, &amount, Matter::WriteOff, evidence).await
            }
            Request::PayoutUnknown { after, limit } => self.payout_unknown(after, limit).await,
            Request::PayoutExplain { payout } => self.payout_explain(&payout).await,
            Request::PayoutHold { payout, held, reason } => {
                self.payout_hold(payout, held, reason).await
            }
            Request::PayoutResolve { payout, paid_on, evidence } => {
                self.payout_resolve(payout, paid_on, evidence).await
            }
            Request::PayoutCorrect { payout, paid_on, evidence } => {
                self.payout_correct(payout, paid_on, evidence).await
            }
            Request::PayoutReturn { payout, code, evidence } => {
                self.payout_return(payout, code, evidence).await
            }
            Request::ProposalList { all } => self.proposal_list(all).await,
            Request::ProposalApprove { no } => self.proposal_approve(no).await,
            Request::ProposalWithdraw { no } => self.proposal_withdraw(no).await,
            Request::OperatorAdd { name, public_key } => self.operator_add(name, &public_key).await,
            Request::OperatorList => self.operator_list().await,
            Request::OperatorRevoke { name } => self.operator_revoke(name).await,
            Request::Funds => self.funds().await,
            _ => Err(AdminError::plain("this command has its own place")),
        }
    }
}

impl Admin<'_> {
    pub(super) fn partner(&self, cst_id: &str) -> Result<Arc<Entry>, AdminError> {
        self.hub.directory.by_id(cst_id).ok_or_else(|| Code::P0101.into())
    }

    pub(super) async fn give(&self, command: Command) -> Result<Reply, AdminError> {
        Ok(self.hub.submit(self.actor.clone(), command).await?)
    }

    async fn partner_add(&self, add: PartnerAdd) -> Done {
        let cust_key = match add.cust_key {
            Some(key) => key,
            None => secrets::cust_key()?,
        };
        match self.hub.cells.by_id(&add.cst_id) {
            None => {}
            Some(Route::To(_)) => return Err(Code::P0102.into()),
            // Another cell may have it.
            Some(Route::Between) => return Err(Code::T0503.into()),
        }
        let secret = secrets::webhook_secret()?;
        let new = NewPartner {
            cst_id: add.cst_id.clone(),
            name: add.name,
            verifier: self.hub.sealer.verifier(&cust_key),
            webhook_secret: secret.clone(),
            webhook_url: add.webhook_url.map(|url| self.webhook_url(url)).transpose()?,
            sources: networks(add.sources)?,
            transfer_cap: add.transfer_cap.as_deref().map(cap).transpose()?,
        };
        let Reply::Partner(partner) = self.give(Command::AddPartner(Box::new(new))).await? else {
            return Err(Code::T0999.into());
        };
        if let Some(key) = add.refund_key {
            let verifier = Some(self.hub.sealer.verifier(&key));
            self.give(Command::RotateRefundKey { partner, verifier }).await?;
        }
        Ok(json!({
            "cst_id": add.cst_id,
            "cust_key": cust_key.expose_secret(),
            "webhook_secret": secret.expose_secret(),
        }))
    }

    fn webhook_url(&self, url: String) -> Result<String, AdminError> {
        let fits = url.len() <= text::WEBHOOK_URL_MAX && self.hub.reach.accepts(&url);
        if fits { Ok(url) } else { Err(Refusal::field(Code::P0103, "webhook_url").into()) }
    }

    async fn partner_list(&self) -> Done {
        let partners = self.hub.read(|r| r.partners()).await?;
        let mut rows = Vec::with_capacity(partners.len());
        for partner in partners {
            rows.push(self.partner_value(&partner).await?);
        }
        Ok(Value::Array(rows))
    }

    pub(super) async fn partner_show(&self, cst_id: &str) -> Done {
        let entry = self.partner(cst_id)?;
        self.partner_value(&entry.partner).await
    }

    async fn partner_value(&self, partner: &Partner) -> Done {
        let no = partner.no;
        let ledger = self.hub.read(move |r| r.ledger(no)).await?.ok_or(Code::T0999)?;
        Ok(json!({
            "cst_id": partner.cst_id,
            "name": partner.name,
            "suspended": partner.suspended,
            "held_back": partner.held,
            "available": ledger.available.0,
            "held": ledger.held.0,
            "suspense": ledger.suspense.0,
            "funded": ledger.funded.0,
            "webhook_url": partner.webhook_url,
            "sources": partner.sources,
            "transfer_cap": partner.transfer_cap.map(|won| won.0),
            "captured": ledger.captured.0,
            "refunding": ledger.refunding.0,
            "acquirer_owes": -ledger.receivable.0,
            "domains": partner.billing.domains,
            "payment_url": partner.billing.payment_url,
            "removal_url": partner.billing.removal_url,
            "refund_key": partner.billing.refund_verifier.is_some(),
            "key_generation": partner.key_generation,
            "shard": no.shard(),
            "since": partner.made_at.seoul_text(),
        }))
    }

    async fn partner_rotate(&self, cst_id: &str, webhook_secret: bool, refund_key: bool) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        if refund_key {
            let key = secrets::refund_key()?;
            let verifier = Some(self.hub.sealer.verifier(&key));
            self.give(Command::RotateRefundKey { partner, verifier }).await?;
            return Ok(json!({ "cst_id": cst_id, "refund_key": key.expose_secret() }));
        }
        if webhook_secret {
            let secret = secrets::webhook_secret()?;
            self.give(Command::RotateWebhookSecret { partner, secret: secret.clone() }).await?;
            return Ok(json!({ "cst_id": cst_id, "webhook_secret": secret.expose_secret() }));
        }
        let key = secrets::cust_key()?;
        let verifier = self.hub.sealer.verifier(&key);
        self.give(Command::RotateCustKey { partner, verifier }).await?;
        Ok(json!({ "cst_id": cst_id, "cust_key": key.expose_secret() }))
    }

    async fn partner_fund(
        &self,
        cst_id: &str,
        amount: &str,
        reference: String,
        take_back: bool,
    ) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let amount = Won::parse(amount).ok_or(Refusal::field(Code::P0103, "amount"))?;
        let entry = if take_back { Funding::Back } else { Funding::In };
        // A person's, once there are any: above the set amount another one has to approve it.
        let command = match self.signed {
            true => {
                let (matter, note) = (Matter::Fund(entry), reference.clone());
                Command::Act(Box::new(Act { matter, partner, payout: None, amount, note }))
            }
            false => Command::Fund { partner, entry, amount, reference: reference.clone() },
        };
        let reply = self.give(command).await?;
        if let Some(proposed) = self.acted(&reply).await? {
            return Ok(proposed);
        }
        match reply {
            Reply::Funded { available, repeated } => Ok(json!({
                "cst_id": cst_id,
                "reference": reference,
                "amount": amount.0,
                "available": available.0,
                "repeated": repeated,
            })),
            _ => Err(Code::T0999.into()),
        }
    }

    async fn partner_set(&self, set: PartnerSet) -> Done {
        let partner = self.partner(&set.cst_id)?.partner.no;
        let url = |given: Option<String>| match given {
            Some(url) if url.is_empty() => Ok(Some(None)),
            Some(url) => self.webhook_url(url).map(|url| Some(Some(url))),
            None => Ok(None),
        };
        let transfer_cap = match set.transfer_cap.as_deref() {
            Some("") => Some(None),
            Some(text) => Some(Some(cap(text)?)),
            None => None,
        };
        let sources = set.sources.map(networks).transpose()?;
        let settings = Settings {
            name: set.name,
            webhook_url: url(set.webhook_url)?,
            sources,
            transfer_cap,
            domains: set.domains.map(domains).transpose()?,
            payment_url: url(set.payment_url)?,
            removal_url: url(set.removal_url)?,
        };
        self.give(Command::SetPartner { partner, settings: Box::new(settings) }).await?;
        self.partner_show(&set.cst_id).await
    }

    async fn partner_hold(&self, cst_id: &str, held: bool, reason: String) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let order = HoldOrder { partner, payout: None, group: None, held, reason };
        self.give(Command::Hold(Box::new(order))).await?;
        Ok(json!({ "cst_id": cst_id, "held": held }))
    }

    async fn group_list(&self, cst_id: &str) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let groups = self.hub.read(move |r| r.waiting_groups(partner, LIST_MAX)).await?;
        Ok(groups.iter().map(|group| self.group_value(group)).collect())
    }

    fn group_value(&self, group: &Group) -> Value {
        json!({
            "group_key": self.hub.id(Kind::Group, group.partner, group.no.0),
            "state": group.mode.name(),
            "opened": group.opened_at.seoul_text(),
            "requests": group.rows,
            "waiting": group.waiting,
            "waiting_sum": group.waiting_sum.0,
        })
    }

    async fn group(&self, cst_id: &str, key: &str) -> Result<(PartnerNo, Group), AdminError> {
        let partner = self.partner(cst_id)?.partner.no;
        let no = self.hub.serial(Kind::Group, partner, key).map(GroupNo).ok_or(Code::E0101)?;
        let group = self.hub.read(move |r| r.group(no)).await?;
        let group = group.filter(|group| group.partner == partner).ok_or(Code::E0101)?;
        Ok((partner, group))
    }

    async fn group_show(&self, cst_id: &str, key: &str) -> Done {
        let (_, group) = self.group(cst_id, key).await?;
        let no = group.no;
        let tally = self.hub.read(move |r| r.tally(no, None)).await?;
        let mut value = self.group_value(&group);
        let line = |t: &Tally| json!({ "state": t.state.name(), "count": t.count, "sum": t.sum.0 });
        value["states"] = tally.iter().map(line).collect();
        Ok(value)
    }

    async fn group_cancel(&self, cst_id: &str, key: &str) -> Done {
        let (partner, group) = self.group(cst_id, key).await?;
        let execute = Execute {
            partner,
            group: group.no,
            target: Target::All,
            action: Action::Cancel,
            webhook_url: None,
        };
        match self.give(Command::Execute(Box::new(execute))).await? {
            Reply::Executed { total, remain, rows, .. } => Ok(json!({
                "group_key": key, "canceled": rows, "sum": total.0, "available": remain.0,
            })),
            _ => Err(Code::T0999.into()),
        }
    }

    async fn webhook_list(
        &self,
        cst_id: Option<String>,
        state: Option<String>,
        after: i64,
        limit: usize,
    ) -> Done {
        let partner = cst_id.map(|id| self.partner(&id)).transpose()?.map(|e| e.partner.no);
        let state = state.map(|name| notice_state(&name)).transpose()?;
        let filter = NoticeFilter { partner, state };
        let limit = limit.min(LIST_MAX);
        let notices = self.hub.read(move |r| r.notices(filter, NoticeNo(after), limit)).await?;
        Ok(notices.iter().map(|notice| self.notice_value(notice)).collect())
    }

    async fn webhook_show(&self, no: i64) -> Done {
        let notice = self.hub.read(move |r| r.notice(NoticeNo(no))).await?.ok_or(Code::W0101)?;
        let mut value = self.notice_value(&notice);
        let Subject::Payout(payout) = notice.subject else { return Ok(value) };
        let row = self.hub.read(move |r| r.row(payout)).await?.ok_or(Code::T0999)?;
        value["payout_state"] = json!(row.state.name());
        value["amount"] = json!(row.payout.amount.0);
        value["distinct_key"] = json!(row.payout.distinct_key);
        value["group_key"] = json!(self.hub.id(Kind::Group, notice.partner, row.group.no.0));
        Ok(value)
    }

    fn notice_value(&self, notice: &Notice) -> Value {
        let entry = self.hub.directory.by_no(notice.partner);
        let pending = notice.state == NoticeState::Pending;
        let partner = notice.partner;
        let about = match notice.subject {
            Subject::Payout(no) => self.hub.id(Kind::Transfer, partner, no.0),
            Subject::Charge(no, _) => format!("payment {}", no.0),
            Subject::Payer(no) => format!("payer {}", no.0),
        };
        json!({
            "no": notice.no.0,
            "webhook_id": self.hub.notice_id(notice),
            "cst_id": entry.map(|entry| entry.partner.cst_id.clone()),
            "about": about,
            "outcome": notice.outcome.name(),
            "state": notice.state.name(),
            "tries": notice.tries,
            "last_status": notice.last_status,
            "last_try": notice.last_at.map(|at| at.seoul_text()),
            "next_try": pending.then(|| notice.next_at.seoul_text()),
        })
    }

    async fn bank_status(&self) -> Done {
        let read = |r: &dyn ichae_store::port::Reader| Ok((r.rail()?, r.unknown_sum()?));
        let (rail, (unknown, at_risk)) = self.hub.read(read).await?;
        let pause = rail.pause.as_ref();
        let now = self.hub.now();
        let calendar = self.hub.calendar;
        let opens = calendar.open_from(now);
        let banks = self.hub.banks.load();
        let shut = banks.iter().filter(|(_, status)| **status != BankStatus::Open);
        let shut = shut.map(|(bank, status)| format!("{bank} {}", status.name()));
        let windows = calendar.closed.keys().filter_map(|bank| {
            let opens = calendar.bank_open_from(bank, now);
            (opens > now).then(|| format!("{bank} until {}", opens.seoul_text()))
        });
        let shut: Vec<String> = shut.chain(windows).collect();
        Ok(json!({
            "paused": pause.is_some(),
            "since": pause.map(|p| p.at.seoul_text()),
            "by": pause.map(|p| p.by.clone()),
            "reason": pause.map(|p| p.reason.clone()),
            "institution": self.hub.rail.institution(),
            "hours": calendar.hours.to_string(),
            "open": opens <= now,
            "opens": (opens > now).then(|| opens.seoul_text()),
            "banks_shut": shut,
            "unknown": unknown,
            "unknown_sum": at_risk.0,
        }))
    }

    async fn event_list(&self, cst_id: Option<String>, limit: usize) -> Done {
        let partner = cst_id.map(|id| self.partner(&id)).transpose()?.map(|e| e.partner.no);
        let limit = limit.min(LIST_MAX);
        let events = self.hub.read(move |r| r.events(partner, limit)).await?;
        Ok(events.iter().map(event_value).collect())
    }
}

/// For people.
pub(super) fn who(actor: &Actor) -> String {
    match actor {
        Actor::Partner => "partner".to_owned(),
        Actor::Engine => "engine".to_owned(),
        Actor::Operator(name) => name.clone(),
    }
}

fn event_value(event: &Event) -> Value {
    let (about, no) = match event.about {
        About::Partner(no) => ("partner", no.0),
        About::Key(no) => ("billing key", no.0),
        About::Payout(no) => ("payout", no.0),
        About::Group(no) => ("group", no.0),
        About::Notice(no) => ("webhook", no.0),
        About::Rail => ("rail", 0),
        About::Operator => ("operator", 0),
        About::Proposal(no) => ("proposal", no.0),
        About::Payer(no) => ("payer", no.0),
        About::Charge(no) => ("payment", no.0),
    };
    json!({
        "at": event.at.seoul_text(),
        "by": who(&event.actor),
        "what": event.kind.text(),
        "about": format!("{about} {no}"),
        "amount": event.amount.map(|won| won.0),
        "note": event.note,
    })
}

fn networks(given: Vec<String>) -> Result<Vec<String>, AdminError> {
    let bad = || AdminError::from(Refusal::field(Code::P0103, "sources"));
    given.iter().map(|net| parse_net(net).map(|net| net.to_string()).ok_or_else(bad)).collect()
}

/// Host names without scheme, port or path.
fn domains(given: Vec<String>) -> Result<Vec<String>, AdminError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let fits = |name: &String| (1..=253).contains(&name.len()) && name.chars().all(plain);
    match given.iter().all(fits) {
        true => Ok(given.into_iter().map(|name| name.to_ascii_lowercase()).collect()),
        false => Err(Refusal::field(Code::P0103, "domains").into()),
    }
}

fn cap(text: &str) -> Result<Won, AdminError> {
    Won::parse(text).ok_or_else(|| Refusal::field(Code::P0103, "transfer_cap").into())
}

fn notice_state(name: &str) -> Result<NoticeState, AdminError> {
    use NoticeState::*;
    let states = [Pending, Delivered, GivenUp, NoAddress];
    let found = states.into_iter().find(|state| state.name() == name);
    found.ok_or_else(|| {
        AdminError::plain("the state is one of pending, delivered, given-up, no-address")
    })
}
