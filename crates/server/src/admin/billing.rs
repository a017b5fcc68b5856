//! Payers' keys and payments, as operators see them.

use super::execute::{Admin, Done};
use super::request::AdminError;
use ichae_acquirer::port::{AccountDetails, CardDetails, Registration};
use ichae_domain::banks;
use ichae_domain::billing::{
    Charge, Instrument, Method, Owner, Payer, PayerAlias, Reason, Trade, TradeState,
};
use ichae_domain::code::Code;
use ichae_domain::command::{Command, NewPayer};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::matter::{Act, Matter};
use ichae_domain::refusal::{Detail, Refusal};
use ichae_domain::text;
use ichae_domain::time::Day;
use ichae_domain::view::Reply;
use ichae_store::billing::{ChargeRow, PayerRow};
use ichae_wire::cpay::payer_id;
use ichae_wire::cpay::register::mask_phone;
use ichae_wire::ident::Kind;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Payments that one commit marks as settled at most.
const SETTLE_SLICE: usize = 500;
/// Rows that one answer lists at most.
const LIST_MAX: usize = 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum BillingRequest {
    /// A card or account that the acquirer is to take.
    Add {
        cst_id: String,
        details: Details,
    },
    /// A key of another service, with the acquirer's token behind it: it keeps its id.
    Import(Import),
    List {
        cst_id: String,
        after: i64,
        limit: usize,
    },
    Remove {
        cst_id: String,
        payer_id: String,
    },
    /// Without a partner: of all.
    Settle {
        cst_id: Option<String>,
        through: String,
    },
    Unknown {
        after: i64,
        limit: usize,
    },
    Explain {
        cst_id: String,
        oid: String,
    },
    /// Ends a call that nobody knows the end of.
    Resolve {
        reference: String,
        done: bool,
        evidence: String,
    },
}

impl BillingRequest {
    pub fn changes(&self) -> bool {
        use BillingRequest::*;
        match self {
            Add { .. } | Import(_) | Remove { .. } | Settle { .. } => true,
            List { .. } | Unknown { .. } | Explain { .. } => false,
            Resolve { .. } => self.needs_operator(),
        }
    }

    /// Whether only a person with a key may give it (decision M2).
    pub fn needs_operator(&self) -> bool {
        matches!(self, BillingRequest::Resolve { .. })
    }
}

/// What the acquirer has to know. It is passed on and kept nowhere; nothing of it is printed.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// `card` or `account`.
    pub method: String,
    pub number: String,
    pub holder: String,
    /// Birth date (six digits) or business number (ten).
    pub birth: String,
    #[serde(default)]
    pub phone: String,
    /// Of a card: `YYMM`.
    #[serde(default)]
    pub expiry: String,
    /// Of a card: the first two digits.
    #[serde(default)]
    pub password: String,
    /// Of an account: three digits.
    #[serde(default)]
    pub bank: String,
}

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Details({}, …)", self.method)
    }
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    pub cst_id: String,
    pub payer_id: String,
    /// `card` or `account`.
    pub method: String,
    /// The acquirer's.
    pub token: String,
    /// Four digits of a card company, or three of a bank.
    pub org: String,
    pub org_name: String,
    /// `1111-****-****-2222` or `123-********-021`.
    pub number_masked: String,
    pub holder: String,
    /// `010-****-5678`.
    #[serde(default)]
    pub phone_masked: String,
    #[serde(default)]
    pub business: bool,
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Import({}, {}, …)", self.cst_id, self.method)
    }
}

fn bad(name: &'static str) -> AdminError {
    Refusal::field(Code::P0142, name).into()
}

fn method(name: &str) -> Result<Method, AdminError> {
    let known = [Method::Card, Method::Account];
    known.into_iter().find(|method| method.name() == name).ok_or_else(|| bad("method"))
}

/// Digits of one of the lengths.
fn digits(
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
    name: &'static str,
) -> Result<SecretString, AdminError> {
    let fits = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(text.to_owned().into()) } else { Err(bad(name)) }
}

/// 1 to 100 characters that can be shown.
fn name(text: &str, of: &'static str) -> Result<SecretString, AdminError> {
    let clean = text::clean(text).filter(|text| (1..=100).contains(&text.chars().count()));
    clean.map(SecretString::from).ok_or_else(|| bad(of))
}

/// Only a part of a number may be in what is kept: six digits in a row, or nine in all, would be more.
fn masked(text: &str, of: &'static str) -> Result<SecretString, AdminError> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '*' | '-');
    let open = text.chars().filter(char::is_ascii_digit).count();
    let run = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let fits = text.len() <= 32 && text.chars().all(plain) && open <= 8 && run < 6;
    if fits { Ok(text.to_owned().into()) } else { Err(bad(of)) }
}

impl Admin<'_> {
    pub(super) async fn billing(&self, request: BillingRequest) -> Done {
        match request {
            BillingRequest::Add { cst_id, details } => self.payer_add(&cst_id, &details).await,
            BillingRequest::Import(import) => self.payer_import(import).await,
            BillingRequest::List { cst_id, after, limit } => {
                self.payer_list(&cst_id, after, limit).await
            }
            BillingRequest::Remove { cst_id, payer_id } => {
                self.payer_remove(&cst_id, &payer_id).await
            }
            BillingRequest::Settle { cst_id, through } => self.settle(cst_id, &through).await,
            BillingRequest::Unknown { after, limit } => self.trades_unknown(after, limit).await,
            BillingRequest::Explain { cst_id, oid } => self.charge_explain(&cst_id, &oid).await,
            BillingRequest::Resolve { reference, done, evidence } => {
                self.trade_resolve(&reference, done, evidence).await
            }
        }
    }

    async fn payer_add(&self, cst_id: &str, details: &Details) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        if !self.hub.till.is_open() {
            return Err(AdminError::plain(
                "no acquirer is connected here: set billing.acquirer, and start the server",
            ));
        }
        let method = method(&details.method)?;
        let business = text::is_business_number(&details.birth);
        if !business && !text::is_birth_date(&details.birth) {
            return Err(bad("birth"));
        }
        let holder = name(&details.holder, "holder")?;
        let birth = SecretString::from(details.birth.clone());
        let registered = match method {
            Method::Card => {
                digits(&details.expiry, 4..=4, "expiry")?;
                let card = CardDetails {
                    number: digits(&details.number, 13..=16, "number")?,
                    expiry_year: details.expiry[..2].to_owned().into(),
                    expiry_month: details.expiry[2..].to_owned().into(),
                    password: digits(&details.password, 2..=2, "password")?,
                    birth,
                };
                self.hub.till.register_card(&card).await
            }
            Method::Account => {
                banks::name(&details.bank).ok_or_else(|| bad("bank"))?;
                let account = AccountDetails {
                    bank: details.bank.clone(),
                    number: digits(&details.number, 10..=16, "number")?,
                    holder: holder.clone(),
                    birth,
                };
                self.hub.till.register_account(&account).await
            }
        };
        let (token, org, org_name, number_masked) = match registered {
            Registration::Done { token, org, org_name, number_masked } => {
                (token, org, org_name, number_masked)
            }
            Registration::Refused(reason) => return Err(refused(reason)),
            Registration::NoAnswer => {
                return Err(AdminError::plain("the acquirer did not answer; no key was made"));
            }
        };
        let phone_masked = SecretString::from(mask_phone(&details.phone));
        let instrument = Instrument { token, number_masked, holder, phone_masked };
        let owner = if business { Owner::Business } else { Owner::Person };
        let new = NewPayer { partner, method, owner, org, org_name, instrument, alias: None };
        self.add(cst_id, new).await
    }

    async fn payer_import(&self, import: Import) -> Done {
        let partner = self.partner(&import.cst_id)?.partner.no;
        let alias = payer_id::decode(&import.payer_id).ok_or_else(|| bad("payer_id"))?;
        let method = method(&import.method)?;
        let length = if method == Method::Card { 4 } else { 3 };
        digits(&import.org, length..=length, "org")?;
        let phone = &import.phone_masked;
        let instrument = Instrument {
            token: name(&import.token, "token")?,
            number_masked: masked(&import.number_masked, "number_masked")?,
            holder: name(&import.holder, "holder")?,
            phone_masked: masked(phone, "phone_masked")?,
        };
        let owner = if import.business { Owner::Business } else { Owner::Person };
        let new = NewPayer {
            partner,
            method,
            owner,
            org: import.org,
            org_name: name(&import.org_name, "org_name")?.expose_secret().to_owned(),
            instrument,
            alias: Some(PayerAlias(alias)),
        };
        self.add(&import.cst_id, new).await
    }

    async fn add(&self, cst_id: &str, new: NewPayer) -> Done {
        let (partner, alias) = (new.partner, new.alias);
        match self.give(Command::AddPayer(Box::new(new))).await? {
            Reply::Payer(no) => {
                let own = || self.hub.id(Kind::Payer, partner, no.0);
                let payer_id = alias.map_or_else(own, |alias| payer_id::encode(&alias.0));
                Ok(json!({ "cst_id": cst_id, "payer_id": payer_id, "no": no.0 }))
            }
            _ => Err(Code::T0999.into()),
        }
    }

    async fn payer_list(&self, cst_id: &str, after: i64, limit: usize) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let limit = limit.min(LIST_MAX);
        let rows = self.hub.read(move |r| r.payers(partner, PayerNo(after), limit)).await?;
        Ok(rows.iter().map(|(payer, instrument)| self.payer_value(payer, instrument)).collect())
    }

    fn payer_value(&self, payer: &Payer, instrument: &Instrument) -> Value {
        json!({
            "no": payer.no.0,
            "payer_id": self.hub.payer_id(payer),
            "method": payer.method.name(),
            "org": format!("{} {}", payer.org, payer.org_name),
            "number": instrument.number_masked.expose_secret(),
            "since": payer.made_at.seoul_text(),
            "removed": payer.removed_at.map(|at| at.seoul_text()),
        })
    }

    async fn payer_remove(&self, cst_id: &str, payer_id: &str) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let found = self.hub.payers.find(self.hub.payer_query(partner, payer_id)).await?;
        let (payer, _): PayerRow = found.ok_or(Code::P0140)?;
        self.give(Command::RemovePayer { partner, payer: payer.no }).await?;
        Ok(json!({ "cst_id": cst_id, "payer_id": payer_id, "removed": true }))
    }

    async fn settle(&self, cst_id: Option<String>, through: &str) -> Done {
        let through = Day::parse(through).ok_or_else(|| bad("through"))?;
        let partners: Vec<(PartnerNo, String)> = match cst_id {
            Some(id) => vec![(self.partner(&id)?.partner.no, id)],
            None => {
                let all = self.hub.read(|r| r.partners()).await?;
                all.into_iter().map(|partner| (partner.no, partner.cst_id)).collect()
            }
        };
        let mut lines = Vec::new();
        for (partner, cst_id) in partners {
            let (count, available, paid) = self.settle_partner(partner, through).await?;
            lines.push(json!({
                "cst_id": cst_id, "payments": count, "available": available, "paid": paid,
            }));
        }
        Ok(Value::Array(lines))
    }

    /// In slices: what payouts wait for is a few hundred rows.
    async fn settle_partner(
        &self,
        partner: PartnerNo,
        through: Day,
    ) -> Result<(i64, i64, i64), AdminError> {
        let (mut after, mut sums) = (ChargeNo(0), (0, 0, 0));
        loop {
            let read = self.hub.read(move |r| r.unsettled(partner, through, after, SETTLE_SLICE));
            let charges = read.await?;
            let last = charges.last().copied();
            let command = Command::SettleCharges { partner, through, charges };
            let Reply::Settled { count, available, paid } = self.give(command).await? else {
                return Err(Code::T0999.into());
            };
            sums = (sums.0 + count, sums.1 + available.0, sums.2 + paid.0);
            match last {
                Some(last) => after = last,
                None => return Ok(sums),
            }
        }
    }

    async fn trades_unknown(&self, after: i64, limit: usize) -> Done {
        let limit = limit.min(LIST_MAX);
        let trades = self.hub.read(move |r| r.unknown_trades(TradeNo(after), limit)).await?;
        Ok(trades.iter().map(|trade| self.trade_value(trade)).collect())
    }

    async fn trade_resolve(&self, reference: &str, done: bool, note: String) -> Done {
        let trade = self.unknown_trade(reference).await?;
        let matter = Matter::Trade(trade.no, done);
        let (partner, amount) = (trade.partner, trade.amount);
        let act = Act { matter, partner, payout: None, amount, note };
        let reply = self.give(Command::Act(Box::new(act))).await?;
        if let Some(proposed) = self.acted(&reply).await? {
            return Ok(proposed);
        }
        Ok(json!({
            "reference": reference,
            "kind": trade.kind.name(),
            "amount": amount.0,
            "decided": matter.text(),
        }))
    }

    /// Looked for among those that are unknown, which are few: a reference has no index of its own.
    async fn unknown_trade(&self, reference: &str) -> Result<Trade, AdminError> {
        let mut after = TradeNo(0);
        loop {
            let page = self.hub.read(move |r| r.unknown_trades(after, LIST_MAX)).await?;
            if let Some(trade) = page.iter().find(|trade| trade.reference() == reference) {
                return Ok(trade.clone());
            }
            after = page.last().ok_or(Code::P0143)?.no;
        }
    }

    fn trade_value(&self, trade: &Trade) -> Value {
        let entry = self.hub.directory.by_no(trade.partner);
        let open = trade.state == TradeState::Unknown;
        json!({
            "reference": trade.reference(),
            "cst_id": entry.map(|entry| entry.partner.cst_id.clone()),
            "kind": trade.kind.name(),
            "amount": trade.amount.0,
            "state": trade.state.name(),
            "why": trade.why.map(|why| why.text()),
            "reason": trade.reason.map(reason_text),
            "at": trade.at.seoul_text(),
            "answered": trade.answered_at.map(|at| at.seoul_text()),
            "inquiries": trade.inquiries,
            "next_inquiry": trade.inquire_at.filter(|_| open).map(|at| at.seoul_text()),
        })
    }

    async fn charge_explain(&self, cst_id: &str, oid: &str) -> Done {
        let partner = self.partner(cst_id)?.partner.no;
        let oid = oid.to_owned();
        let row = self.hub.read(move |r| r.charge_by_oid(partner, &oid, None)).await?;
        let row: ChargeRow = row.ok_or(Code::CBIL0003)?;
        let Charge { ref oid, amount, refunded, refunding, state, day, .. } = row.charge;
        let trades: Vec<Value> = row.trades.iter().map(|trade| self.trade_value(trade)).collect();
        Ok(json!({
            "cst_id": cst_id,
            "oid": oid,
            "payer_id": self.hub.payer_id(&row.payer),
            "method": row.charge.method.name(),
            "month": row.charge.month.map(|month| month.0),
            "amount": amount.0,
            "vat": row.charge.tax.vat.0,
            "state": state.name(),
            "day": day.to_string(),
            "refunded": refunded.0,
            "refund_under_way": refunding.0,
            "settled": row.charge.settled_at.map(|at| at.seoul_text()),
            "calls": trades,
        }))
    }
}

fn reason_text(reason: Reason) -> String {
    format!("{} {}", reason.text(), reason.entry().map_or("not listed", |entry| entry.en))
}

fn refused(reason: Reason) -> AdminError {
    Refusal { code: Code::CDAU0007, detail: Detail::Institution(reason) }.into()
}
