//! Rows that few batches change, one by one.

use super::link::Session;
use crate::port::StoreError;
use crate::seal::Sealer;
use ichae_domain::billing::{Charge, Instrument, OrderText, Payer, Trade, TradeWhy};
use ichae_domain::ident::{PartnerNo, PayoutNo};
use ichae_domain::key::{Account, BillingKey};
use ichae_domain::matter::Proposal;
use ichae_domain::money::Won;
use ichae_domain::operator::Operator;
use ichae_domain::partner::Partner;
use ichae_domain::rail::{Hold, Rail};
use ichae_domain::time::Time;
use ichae_domain::view::{StatementRead, Write};
use secrecy::SecretString;
use tokio_postgres::types::ToSql;

type Done = Result<(), StoreError>;

/// Writes them in the order in which they were decided.
pub(super) struct Rare<'a> {
    pub session: &'a mut Session,
    pub sealer: &'a Sealer,
    pub node: i64,
}

impl Rare<'_> {
    pub async fn write(&mut self, write: &Write) -> Done {
        match write {
            Write::Partner(partner) => self.partner(partner).await,
            Write::WebhookSecret(no, secret) => self.secret(*no, secret).await,
            Write::NewKey(key, account, _) => self.new_key(key, account).await,
            Write::Key(key) => self.key(key).await,
            Write::Fund { partner, reference, amount, at } => {
                self.fund(*partner, reference, *amount, *at).await
            }
            Write::Rail(rail) => self.rail(rail).await,
            Write::Hold(no, hold) => self.hold(*no, hold.as_ref()).await,
            Write::Operator(operator) => self.operator(operator).await,
            Write::Proposal(proposal) => self.proposal(proposal).await,
            Write::Statement(statement) => self.statement(statement).await,
            Write::NewPayer(payer, instrument) => self.new_payer(payer, instrument).await,
            Write::Payer(payer) => self.payer(payer).await,
            Write::NewCharge(charge, texts) => self.new_charge(charge, texts).await,
            Write::Charge(charge) => self.charge(charge).await,
            Write::Trade(trade) => self.trade(trade).await,
            // Written many at a time, in [`super::flush`].
            Write::Ledger(_)
            | Write::Group(_)
            | Write::NewPayout(_)
            | Write::Own(..)
            | Write::Attempt(_)
            | Write::Posting(_)
            | Write::NewNotice(_)
            | Write::Notice(_)
            | Write::Event(_) => Ok(()),
        }
    }

    async fn run(&mut self, sql: &'static str, params: &[&(dyn ToSql + Sync)]) -> Done {
        let statement = self.session.prepared(sql).await?;
        self.session.client.execute(&statement, params).await?;
        Ok(())
    }

    /// Tells every node that what it keeps in memory has changed.
    pub async fn tell_all(&mut self) -> Done {
        self.run("UPDATE versions SET version = version + 1", &[]).await
    }

    async fn partner(&mut self, p: &Partner) -> Done {
        let sql = "INSERT INTO partners (no, cst_id, name, suspended, key_generation, verifier, \
                   webhook_url, sources, transfer_cap, made_at, held, refund_verifier, domains, \
                   payment_url, removal_url) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
                   ON CONFLICT (no) DO UPDATE SET name = $3, suspended = $4, key_generation = $5, \
                   verifier = $6, webhook_url = $7, sources = $8, transfer_cap = $9, held = $11, \
                   refund_verifier = $12, domains = $13, payment_url = $14, removal_url = $15";
        let refund = p.billing.refund_verifier.as_ref().map(|verifier| &verifier.0[..]);
        self.run(
            sql,
            &[
                &p.no.0,
                &p.cst_id,
                &p.name,
                &p.suspended,
                &p.key_generation,
                &&p.verifier.0[..],
                &p.webhook_url,
                &p.sources.join(" "),
                &p.transfer_cap.map(|won| won.0),
                &p.made_at.0,
                &p.held,
                &refund,
                &p.billing.domains.join(" "),
                &p.billing.payment_url,
                &p.billing.removal_url,
            ],
        )
        .await
    }

    async fn secret(&mut self, no: PartnerNo, secret: &SecretString) -> Done {
        let sealed = self.sealer.seal_secret(no.0, secret)?;
        self.run("UPDATE partners SET webhook_secret = $2 WHERE no = $1", &[&no.0, &sealed]).await
    }

    async fn new_key(&mut self, k: &BillingKey, account: &Account) -> Done {
        // Sealed first, indexed then, both now: see the embedded store.
        let sealed = self.sealer.seal_account(k.no.0, account)?;
        let prints = self.sealer.fingerprints(k.partner, k.sub_id.as_deref(), &k.bank, account);
        let sql = "INSERT INTO billing_keys (no, partner, sub_id, bank, made_at, dead, account, \
                   fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let dead = k.dead.map(|code| i32::from(code.0));
        self.run(
            sql,
            &[
                &k.no.0,
                &k.partner.0,
                &k.sub_id,
                &k.bank,
                &k.made_at.0,
                &dead,
                &sealed,
                &&prints[0].0[..],
            ],
        )
        .await
    }

    async fn key(&mut self, k: &BillingKey) -> Done {
        let dead = k.dead.map(|code| i32::from(code.0));
        self.run("UPDATE billing_keys SET dead = $2 WHERE no = $1", &[&k.no.0, &dead]).await
    }

    async fn fund(&mut self, partner: PartnerNo, reference: &str, amount: Won, at: Time) -> Done {
        let sql = "INSERT INTO funds (partner, reference, amount, at) VALUES ($1, $2, $3, $4)";
        self.run(sql, &[&partner.0, &reference, &amount.0, &at.0]).await
    }

    async fn rail(&mut self, rail: &Rail) -> Done {
        let sql = "UPDATE rails SET paused_at = $1, paused_by = $2, pause_reason = $3, \
                   bank_counter = $4, notices_seen = $5, balance = $6, balance_at = $7, \
                   balance_by = $8 WHERE no = 1";
        let (pause, balance) = (rail.pause.as_ref(), rail.balance.as_ref());
        self.run(
            sql,
            &[
                &pause.map(|p| p.at.0),
                &pause.map(|p| p.by.as_str()),
                &pause.map(|p| p.reason.as_str()),
                &rail.bank_counter,
                &rail.notices_seen,
                &balance.map(|b| b.amount.0),
                &balance.map(|b| b.at.0),
                &balance.map(|b| b.by.as_str()),
            ],
        )
        .await
    }

    async fn hold(&mut self, payout: PayoutNo, hold: Option<&Hold>) -> Done {
        match hold {
            Some(hold) => {
                let sql = "INSERT INTO holds (payout, at, by_whom, reason) VALUES ($1, $2, $3, $4)";
                self.run(sql, &[&payout.0, &hold.at.0, &hold.by, &hold.reason]).await
            }
            None => self.run("DELETE FROM holds WHERE payout = $1", &[&payout.0]).await,
        }
    }

    async fn operator(&mut self, o: &Operator) -> Done {
        let sql = "INSERT INTO operators (name, public_key, added_at, revoked_at, last_signed) \
                   VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (name) DO UPDATE SET revoked_at = $4, last_signed = $5";
        let revoked = o.revoked_at.map(|at| at.0);
        let key = &o.public_key[..];
        self.run(sql, &[&o.name, &key, &o.added_at.0, &revoked, &o.last_signed.0]).await
    }

    async fn proposal(&mut self, p: &Proposal) -> Done {
        let sql = "INSERT INTO proposals (no, kind, detail, partner, payout, amount, note, by_whom, \
                   at, state, closed_by, closed_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                   ON CONFLICT (no) DO UPDATE SET state = $10, closed_by = $11, closed_at = $12";
        let (kind, detail) = p.act.matter.numbers();
        self.run(
            sql,
            &[
                &p.no.0,
                &kind,
                &detail,
                &p.act.partner.0,
                &p.act.payout.map(|no| no.0),
                &p.act.amount.0,
                &p.act.note,
                &p.by,
                &p.at.0,
                &(p.state as i16),
                &p.closed_by,
                &p.closed_at.map(|at| at.0),
            ],
        )
        .await
    }

    async fn statement(&mut self, s: &StatementRead) -> Done {
        let sql = "INSERT INTO statements (digest, at, by_whom, name, row_count, findings) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let digest = &s.digest[..];
        self.run(sql, &[&digest, &s.at.0, &s.by, &s.name, &s.rows, &s.findings]).await
    }

    async fn new_payer(&mut self, p: &Payer, instrument: &Instrument) -> Done {
        let sealed = self.sealer.seal_instrument(p.no.0, instrument)?;
        let sql = "INSERT INTO payers (no, partner, method, owner, org, org_name, alias, made_at, \
                   removed_at, instrument) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let alias = p.alias.as_ref().map(|alias| &alias.0[..]);
        self.run(
            sql,
            &[
                &p.no.0,
                &p.partner.0,
                &(p.method as i16),
                &(p.owner as i16),
                &p.org,
                &p.org_name,
                &alias,
                &p.made_at.0,
                &p.removed_at.map(|at| at.0),
                &sealed,
            ],
        )
        .await
    }

    /// Only its end can change.
    async fn payer(&mut self, p: &Payer) -> Done {
        let removed = p.removed_at.map(|at| at.0);
        self.run("UPDATE payers SET removed_at = $2 WHERE no = $1", &[&p.no.0, &removed]).await
    }

    async fn new_charge(&mut self, c: &Charge, texts: &OrderText) -> Done {
        let sealed = self.sealer.seal_order(c.no.0, texts)?;
        let sql = "INSERT INTO charges (no, partner, payer, method, oid, month, amount, taxed, vat, \
                   at, day, state, pay, refunded, refunding, refund_vat, settled_at, receipt, texts) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                   $17, $18, $19)";
        self.run(
            sql,
            &[
                &c.no.0,
                &c.partner.0,
                &c.payer.0,
                &(c.method as i16),
                &c.oid,
                &c.month.map(|month| month.0),
                &c.amount.0,
                &c.tax.taxed,
                &c.tax.vat.0,
                &c.at.0,
                &c.day.0,
                &(c.state as i16),
                &c.pay.0,
                &c.refunded.0,
                &c.refunding.0,
                &c.refund_vat.0,
                &c.settled_at.map(|at| at.0),
                &c.receipt.map(|no| no.0),
                &sealed,
            ],
        )
        .await
    }

    async fn charge(&mut self, c: &Charge) -> Done {
        let sql = "UPDATE charges SET state = $2, refunded = $3, refunding = $4, refund_vat = $5, \
                   settled_at = $6, receipt = $7 WHERE no = $1";
        self.run(
            sql,
            &[
                &c.no.0,
                &(c.state as i16),
                &c.refunded.0,
                &c.refunding.0,
                &c.refund_vat.0,
                &c.settled_at.map(|at| at.0),
                &c.receipt.map(|no| no.0),
            ],
        )
        .await
    }

    async fn trade(&mut self, t: &Trade) -> Done {
        let sql = "INSERT INTO trades (no, charge, partner, kind, amount, vat, from_captured, \
                   undoes, epoch, at, state, reason, why, answered_at, inquiries, inquire_at, \
                   auth_no, receipt_no, receipt_reason, node) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                   $17, $18, $19, $20) \
                   ON CONFLICT (no) DO UPDATE SET state = $11, reason = $12, why = $13, \
                   answered_at = $14, inquiries = $15, inquire_at = $16, auth_no = $17, \
                   receipt_no = $18, receipt_reason = $19, node = $20";
        let (approval, node) = (t.approval.as_ref(), self.node);
        self.run(
            sql,
            &[
                &t.no.0,
                &t.charge.0,
                &t.partner.0,
                &(t.kind as i16),
                &t.amount.0,
                &t.vat.0,
                &t.from_captured.0,
                &t.undoes.map(|no| no.0),
                &i32::from(t.epoch),
                &t.at.0,
                &(t.state as i16),
                &t.reason.map(|reason| i32::from(reason.0)),
                &t.why.map(TradeWhy::number).and_then(|why| i16::try_from(why).ok()),
                &t.answered_at.map(|at| at.0),
                &t.inquiries,
                &t.inquire_at.map(|at| at.0),
                &approval.map(|a| a.auth_no.as_str()),
                &approval.and_then(|a| a.receipt_no.as_deref()),
                &approval.and_then(|a| a.receipt_reason).map(|reason| i32::from(reason.0)),
                &node,
            ],
        )
        .await
    }
}
