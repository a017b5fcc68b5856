//! What the journal has of one call.

use super::scenario::Scenario;
use super::token::Token;
use ichae_domain::billing::{Approval, Reason, ReasonClass, TradeAnswer, TradeKind, TradeWhy};
use ichae_domain::money::Won;

/// Numbers of approvals and receipts end in the journal's own, so that they are the same each time that
/// they are asked for. Eight digits; and seventeen, after `test`.
const AUTH_NUMBERS: i64 = 100_000_000;

/// A call that asked for something new. Its numbers are the journal's.
pub(super) struct Row {
    pub no: i64,
    pub kind: TradeKind,
    /// The payment that it is about; `None` of a payment itself, and where there was none.
    pub pay: Option<i64>,
    pub order: Option<String>,
    pub token: Option<String>,
    pub by_card: bool,
    pub amount: Won,
    /// Why it was not carried out; `None` where it was.
    pub reason: Option<Reason>,
    /// The receipt that it issued or canceled.
    pub receipt: Option<i64>,
    pub receipt_reason: Option<Reason>,
}

/// The cash receipt that a payment has.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub no: i64,
    pub amount: Won,
}

impl Row {
    pub(super) const COLUMNS: &str =
        "no, kind, pay, order_no, token, by_card, amount, reason, receipt, receipt_reason";

    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
        let kind = row.get(1)?;
        let reason = |at| Ok::<_, rusqlite::Error>(row.get::<_, Option<u16>>(at)?.map(Reason));
        Ok(Row {
            no: row.get(0)?,
            kind: TradeKind::from_number(kind)
                .ok_or(rusqlite::Error::IntegralValueOutOfRange(1, kind))?,
            pay: row.get(2)?,
            order: row.get(3)?,
            token: row.get(4)?,
            by_card: row.get(5)?,
            amount: Won(row.get(6)?),
            reason: reason(7)?,
            receipt: row.get(8)?,
            receipt_reason: reason(9)?,
        })
    }

    /// A call about a payment; about none where it is not known.
    pub(super) fn about(no: i64, kind: TradeKind, pay: Option<&Row>, amount: Won) -> Row {
        Row {
            no,
            kind,
            pay: pay.map(|pay| pay.no),
            order: None,
            token: None,
            by_card: pay.is_some_and(|pay| pay.by_card),
            amount,
            reason: None,
            receipt: None,
            receipt_reason: None,
        }
    }

    /// What a payment's token says; a plain one where it was none of ours.
    pub(super) fn scenario(&self) -> Scenario {
        let token = self.token.as_deref().and_then(Token::read);
        token.map_or(Scenario::Plain, |token| token.scenario)
    }

    /// What it comes to, whatever the caller got to hear of it.
    pub(super) fn answer(&self) -> TradeAnswer {
        match self.reason {
            Some(reason) => by_code(reason),
            None => TradeAnswer::Done(self.approval()),
        }
    }

    fn approval(&self) -> Approval {
        let approves = self.by_card && matches!(self.kind, TradeKind::Pay | TradeKind::Refund);
        let auth_no = approves.then(|| format!("{:08}", self.no.rem_euclid(AUTH_NUMBERS)));
        Approval {
            auth_no: auth_no.unwrap_or_default(),
            receipt_no: self.receipt.map(|no| format!("test{no:017}")),
            receipt_reason: self.receipt_reason,
        }
    }
}

/// Reads a code by its class in the domain's table, as any acquirer does.
pub(super) fn by_code(reason: Reason) -> TradeAnswer {
    match reason.class() {
        ReasonClass::Refused => TradeAnswer::Refused(reason),
        ReasonClass::Done | ReasonClass::Undecided => {
            TradeAnswer::Unknown(TradeWhy::Undecided(reason))
        }
    }
}
