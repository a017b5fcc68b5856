//! What has to be true: at any moment, and once everything has come to rest.

use super::bank::Book;
use crate::violation::{Checked, ensure};
use ichae_domain::audit::{Audit, journal_per_payout};
use ichae_domain::ident::PayoutNo;
use ichae_domain::notice::{NoticeState, Outcome};
use ichae_domain::payout::State;
use ichae_store::memory::Rows;
use std::collections::BTreeMap;

/// Between any two steps: the ledger balances, and nothing is reported that the bank did not do.
pub fn now(rows: &Rows, book: &Book) -> Checked {
    if let Some(wrong) = &book.wrong {
        return Err(wrong.clone());
    }
    let mut audit = Audit::default();
    rows.postings.iter().for_each(|posting| audit.posting(posting, 0));
    for payout in rows.payouts.values() {
        audit.row(payout.partner, payout.amount.0, rows.state(payout));
    }
    let ledgers: Vec<_> = rows.ledgers.values().cloned().collect();
    let payouts: Vec<_> =
        rows.payouts.values().map(|p| (p.no, p.group, p.amount.0, rows.state(p))).collect();
    let mut findings = audit.finish(&ledgers, rows.settlement);
    findings.extend(journal_per_payout(&rows.postings, &payouts));
    findings.sort_by(|one, other| one.0.cmp(&other.0));
    ensure(findings.is_empty(), "the ledger's audit is empty", || format!("{findings:?}"))?;
    let paid = paid(book);
    for payout in rows.payouts.values() {
        let (times, won) = paid.get(&payout.no).copied().unwrap_or_default();
        let holds = match rows.state(payout) {
            State::Settled | State::Returned => times == 1 && won == payout.amount.0,
            State::Failed | State::Canceled | State::Requested | State::Executing => times == 0,
            State::Sending | State::Unknown => times <= 1,
        };
        ensure(holds, "what is reported of a payout is what the bank did", || {
            format!("{:?} is {:?}, paid {times} times", payout.no, rows.state(payout))
        })?;
    }
    Ok(())
}

fn paid(book: &Book) -> BTreeMap<PayoutNo, (u64, i64)> {
    let mut paid: BTreeMap<PayoutNo, (u64, i64)> = BTreeMap::new();
    for record in book.records.values() {
        let sum = paid.entry(record.payout).or_default();
        *sum = (sum.0 + record.paid, sum.1 + record.amount);
    }
    paid
}

/// At the end: only what no bank can tell is still unknown, what was called under one number was
/// called once, and every outcome was told in its order.
pub fn at_rest(rows: &Rows, book: &Book, told: &BTreeMap<PayoutNo, Vec<Outcome>>) -> Checked {
    now(rows, book)?;
    for (number, record) in &book.records {
        // Own-side trouble answers a number, so the next send has another (decision H13).
        ensure(record.calls == 1, "a bank number reaches the bank once", || {
            format!("{number:?} of {:?} came {} times", record.payout, record.calls)
        })?;
    }
    for payout in rows.payouts.values() {
        let state = rows.state(payout);
        let number = rows.attempts.get(&payout.no).and_then(|a| a.bank_no);
        let record = number.and_then(|no| book.records.get(&no));
        let ends = record.is_some_and(|r| !r.undecided && (r.paid > 0 || r.refused.is_some()));
        let rests = match state {
            State::Unknown => !ends,
            State::Settled => record.is_some_and(|r| !r.returned),
            State::Sending | State::Executing => false,
            State::Requested | State::Failed | State::Canceled | State::Returned => true,
        };
        ensure(rests, "everything that can end ends", || {
            format!("{:?} is {state:?}: {record:?}, {:?}", payout.no, rows.attempts.get(&payout.no))
        })?;
        let expected: &[Outcome] = match state {
            State::Settled => &[Outcome::Settled],
            State::Failed => &[Outcome::Failed],
            State::Returned => &[Outcome::Settled, Outcome::Returned],
            _ => &[],
        };
        let heard = told.get(&payout.no).map(Vec::as_slice).unwrap_or_default();
        let gone = rows.notices.values().any(|notice| {
            notice.subject.payout() == Some(payout.no) && notice.state != NoticeState::Delivered
        });
        ensure(heard == expected || gone, "every outcome is told, in its order", || {
            format!("{:?} is {state:?}, told {heard:?}", payout.no)
        })?;
    }
    let pending = rows.notices.values().find(|n| n.state == NoticeState::Pending);
    ensure(pending.is_none(), "every notice is delivered or given up", || format!("{pending:?}"))
}
