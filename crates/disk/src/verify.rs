//! Holds what was acknowledged against what a store has.

use crate::facts::{Fact, Taken};
use crate::site::{Said, Site, fund, request};
use ichae_domain::code::Code;
use ichae_domain::command::{Action, Actor, Command, Order};
use ichae_domain::ident::{BankNo, GroupNo, PartnerNo, PayoutNo};
use ichae_domain::payout::State;
use ichae_domain::refusal::Detail;
use ichae_domain::view::Reply;
use ichae_store::port::{BATCH_MAX, Backend, Reader, Row};
use ichae_store::sqlite;
use rusqlite::{Connection, OpenFlags};
use std::collections::{HashMap, HashSet};

/// What is wrong, in words; the first that is found ends the look.
pub type Verdict<T> = Result<T, String>;

fn text(what: &'static str) -> impl Fn(ichae_store::port::StoreError) -> String {
    move |error| format!("{what}: {error}")
}

/// What was acknowledged, folded.
#[derive(Default)]
struct Known {
    partners: HashSet<PartnerNo>,
    payouts: Vec<Taken>,
    funds: Vec<Fact>,
    groups: HashMap<GroupNo, Action>,
    claims: HashMap<PayoutNo, BankNo>,
    outcomes: HashMap<PayoutNo, Said>,
    keys: Vec<Fact>,
}

fn fold(facts: &[Fact]) -> Verdict<Known> {
    let mut known = Known::default();
    let mut numbers: HashMap<BankNo, PayoutNo> = HashMap::new();
    for fact in facts {
        match fact {
            Fact::Partner(no) => {
                known.partners.insert(*no);
            }
            Fact::Key(..) => known.keys.push(fact.clone()),
            Fact::Fund(..) => known.funds.push(fact.clone()),
            Fact::Payout(taken) => known.payouts.push((**taken).clone()),
            Fact::Group(no, action) => {
                known.groups.insert(*no, *action);
            }
            Fact::Claim(payout, bank_no) => {
                known.claims.insert(*payout, *bank_no);
                if numbers.insert(*bank_no, *payout).is_some_and(|before| before != *payout) {
                    return Err(format!("bank number {} was given twice", bank_no.0));
                }
            }
            Fact::Outcome(payout, said) => {
                known.outcomes.insert(*payout, *said);
            }
        }
    }
    Ok(known)
}

/// What a store has, beyond what was looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    pub payouts: u64,
}

/// Opens the store as the server does and looks for everything that was acknowledged, then checks
/// the whole store. `asked`: every `distinct_key` that was ever sent, where that is known.
pub fn verify(site: &Site, facts: &[Fact], asked: Option<&HashSet<String>>) -> Verdict<Found> {
    let mut opened = site.open().map_err(text("the store does not open again"))?;
    if opened.rolled_back {
        return Err("the store is older than its witness".to_owned());
    }
    let known = fold(facts)?;
    let reader = &opened.reader;
    partners_and_keys(reader, &known)?;
    payouts(reader, &known)?;
    repeats(&mut opened.backend, &known)?;
    let payouts = whole(site, asked)?;
    let report = sqlite::check::check(&site.file(), &site.sealer, |_, _| {});
    let report = report.map_err(text("the store cannot be checked"))?;
    if let Some(finding) = report.findings.first() {
        let all = report.findings.len();
        return Err(format!("{all} findings of the check, the first: {finding:?}"));
    }
    if report.payouts != payouts {
        return Err(format!("{payouts} payouts, {} checked", report.payouts));
    }
    if facts.len().is_multiple_of(2) {
        // Then the writer closes last, and moves the WAL into the file; else the WAL lives on.
        drop(opened.reader);
    }
    Ok(Found { payouts })
}

fn partners_and_keys(reader: &dyn Reader, known: &Known) -> Verdict<()> {
    let there = reader.partners().map_err(text("partners cannot be read"))?;
    let there: HashSet<PartnerNo> = there.iter().map(|partner| partner.no).collect();
    if let Some(no) = known.partners.difference(&there).next() {
        return Err(format!("partner {} is lost", no.0));
    }
    for no in &there {
        let ledger = reader.ledger(*no).map_err(text("a ledger cannot be read"))?;
        let Some(ledger) = ledger else { return Err(format!("partner {} has no ledger", no.0)) };
        if ledger.available.0 < 0 || ledger.held.0 < 0 {
            return Err(format!("partner {} is below zero: {ledger:?}", no.0));
        }
    }
    for fact in &known.keys {
        let Fact::Key(partner, no) = fact else { continue };
        let key = reader.key(*no).map_err(text("a key cannot be read"))?;
        if key.is_none_or(|(key, _)| key.partner != *partner) {
            return Err(format!("key {} is lost", no.0));
        }
    }
    Ok(())
}

fn payouts(reader: &dyn Reader, known: &Known) -> Verdict<()> {
    for slice in known.payouts.chunks(BATCH_MAX) {
        let numbers: Vec<PayoutNo> = slice.iter().map(|taken| taken.payout).collect();
        let rows = reader.rows_of(&numbers).map_err(text("payouts cannot be read"))?;
        for (taken, row) in slice.iter().zip(rows) {
            let no = taken.payout.0;
            let Some(row) = row else { return Err(format!("payout {no} is lost")) };
            let have = Taken {
                payout: row.payout.no,
                partner: row.payout.partner,
                group: row.payout.group,
                key: row.payout.key,
                amount: row.payout.amount,
                distinct_key: row.payout.distinct_key.clone(),
            };
            if have != *taken {
                return Err(format!("payout {no} was altered: {taken:?} became {have:?}"));
            }
            if let Err(why) = state(&row, known) {
                return Err(format!("payout {no} is {}: {why}", row.state.name()));
            }
        }
    }
    Ok(())
}

/// A payout may have gone on after its last fact, by an order whose answer nobody heard; it never
/// went back.
fn state(row: &Row, known: &Known) -> Verdict<()> {
    use State::{Canceled, Executing, Failed, Requested, Sending, Settled, Unknown};
    let no = row.payout.no;
    let fits = match known.outcomes.get(&no) {
        Some(Said::Settled) => row.state == Settled,
        Some(Said::Refused) => row.state == Failed,
        Some(Said::Unknown) => row.state == Unknown,
        None if known.claims.contains_key(&no) => {
            matches!(row.state, Sending | Settled | Failed | Unknown)
        }
        None => match known.groups.get(&row.payout.group) {
            // Rows can be canceled one by one before the rest of their group is executed.
            Some(Action::Now) => row.state != Requested,
            Some(Action::Cancel) => row.state != Requested || row.payout.own.is_some(),
            None => matches!(row.state, Requested | Executing | Canceled | Sending),
        },
    };
    if !fits {
        return Err(format!("acknowledged were {:?}", known.outcomes.get(&no)));
    }
    let bank_no = row.attempt.as_ref().and_then(|attempt| attempt.bank_no);
    if known.claims.get(&no).is_some_and(|claimed| bank_no != Some(*claimed)) {
        return Err(format!(
            "its bank number is {bank_no:?}, {:?} was sent",
            known.claims.get(&no)
        ));
    }
    Ok(())
}

/// Everything is asked for once more: a payout is refused with its first, a fund is known.
fn repeats(backend: &mut dyn Backend, known: &Known) -> Verdict<()> {
    let order = |command| Order { actor: Actor::Partner, command };
    for slice in known.payouts.chunks(BATCH_MAX) {
        let again = |taken: &Taken| {
            let row = request(taken.partner, taken.key, taken.amount, &taken.distinct_key);
            order(Command::Request(Box::new(row)))
        };
        let orders: Vec<Order> = slice.iter().map(again).collect();
        for (taken, answer) in slice.iter().zip(backend.commit(&orders)) {
            let same = answer.as_ref().is_err_and(|refusal| match &refusal.detail {
                Detail::First(first, None) => {
                    refusal.code == Code::R0132
                        && (first.payout, first.group, first.amount)
                            == (taken.payout, taken.group, taken.amount)
                }
                _ => false,
            });
            if !same {
                return Err(format!("the repeat of {} got {answer:?}", taken.distinct_key));
            }
        }
    }
    for fact in &known.funds {
        let Fact::Fund(partner, amount, reference) = fact else { continue };
        let answer = backend.commit(&[order(fund(*partner, *amount, reference))]).pop();
        if !matches!(answer, Some(Ok(Reply::Funded { repeated: true, .. }))) {
            return Err(format!("fund {reference} is not known any more: {answer:?}"));
        }
    }
    Ok(())
}

/// The file as SQLite sees it, and the rows that nobody was told of. Gives the payouts.
fn whole(site: &Site, asked: Option<&HashSet<String>>) -> Verdict<u64> {
    let sql = |error: rusqlite::Error| format!("the store cannot be read: {error}");
    let db = Connection::open_with_flags(site.file(), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let db = db.map_err(sql)?;
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0)).map_err(sql)?;
    if verdict != "ok" {
        return Err(format!("integrity_check: {verdict}"));
    }
    let mut rows = db.prepare("SELECT partner, distinct_key FROM payouts").map_err(sql)?;
    let mut rows = rows.query([]).map_err(sql)?;
    let mut seen = HashSet::new();
    while let Some(row) = rows.next().map_err(sql)? {
        let (partner, key): (i64, String) = (row.get(0).map_err(sql)?, row.get(1).map_err(sql)?);
        if asked.is_some_and(|asked| !asked.contains(&key)) {
            return Err(format!("nobody asked for {key}"));
        }
        if !seen.insert((partner, key)) {
            return Err("a distinct_key is there twice".to_owned());
        }
    }
    Ok(seen.len() as u64)
}
