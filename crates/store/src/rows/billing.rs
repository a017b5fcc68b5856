//! Payers, payments and calls to the acquirer, as rows.

use super::{Cells, known};
use ichae_domain::billing::{
    Approval, Charge, ChargeState, Method, Month, Owner, Payer, PayerAlias, Reason, Tax, Trade,
    TradeKind, TradeState, TradeWhy,
};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::money::Won;
use ichae_domain::time::{Day, Time};

pub(crate) const PAYER: &str =
    "y.no, y.partner, y.method, y.owner, y.org, y.org_name, y.alias, y.made_at, y.removed_at";
pub(crate) const PAYER_COLUMNS: usize = 9;

pub(crate) fn payer<C: Cells>(row: &C) -> Result<Payer, C::Error> {
    Ok(Payer {
        no: PayerNo(row.get(0)?),
        partner: PartnerNo(row.get(1)?),
        method: known::<_, C>(Method::from_number(row.get(2)?), 2)?,
        owner: known::<_, C>(Owner::from_number(row.get(3)?), 3)?,
        org: row.get(4)?,
        org_name: row.get(5)?,
        alias: row.get::<Option<[u8; 16]>>(6)?.map(PayerAlias),
        made_at: Time(row.get(7)?),
        removed_at: row.get::<Option<i64>>(8)?.map(Time),
    })
}

pub(crate) const CHARGE: &str = "c.no, c.partner, c.payer, c.method, c.oid, c.month, c.amount, \
                                 c.taxed, c.vat, c.at, c.day, c.state, c.pay, c.refunded, \
                                 c.refunding, c.refund_vat, c.settled_at, c.receipt";
pub(crate) const CHARGE_COLUMNS: usize = 18;

pub(crate) fn charge<C: Cells>(row: &C) -> Result<Charge, C::Error> {
    Ok(Charge {
        no: ChargeNo(row.get(0)?),
        partner: PartnerNo(row.get(1)?),
        payer: PayerNo(row.get(2)?),
        method: known::<_, C>(Method::from_number(row.get(3)?), 3)?,
        oid: row.get(4)?,
        month: row.get::<Option<i32>>(5)?.map(Month),
        amount: Won(row.get(6)?),
        tax: Tax { taxed: row.get(7)?, vat: Won(row.get(8)?) },
        at: Time(row.get(9)?),
        day: Day(row.get(10)?),
        state: known::<_, C>(ChargeState::from_number(row.get(11)?), 11)?,
        pay: TradeNo(row.get(12)?),
        refunded: Won(row.get(13)?),
        refunding: Won(row.get(14)?),
        refund_vat: Won(row.get(15)?),
        settled_at: row.get::<Option<i64>>(16)?.map(Time),
        receipt: row.get::<Option<i64>>(17)?.map(TradeNo),
    })
}

pub(crate) const TRADE: &str = "no, charge, partner, kind, amount, vat, from_captured, undoes, \
                                epoch, at, state, reason, why, answered_at, inquiries, inquire_at, \
                                auth_no, receipt_no, receipt_reason";

pub(crate) fn trade<C: Cells>(row: &C) -> Result<Trade, C::Error> {
    let reason = |at| Ok::<_, C::Error>(row.get::<Option<u16>>(at)?.map(Reason));
    let why: Option<i64> = row.get(12)?;
    let auth_no: Option<String> = row.get(16)?;
    let (receipt_no, receipt_reason) = (row.get(17)?, reason(18)?);
    let approval = auth_no.map(|auth_no| Approval { auth_no, receipt_no, receipt_reason });
    Ok(Trade {
        no: TradeNo(row.get(0)?),
        charge: ChargeNo(row.get(1)?),
        partner: PartnerNo(row.get(2)?),
        kind: known::<_, C>(TradeKind::from_number(row.get(3)?), 3)?,
        amount: Won(row.get(4)?),
        vat: Won(row.get(5)?),
        from_captured: Won(row.get(6)?),
        undoes: row.get::<Option<i64>>(7)?.map(TradeNo),
        epoch: row.get(8)?,
        at: Time(row.get(9)?),
        state: known::<_, C>(TradeState::from_number(row.get(10)?), 10)?,
        reason: reason(11)?,
        why: why.map(|number| known::<_, C>(TradeWhy::from_number(number), 12)).transpose()?,
        answered_at: row.get::<Option<i64>>(13)?.map(Time),
        inquiries: row.get(14)?,
        inquire_at: row.get::<Option<i64>>(15)?.map(Time),
        approval,
    })
}
