//! What the simulated acquirer does with a call: checks, writes one row, and says what the caller gets
//! to hear of it.

use super::error::AcquirerError;
use super::journal::Journal;
use super::register::is_digits;
use super::row::{Row, Standing, by_code};
use super::scenario::Scenario;
use super::token::Token;
use crate::port::{PayCall, ReceiptCall, ReceiptFor, RefundCall};
use ichae_domain::billing::{Method, Reason, TradeAnswer, TradeKind, TradeWhy, least};
use ichae_domain::money::Won;
use secrecy::ExposeSecret as _;

/// How long the slow card takes, in milliseconds.
pub const SLOW_MS: u64 = 5_000;
/// The inquiry that knows of a payment which is known late.
pub const INQUIRIES_TO_KNOW: i64 = 3;

const DATA_MISSING: Reason = Reason(1101);
const SEEN_BEFORE: Reason = Reason(1103);
const AMOUNT_DIFFERS: Reason = Reason(1105);
const CARD_LEAST: Reason = Reason(1110);
const CANCELED_BEFORE: Reason = Reason(1115);
const NOT_AS_IT_STANDS: Reason = Reason(1116);
const NO_ORIGINAL: Reason = Reason(1117);
const NO_SUCH_KEY: Reason = Reason(1121);
const CANCEL_DIFFERS: Reason = Reason(1126);
const OVER_WHAT_IS_LEFT: Reason = Reason(1128);
const NOT_THIS_WAY: Reason = Reason(3002);
const WRONG_AMOUNT: Reason = Reason(3109);
const OVER_LIMIT: Reason = Reason(3112);
const ACCOUNT_LEAST: Reason = Reason(3213);

/// What a call is answered, and after how long.
pub(super) struct Reply {
    pub answer: TradeAnswer,
    pub delay_ms: u64,
}

impl From<TradeAnswer> for Reply {
    fn from(answer: TradeAnswer) -> Reply {
        Reply { answer, delay_ms: 0 }
    }
}

/// Captures, but an order only once: a hub that lost a stretch of its store may ask again under another
/// reference.
pub(super) fn pay(journal: &Journal, call: &PayCall) -> Result<Reply, AcquirerError> {
    let token = call.token.expose_secret();
    let same = |row: &Row| row.token.as_deref() == Some(token) && row.amount == call.amount;
    if let Some(row) = journal.by_reference(&call.reference)? {
        let order = row.order.as_deref() == Some(&call.order);
        return again(journal, &call.reference, &row, order && same(&row));
    }
    let known = Token::read(token).filter(|known| known.method == call.method);
    let by_card = call.method == Method::Card;
    let mut row = Row::about(journal.next_no()?, TradeKind::Pay, None, call.amount);
    row = Row { order: Some(call.order.clone()), token: Some(token.to_owned()), by_card, ..row };
    if let Some(first) = journal.captured(&call.order)? {
        if same(&first) {
            journal.alias(&call.reference, first.no)?;
            return Ok(first.answer().into());
        }
        // No refusal: the order was captured, and a caller that has lost it must not take it for failed.
        return refuse(journal, &call.reference, row, SEEN_BEFORE);
    }
    let refused = known.map_or(Some(NO_SUCH_KEY), |_| wrong_payment(call));
    let (Some(Token { scenario, .. }), None) = (known, refused) else {
        return refuse(journal, &call.reference, row, refused.unwrap_or(NO_SUCH_KEY));
    };
    row.reason = match scenario {
        Scenario::PayRefused(code) | Scenario::RegistrationRefused(code) => Some(code),
        Scenario::NotCapturedAnswerLost => Some(OVER_LIMIT),
        _ => None,
    };
    if let Some(whom) = call.receipt.as_ref().filter(|_| row.reason.is_none()) {
        row.receipt_reason = no_receipt(row.by_card, scenario, Some(whom));
        row.receipt = row.receipt_reason.is_none().then_some(row.no);
    }
    journal.add(&row, &call.reference)?;
    if row.receipt.is_some() {
        journal.stands(row.no, Standing { no: row.no, amount: row.amount })?;
    }
    Ok(match scenario {
        Scenario::CapturedAnswerLost
        | Scenario::NotCapturedAnswerLost
        | Scenario::CapturedKnownLate => TradeAnswer::Unknown(TradeWhy::TimedOut).into(),
        Scenario::Slow => Reply { answer: row.answer(), delay_ms: SLOW_MS },
        _ => row.answer().into(),
    })
}

/// Gives back what earlier refunds left, at most. A receipt that stands is canceled with it.
pub(super) fn refund(journal: &Journal, call: &RefundCall) -> Result<Reply, AcquirerError> {
    let pay = captured(journal, &call.pay_reference)?;
    if let Some(row) = journal.by_reference(&call.reference)? {
        let same = same(&row, TradeKind::Refund, pay.as_ref(), call.amount);
        return again(journal, &call.reference, &row, same);
    }
    let no = journal.next_no()?;
    let mut row = Row::about(no, TradeKind::Refund, pay.as_ref(), call.amount);
    let Some(pay) = pay else { return refuse(journal, &call.reference, row, NO_ORIGINAL) };
    let left = left(journal, &pay)?;
    let refused = if wrong(call.amount, call.vat) {
        Some(WRONG_AMOUNT)
    } else if pay.scenario() == Scenario::RefundRefused {
        Some(NOT_AS_IT_STANDS)
    } else if left == Won::ZERO {
        Some(CANCELED_BEFORE)
    } else {
        (call.amount > left).then_some(OVER_WHAT_IS_LEFT)
    };
    if let Some(reason) = refused {
        return refuse(journal, &call.reference, row, reason);
    }
    row.receipt = journal.standing(pay.no)?.map(|receipt| receipt.no);
    journal.stands_no_more(pay.no)?;
    journal.add(&row, &call.reference)?;
    Ok(match pay.scenario() {
        Scenario::RefundAnswerLost => TradeAnswer::Unknown(TradeWhy::TimedOut).into(),
        _ => row.answer().into(),
    })
}

/// Issues or cancels. A payment has one receipt at a time, and it is canceled as a whole.
pub(super) fn receipt(journal: &Journal, call: &ReceiptCall) -> Result<Reply, AcquirerError> {
    let kind = if call.cancel { TradeKind::ReceiptCancel } else { TradeKind::Receipt };
    let pay = captured(journal, &call.pay_reference)?;
    if let Some(row) = journal.by_reference(&call.reference)? {
        let same = same(&row, kind, pay.as_ref(), call.amount);
        return again(journal, &call.reference, &row, same);
    }
    let mut row = Row::about(journal.next_no()?, kind, pay.as_ref(), call.amount);
    let Some(pay) = pay else { return refuse(journal, &call.reference, row, NO_ORIGINAL) };
    let standing = journal.standing(pay.no)?;
    let refused = match (call.cancel, standing) {
        (true, Some(receipt)) => (receipt.amount != call.amount).then_some(CANCEL_DIFFERS),
        (true, None) if journal.had_receipt(pay.no)? => Some(CANCELED_BEFORE),
        (true, None) => Some(NO_ORIGINAL),
        (false, Some(_)) => Some(NOT_AS_IT_STANDS),
        (false, None) if wrong(call.amount, Won::ZERO) => Some(WRONG_AMOUNT),
        (false, None) if call.amount > left(journal, &pay)? => Some(AMOUNT_DIFFERS),
        (false, None) => no_receipt(pay.by_card, pay.scenario(), call.for_whom.as_ref()),
    };
    if let Some(reason) = refused {
        return refuse(journal, &call.reference, row, reason);
    }
    row.receipt = Some(standing.map_or(row.no, |receipt| receipt.no));
    journal.add(&row, &call.reference)?;
    match standing {
        Some(_) => journal.stands_no_more(pay.no)?,
        None => journal.stands(pay.no, Standing { no: row.no, amount: row.amount })?,
    }
    Ok(row.answer().into())
}

/// Says what became of a call. One that is not in the journal has no history, and that is not a
/// refusal: it may still be on its way.
pub(super) fn inquire(
    journal: &Journal,
    reference: &str,
    kind: TradeKind,
) -> Result<TradeAnswer, AcquirerError> {
    let found = journal.by_reference(reference)?.filter(|row| row.kind == kind);
    let Some(row) = found else { return Ok(TradeAnswer::Unknown(TradeWhy::NoHistory)) };
    let inquiry = journal.inquired(row.no)?;
    let late = kind == TradeKind::Pay && row.scenario() == Scenario::CapturedKnownLate;
    if late && inquiry < INQUIRIES_TO_KNOW {
        return Ok(TradeAnswer::Unknown(TradeWhy::NoHistory));
    }
    Ok(row.answer())
}

/// A reference that is known: what it asked for is not done twice.
fn again(
    journal: &Journal,
    reference: &str,
    row: &Row,
    same: bool,
) -> Result<Reply, AcquirerError> {
    journal.called_again(reference)?;
    Ok(if same { row.answer().into() } else { by_code(SEEN_BEFORE).into() })
}

fn refuse(
    journal: &Journal,
    reference: &str,
    row: Row,
    reason: Reason,
) -> Result<Reply, AcquirerError> {
    let row = Row { reason: Some(reason), ..row };
    journal.add(&row, reference)?;
    Ok(row.answer().into())
}

fn captured(journal: &Journal, reference: &str) -> Result<Option<Row>, AcquirerError> {
    let row = journal.by_reference(reference)?;
    Ok(row.filter(|row| row.kind == TradeKind::Pay && row.reason.is_none()))
}

fn left(journal: &Journal, pay: &Row) -> Result<Won, AcquirerError> {
    Ok(Won(pay.amount.0 - journal.refunded(pay.no)?.0))
}

fn same(row: &Row, kind: TradeKind, pay: Option<&Row>, amount: Won) -> bool {
    row.kind == kind && row.pay == pay.map(|pay| pay.no) && row.amount == amount
}

fn wrong_payment(call: &PayCall) -> Option<Reason> {
    if call.amount < least(call.method) {
        return Some(match call.method {
            Method::Card => CARD_LEAST,
            Method::Account => ACCOUNT_LEAST,
        });
    }
    wrong(call.amount, call.vat).then_some(WRONG_AMOUNT)
}

fn wrong(amount: Won, vat: Won) -> bool {
    amount <= Won::ZERO || vat.is_negative() || vat > amount
}

/// Why no receipt can be issued, where none can: a card payment has a slip of its own.
fn no_receipt(by_card: bool, scenario: Scenario, whom: Option<&ReceiptFor>) -> Option<Reason> {
    if by_card {
        return Some(NOT_THIS_WAY);
    }
    let known = whom.is_some_and(|whom| is_digits(whom.id_number.expose_secret(), 10, 18));
    (!known || scenario == Scenario::ReceiptRefused).then_some(DATA_MISSING)
}
