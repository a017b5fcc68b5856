//! A payment as the answers about it show it: every field once, and what stands in it. Which fields an
//! answer has, and in which order, stands in the file of its endpoint (decision C7).

use super::head::Head;
use super::register::starred;
use super::{flag, pay_type, year_and_month};
use ichae_domain::billing::{Approval, Charge, Instrument, OrderText, Payer, Trade};
use ichae_domain::time::Time;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

/// A payment, and what is told about it.
#[derive(Clone)]
pub struct Paid<'a> {
    pub charge: &'a Charge,
    pub texts: &'a OrderText,
    pub payer: &'a Payer,
    pub instrument: &'a Instrument,
    /// The call that captured it, or failed to.
    pub pay: &'a Trade,
    /// The call that its standing cash receipt is of.
    pub receipt: Option<&'a Trade>,
    pub payer_id: &'a str,
    /// The address of the card's slip, or nothing.
    pub card_receipt: String,
}

impl Paid<'_> {
    /// The number of the receipt that stands now: of the payment itself, or issued since.
    fn standing(&self) -> Option<&str> {
        self.receipt.and_then(receipt_no)
    }

    /// Whether a receipt was asked for with the payment: it was issued or refused then.
    fn asked_for_receipt(&self) -> bool {
        let answered = |approval: &Approval| {
            approval.receipt_no.is_some() || approval.receipt_reason.is_some()
        };
        self.pay.approval.as_ref().is_some_and(answered)
    }
}

/// The number of the cash receipt that a call issued or canceled.
pub(super) fn receipt_no(trade: &Trade) -> Option<&str> {
    trade.approval.as_ref()?.receipt_no.as_deref()
}

/// `yyyyMMddHHmmss` in Seoul.
pub(super) fn seoul_14(at: Time) -> String {
    let mut text = at.seoul_17();
    text.truncate(14);
    text
}

/// A field of an answer: its name, and what stands in it.
pub(super) type Field = (&'static str, fn(&Paid<'_>) -> String);

pub(super) const OID: Field = ("PCD_PAY_OID", |paid| paid.charge.oid.clone());
pub(super) const TYPE: Field = ("PCD_PAY_TYPE", |paid| pay_type(paid.charge.method).to_owned());
pub(super) const PAYER_NO: Field =
    ("PCD_PAYER_NO", |paid| paid.texts.payer_no.expose_secret().to_owned());
pub(super) const PAYER_ID: Field = ("PCD_PAYER_ID", |paid| paid.payer_id.to_owned());
/// The order's, or the key's where the order has none: the official sample sends none, and gets one.
pub(super) const PAYER_NAME: Field = ("PCD_PAYER_NAME", |paid| {
    let said = paid.texts.payer_name.expose_secret();
    let name = if said.is_empty() { paid.instrument.holder.expose_secret() } else { said };
    name.to_owned()
});
pub(super) const PAYER_HP: Field =
    ("PCD_PAYER_HP", |paid| paid.texts.payer_phone.expose_secret().to_owned());
pub(super) const PAYER_EMAIL: Field =
    ("PCD_PAYER_EMAIL", |paid| paid.texts.payer_email.expose_secret().to_owned());
pub(super) const YEAR: Field = ("PCD_PAY_YEAR", |paid| year_and_month(paid.charge.month).0);
pub(super) const MONTH: Field = ("PCD_PAY_MONTH", |paid| year_and_month(paid.charge.month).1);
pub(super) const GOODS: Field =
    ("PCD_PAY_GOODS", |paid| paid.texts.goods.expose_secret().to_owned());
pub(super) const TOTAL: Field = ("PCD_PAY_TOTAL", |paid| paid.charge.amount.to_string());
pub(super) const ISTAX: Field = ("PCD_PAY_ISTAX", |paid| flag(paid.charge.tax.taxed).to_owned());
pub(super) const TAXTOTAL: Field = ("PCD_PAY_TAXTOTAL", |paid| paid.charge.tax.vat.to_string());
/// When it was asked for: of the day that a refund has to name as PCD_PAY_DATE.
pub(super) const TIME: Field = ("PCD_PAY_TIME", |paid| seoul_14(paid.charge.at));
pub(super) const SIMPLE_FLAG: Field =
    ("PCD_SIMPLE_FLAG", |paid| flag(paid.charge.month.is_none()).to_owned());
pub(super) const REGULER_FLAG: Field =
    ("PCD_REGULER_FLAG", |paid| flag(paid.charge.month.is_some()).to_owned());
pub(super) const DEFINE_1: Field =
    ("PCD_USER_DEFINE1", |paid| paid.texts.define_1.expose_secret().to_owned());
pub(super) const DEFINE_2: Field =
    ("PCD_USER_DEFINE2", |paid| paid.texts.define_2.expose_secret().to_owned());

pub(super) const CARDNAME: Field = ("PCD_PAY_CARDNAME", |paid| paid.payer.org_name.clone());
/// `1111********4444`.
pub(super) const CARDNUM: Field =
    ("PCD_PAY_CARDNUM", |paid| starred(paid.instrument.number_masked.expose_secret()));
/// `1111-****-****-4444`, as look-ups have it.
pub(super) const CARDNUM_DASHED: Field =
    ("PCD_PAY_CARDNUM", |paid| paid.instrument.number_masked.expose_secret().to_owned());
pub(super) const CARDTRADENUM: Field = ("PCD_PAY_CARDTRADENUM", |paid| paid.pay.reference());
pub(super) const CARDAUTHNO: Field = ("PCD_PAY_CARDAUTHNO", |paid| {
    paid.pay.approval.as_ref().map(|approval| approval.auth_no.clone()).unwrap_or_default()
});
pub(super) const CARDRECEIPT: Field = ("PCD_PAY_CARDRECEIPT", |paid| paid.card_receipt.clone());

pub(super) const BANK: Field = ("PCD_PAY_BANK", |paid| paid.payer.org.clone());
pub(super) const BANKNAME: Field = ("PCD_PAY_BANKNAME", |paid| paid.payer.org_name.clone());
pub(super) const BANKNUM: Field =
    ("PCD_PAY_BANKNUM", |paid| paid.instrument.number_masked.expose_secret().to_owned());

// What the payment's own answer said of its receipt: a notice that is sent again says the same.
pub(super) const TAXSAVE_FLAG: Field =
    ("PCD_TAXSAVE_FLAG", |paid| flag(paid.asked_for_receipt()).to_owned());
pub(super) const TAXSAVE_RST: Field =
    ("PCD_TAXSAVE_RST", |paid| flag(receipt_no(paid.pay).is_some()).to_owned());
pub(super) const TAXSAVE_MGTNUM: Field =
    ("PCD_TAXSAVE_MGTNUM", |paid| receipt_no(paid.pay).unwrap_or_default().to_owned());
// The receipt that stands now.
pub(super) const STANDING_FLAG: Field = ("PCD_TAXSAVE_FLAG", |paid| {
    flag(paid.asked_for_receipt() || paid.receipt.is_some()).to_owned()
});
pub(super) const STANDING_RST: Field =
    ("PCD_TAXSAVE_RST", |paid| flag(paid.standing().is_some()).to_owned());
pub(super) const STANDING_MGTNUM: Field =
    ("PCD_TAXSAVE_MGTNUM", |paid| paid.standing().unwrap_or_default().to_owned());

/// The names in a table of fields, and those that an answer has besides.
pub(super) fn names(
    fields: &[Field],
    more: &'static [&'static str],
) -> impl Iterator<Item = &'static str> {
    fields.iter().map(|(name, _)| *name).chain(more.iter().copied())
}

/// An answer in the making: its fields stand in the order in which they were put there.
#[derive(Default)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub fn put(mut self, name: &str, value: impl Into<String>) -> Body {
        self.0.insert(name.to_owned(), Value::String(value.into()));
        self
    }

    pub fn head(self, head: Head) -> Body {
        self.put("PCD_PAY_RST", head.pcd_pay_rst)
            .put("PCD_PAY_CODE", head.pcd_pay_code)
            .put("PCD_PAY_MSG", head.pcd_pay_msg)
    }

    pub fn of(self, paid: &Paid<'_>, fields: &[Field]) -> Body {
        fields.iter().fold(self, |body, (name, value)| body.put(name, value(paid)))
    }

    pub fn value(self) -> Value {
        Value::Object(self.0)
    }
}
