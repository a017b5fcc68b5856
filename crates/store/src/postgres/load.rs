//! Brings the rows that a batch names into memory, in one round trip.
//!
//! Every statement sees what was committed before it began, and the ledgers' locks come first: what is read
//! after them of the partners concerned nobody else can change until this transaction ends.

use super::link::Session;
use super::pipeline::{Asked, in_order};
use super::shards::Away;
use super::wanted::Wanted;
use crate::model::Rows;
use crate::port::StoreError;
use crate::rows::joined::no_account;
use crate::rows::{self, Cells};
use ichae_domain::billing::{Instrument, OrderText, PayerAlias};
use ichae_domain::ident::{PartnerNo, PayerNo, PayoutNo};
use ichae_domain::key::Fingerprint;
use ichae_domain::money::Won;
use ichae_domain::time::Time;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::LazyLock;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// The end of a partner's hash chain, its length, and what its payouts moved over the settlement account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    pub head: [u8; 32],
    pub length: i64,
    pub settlement: i64,
}

#[derive(Default)]
pub(super) struct Loaded {
    pub rows: Rows,
    pub chains: HashMap<PartnerNo, Chain>,
    /// Partners whose shard is not here, or just leaves.
    pub away: HashMap<PartnerNo, Away>,
}

macro_rules! statements {
    ($($name:ident = $text:literal, $($part:expr),*;)*) => { $(
        static $name: LazyLock<String> = LazyLock::new(|| format!($text, $($part),*));
    )* };
}

statements! {
    LEDGERS = "SELECT {}, chain_head, chain_length, settlement, away FROM ledgers \
               WHERE partner = ANY($1) ORDER BY partner FOR UPDATE", rows::LEDGER;
    RAIL_SHARED = "SELECT {} FROM rails WHERE no = 1 FOR SHARE", rows::RAIL;
    RAIL_ALONE = "SELECT {} FROM rails WHERE no = 1 FOR UPDATE", rows::RAIL;
    PARTNERS = "SELECT {} FROM partners WHERE no = ANY($1) OR cst_id = ANY($2)", rows::PARTNER;
    OPEN_GROUPS = "SELECT {} FROM groups g WHERE g.no = ANY(ARRAY( \
                   SELECT l.open_group FROM ledgers l WHERE l.partner = ANY($1)))", rows::GROUP;
    GROUPS = "SELECT {} FROM groups g WHERE g.no = ANY($1)", rows::GROUP;
    KEYS = "SELECT {}, k.fingerprint FROM billing_keys k WHERE k.no = ANY($1)", rows::KEY;
    KEYS_OF = "SELECT {}, k.fingerprint FROM billing_keys k WHERE k.fingerprint = ANY($1)", rows::KEY;
    PRIOR = "SELECT {}, {} FROM unnest($1::bigint[], $2::text[]) AS w (partner, distinct_key) \
             CROSS JOIN LATERAL (SELECT * FROM payouts p WHERE p.partner = w.partner \
             AND p.distinct_key = w.distinct_key COLLATE \"C\" LIMIT 1) p \
             CROSS JOIN LATERAL (SELECT * FROM groups g WHERE g.no = p.grp LIMIT 1) g", rows::PAYOUT, rows::GROUP;
    PAYOUTS = "SELECT {} FROM payouts p WHERE p.no = ANY($1)", rows::PAYOUT;
    ATTEMPTS = "SELECT {} FROM attempts a WHERE a.payout = ANY($1)", rows::ATTEMPT;
    NOTICES = "SELECT {} FROM notices WHERE no = ANY($1) ORDER BY no FOR UPDATE", rows::NOTICE;
    HOLDS = "SELECT {}, payout FROM holds WHERE payout = ANY($1)", rows::HOLD;
    OPERATORS = "SELECT {} FROM operators", rows::OPERATOR;
    PROPOSALS = "SELECT {} FROM proposals WHERE no = ANY($1)", rows::PROPOSAL;
    PAYERS = "SELECT {} FROM payers y WHERE y.no = ANY($1)", rows::billing::PAYER;
    ORDERED = "SELECT {} FROM unnest($1::bigint[], $2::text[]) AS w (partner, oid) \
               CROSS JOIN LATERAL (SELECT * FROM charges c WHERE c.partner = w.partner \
               AND c.oid = w.oid COLLATE \"C\" ORDER BY {} LIMIT 1) c", rows::billing::CHARGE, THAT_COUNTS;
    MONTHLY = "SELECT {} FROM unnest($1::bigint[], $2::int[]) AS w (payer, month) \
               CROSS JOIN LATERAL (SELECT * FROM charges c WHERE c.payer = w.payer \
               AND c.month = w.month AND c.month IS NOT NULL ORDER BY {} LIMIT 1) c",
               rows::billing::CHARGE, THAT_COUNTS;
    CHARGES = "SELECT {} FROM charges c WHERE c.no = ANY($1::bigint[] || ARRAY( \
               SELECT t.charge FROM trades t WHERE t.no = ANY($2)))", rows::billing::CHARGE;
    // All calls of a payment: an order may make another of them the one that its receipt is of.
    TRADES = "SELECT {} FROM trades WHERE charge = ANY($1::bigint[] || ARRAY( \
              SELECT t.charge FROM trades t WHERE t.no = ANY($2)))",
              rows::billing::TRADE;
}

/// Which of several payments under one name counts: one that did not fail, of which there is at most one;
/// else the newest. Not the one with the highest number: nodes have blocks of numbers of their own.
pub(super) const THAT_COUNTS: &str = "c.state <> 4 DESC, c.at DESC, c.no DESC";

/// Of orders that name a partner's row and not the partner; its ledger they do not lock.
const AWAY: &str = "SELECT l.partner, l.away FROM ledgers l WHERE l.away <> 0 AND l.partner = ANY(ARRAY( \
    SELECT n.partner FROM notices n WHERE n.no = ANY($1) \
    UNION SELECT p.partner FROM proposals p WHERE p.no = ANY($2)))";
const DESK: &str = "SELECT one FROM store FOR UPDATE";
const FUNDS: &str = "SELECT f.partner, f.reference, f.amount, f.at \
    FROM unnest($1::bigint[], $2::text[]) AS w (partner, reference) \
    CROSS JOIN LATERAL (SELECT * FROM funds f WHERE f.partner = w.partner \
    AND f.reference = w.reference COLLATE \"C\" LIMIT 1) f";
const ALIASES: &str = "SELECT y.partner, y.alias, y.no \
    FROM unnest($1::bigint[], $2::bytea[]) AS w (partner, alias) \
    CROSS JOIN LATERAL (SELECT * FROM payers y WHERE y.partner = w.partner AND y.alias = w.alias \
    AND y.alias IS NOT NULL LIMIT 1) y";

type Params<'a> = Vec<&'a (dyn ToSql + Sync)>;

type Take = fn(&mut Loaded, &Row) -> Result<(), StoreError>;

/// One statement of the round trip, and how its rows are taken in.
struct Part<'a> {
    sql: &'static str,
    params: Params<'a>,
    take: Take,
}

/// In the order in which they are sent: locks first.
fn parts(w: &Wanted, rail_alone: bool) -> Vec<Part<'_>> {
    let rail: &'static str = if rail_alone { &RAIL_ALONE } else { &RAIL_SHARED };
    let some = |list: &[i64]| !list.is_empty();
    let all: [(bool, &'static str, Params<'_>, Take); 23] = [
        (w.desk, DESK, vec![], |_, _| Ok(())),
        (some(&w.partners), &LEDGERS, vec![&w.partners], ledger),
        (w.rail, rail, vec![], the_rail),
        (
            some(&w.partners) || !w.cst_ids.is_empty(),
            &PARTNERS,
            vec![&w.partners, &w.cst_ids],
            partner,
        ),
        (some(&w.open_groups), &OPEN_GROUPS, vec![&w.open_groups], |to, r| group(to, r, 0)),
        (some(&w.groups), &GROUPS, vec![&w.groups], |to, r| group(to, r, 0)),
        (some(&w.keys), &KEYS, vec![&w.keys], key),
        (!w.fingerprints.is_empty(), &KEYS_OF, vec![&w.fingerprints], key),
        (some(&w.distinct.0), &PRIOR, vec![&w.distinct.0, &w.distinct.1], prior),
        (some(&w.payouts), &PAYOUTS, vec![&w.payouts], payout),
        (some(&w.attempts), &ATTEMPTS, vec![&w.attempts], attempt),
        (some(&w.funds.0), FUNDS, vec![&w.funds.0, &w.funds.1], fund),
        (some(&w.notices), &NOTICES, vec![&w.notices], notice),
        (some(&w.holds), &HOLDS, vec![&w.holds], hold),
        (w.operators, &OPERATORS, vec![], operator),
        (some(&w.proposals), &PROPOSALS, vec![&w.proposals], proposal),
        (some(&w.notices) || some(&w.proposals), AWAY, vec![&w.notices, &w.proposals], |to, r| {
            not_here(to, PartnerNo(Cells::get(r, 0)?), Cells::get(r, 1)?)
        }),
        (some(&w.payers), &PAYERS, vec![&w.payers], payer),
        (some(&w.aliases.0), ALIASES, vec![&w.aliases.0, &w.aliases.1], alias),
        (some(&w.oids.0), &ORDERED, vec![&w.oids.0, &w.oids.1], charge),
        (some(&w.months.0), &MONTHLY, vec![&w.months.0, &w.months.1], charge),
        (some(&w.charges) || some(&w.trades), &CHARGES, vec![&w.charges, &w.trades], charge),
        (some(&w.charges) || some(&w.trades), &TRADES, vec![&w.charges, &w.trades], trade),
    ];
    let named = all.into_iter().filter(|(named, ..)| *named);
    named.map(|(_, sql, params, take)| Part { sql, params, take }).collect()
}

/// Brings in what is wanted. Everything is sent at once, in order; the transaction was begun before.
pub(super) async fn load(
    session: &mut Session,
    wanted: &Wanted,
    rail_alone: bool,
) -> Result<Loaded, StoreError> {
    let parts = parts(wanted, rail_alone);
    let mut statements = Vec::with_capacity(parts.len());
    for part in &parts {
        statements.push(session.prepared(part.sql).await?);
    }
    let asked = statements.iter().zip(&parts);
    let asked = asked.map(|(statement, part)| {
        Box::pin(session.client.query(statement, &part.params)) as Asked<'_, Vec<Row>>
    });
    let found = in_order(session.one_by_one, asked).await?;
    let mut loaded = Loaded::default();
    for (part, found) in parts.iter().zip(&found) {
        for row in found {
            (part.take)(&mut loaded, row)?;
        }
    }
    Ok(loaded)
}

fn ledger(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let ledger = rows::ledger(r)?;
    let at = rows::LEDGER_COLUMNS;
    let chain = Chain {
        head: Cells::get(r, at)?,
        length: Cells::get(r, at + 1)?,
        settlement: Cells::get(r, at + 2)?,
    };
    not_here(to, ledger.partner, Cells::get(r, at + 3)?)?;
    to.chains.insert(ledger.partner, chain);
    to.rows.ledgers.insert(ledger.partner, ledger);
    Ok(())
}

fn not_here(to: &mut Loaded, partner: PartnerNo, away: i64) -> Result<(), StoreError> {
    let known = Away::from_number(away);
    let known = known.ok_or_else(|| StoreError::Damaged("whether a partner is here".to_owned()))?;
    to.away.extend(known.map(|away| (partner, away)));
    Ok(())
}

fn the_rail(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    to.rows.rail = rows::rail(r)?;
    Ok(())
}

fn partner(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let partner = rows::partner(r)?;
    to.rows.partners.insert(partner.no, partner);
    Ok(())
}

fn group(to: &mut Loaded, r: &Row, from: usize) -> Result<(), StoreError> {
    let group = rows::group(r, from)?;
    to.rows.groups.insert(group.no, group);
    Ok(())
}

/// With nothing of the account: a decision does not see it.
fn key(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let key = rows::key(r, 0)?;
    to.rows
        .keys
        .insert(key.no, (key, no_account(), Fingerprint(Cells::get(r, rows::KEY_COLUMNS)?)));
    Ok(())
}

fn nobody() -> SecretString {
    SecretString::from(String::new())
}

fn payout(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let payout = rows::payout(r)?;
    to.rows.payouts.insert(payout.no, payout);
    Ok(())
}

fn prior(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let payout = rows::payout(r)?;
    to.rows.distinct.insert((payout.partner, payout.distinct_key.clone()), payout.no);
    to.rows.payouts.insert(payout.no, payout);
    group(to, r, rows::PAYOUT_COLUMNS)
}

fn attempt(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    to.rows.attempts.extend(rows::attempt(r, 0)?.map(|attempt| (attempt.payout, attempt)));
    Ok(())
}

fn fund(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let place = (PartnerNo(Cells::get(r, 0)?), Cells::get(r, 1)?);
    to.rows.funds.insert(place, (Won(Cells::get(r, 2)?), Time(Cells::get(r, 3)?)));
    Ok(())
}

fn notice(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let notice = rows::notice(r)?;
    to.rows.notices.insert(notice.no, notice);
    Ok(())
}

fn hold(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    to.rows.holds.insert(PayoutNo(Cells::get(r, 3)?), rows::hold(r)?);
    Ok(())
}

fn operator(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let operator = rows::operator(r)?;
    to.rows.operators.insert(operator.name.clone(), operator);
    Ok(())
}

fn proposal(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let proposal = rows::proposal(r)?;
    to.rows.proposals.insert(proposal.no, proposal);
    Ok(())
}

/// With nothing of what stands behind the key.
fn payer(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let payer = rows::billing::payer(r)?;
    let instrument = Instrument {
        token: nobody(),
        number_masked: nobody(),
        holder: nobody(),
        phone_masked: nobody(),
    };
    to.rows.billing.payers.insert(payer.no, (payer, instrument));
    Ok(())
}

fn alias(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let place = (PartnerNo(Cells::get(r, 0)?), PayerAlias(Cells::get(r, 1)?));
    to.rows.billing.aliases.insert(place, PayerNo(Cells::get(r, 2)?));
    Ok(())
}

/// With nothing of its texts.
fn charge(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let charge = rows::billing::charge(r)?;
    to.rows.billing.charges.insert(charge.no, (charge, no_text()));
    Ok(())
}

fn no_text() -> OrderText {
    OrderText {
        goods: nobody(),
        payer_no: nobody(),
        payer_name: nobody(),
        payer_phone: nobody(),
        payer_email: nobody(),
        define_1: nobody(),
        define_2: nobody(),
    }
}

fn trade(to: &mut Loaded, r: &Row) -> Result<(), StoreError> {
    let trade = rows::billing::trade(r)?;
    to.rows.billing.trades.insert(trade.no, trade);
    Ok(())
}
