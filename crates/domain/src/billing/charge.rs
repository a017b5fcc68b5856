//! A payment with a billing key: once for its order number, and once a month where it is a monthly one.

use super::Method;
use crate::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use crate::money::Won;
use crate::time::{Day, Time};
use secrecy::{ExposeSecret, SecretString};

/// Where a charge stands. What was refunded of it is in its sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ChargeState {
    /// The intent is durable; the acquirer is being called.
    Asking = 1,
    /// The acquirer may have captured it: only its answer, or persons, can tell.
    Unknown = 2,
    Captured = 3,
    Failed = 4,
}

impl ChargeState {
    pub fn from_number(number: i64) -> Option<ChargeState> {
        use ChargeState::*;
        [Asking, Unknown, Captured, Failed].into_iter().find(|s| *s as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            ChargeState::Asking => "asking",
            ChargeState::Unknown => "unknown",
            ChargeState::Captured => "captured",
            ChargeState::Failed => "failed",
        }
    }
}

/// A month that a monthly payment is for, as `yyyymm`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Month(pub i32);

/// The month of a four-digit year and a month of one or two digits; `Err` says which one is wrong.
pub fn month_of(year: &str, month: &str) -> Result<Month, bool> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let year: i32 = match year.len() == 4 && digits(year) {
        true => year.parse().map_err(|_| false)?,
        false => return Err(false),
    };
    let fits = (1..=2).contains(&month.len()) && digits(month);
    let month: i32 = if fits { month.parse().map_err(|_| true)? } else { return Err(true) };
    if !(2000..=2999).contains(&year) {
        return Err(false);
    }
    if (1..=12).contains(&month) { Ok(Month(year * 100 + month)) } else { Err(true) }
}

/// What of an amount is value added tax. A part that is not taxed has no field of its own: it is what
/// the tax leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tax {
    /// `PCD_PAY_ISTAX`.
    pub taxed: bool,
    pub vat: Won,
}

impl Tax {
    /// The rule of the documents: taxed and nothing said is a tenth of the price before tax, rounded
    /// down to whole won; untaxed is nothing. `None` where what was said does not fit the amount: the
    /// tax of a wholly taxed amount is the most that there can be.
    pub fn of(amount: Won, taxed: bool, said: Option<Won>) -> Option<Tax> {
        let most = Won(amount.0 / 11);
        let vat = match (taxed, said) {
            (false, None) => Won::ZERO,
            (false, Some(vat)) => (vat == Won::ZERO).then_some(vat)?,
            (true, None) => most,
            // Rounded either way, as tills do.
            (true, Some(vat)) => (!vat.is_negative() && vat.0 <= most.0 + 1).then_some(vat)?,
        };
        Some(Tax { taxed, vat })
    }
}

/// The smallest amount that can be charged: 100 won on a card, 1,000 from an account.
pub fn least(method: Method) -> Won {
    match method {
        Method::Card => Won(100),
        Method::Account => Won(1_000),
    }
}

/// A payment with a billing key, without what must not be readable at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    pub no: ChargeNo,
    pub partner: PartnerNo,
    pub payer: PayerNo,
    pub method: Method,
    /// The partner's order number. One that failed may be used again.
    pub oid: String,
    /// The month of a monthly payment.
    pub month: Option<Month>,
    pub amount: Won,
    pub tax: Tax,
    pub at: Time,
    /// The Seoul day of the payment: `PCD_PAY_DATE`.
    pub day: Day,
    pub state: ChargeState,
    /// The call that captures it.
    pub pay: TradeNo,
    pub refunded: Won,
    /// What refunds under way or unknown may still take.
    pub refunding: Won,
    /// Of the tax: what refunds took of it, or may take.
    pub refund_vat: Won,
    /// When the acquirer's payment of it was taken in.
    pub settled_at: Option<Time>,
    /// The call whose receipt stands, or that one is being asked for with.
    pub receipt: Option<TradeNo>,
}

impl Charge {
    /// What can still be refunded.
    pub fn left(&self) -> Won {
        Won(self.amount.0 - self.refunded.0 - self.refunding.0)
    }

    /// The tax in that part of what is left: the payment's own share; in all that is left, all that is
    /// left of the tax.
    pub fn vat_in(&self, part: Won) -> Won {
        let left = self.vat_left();
        let share = i128::from(self.tax.vat.0) * i128::from(part.0) / i128::from(self.amount.0);
        let share = i64::try_from(share).map_or(left, Won);
        let vat = if part == self.left() { left } else { share.min(left) };
        // Refunds without tax may have left more of it than there is to refund.
        vat.min(part)
    }

    /// What refunds left of the tax.
    pub fn vat_left(&self) -> Won {
        Won(self.tax.vat.0 - self.refund_vat.0)
    }

    /// What the acquirer still has to pay for it.
    pub fn unsettled(&self) -> Won {
        let open = self.state == ChargeState::Captured && self.settled_at.is_none();
        if open { self.left() } else { Won::ZERO }
    }
}

/// What the partner said of an order, for its own answers. Sealed at rest; never printed.
#[derive(Clone, Debug)]
pub struct OrderText {
    pub goods: SecretString,
    pub payer_no: SecretString,
    pub payer_name: SecretString,
    pub payer_phone: SecretString,
    pub payer_email: SecretString,
    pub define_1: SecretString,
    pub define_2: SecretString,
}

impl OrderText {
    pub fn parts(&self) -> [&SecretString; 7] {
        [
            &self.goods,
            &self.payer_no,
            &self.payer_name,
            &self.payer_phone,
            &self.payer_email,
            &self.define_1,
            &self.define_2,
        ]
    }
}

impl PartialEq for OrderText {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&SecretString, &SecretString)| a.expose_secret() == b.expose_secret();
        self.parts().into_iter().zip(other.parts()).all(same)
    }
}

impl Eq for OrderText {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_follows_the_documents_rule() {
        let of = |amount, taxed, said: Option<i64>| {
            Tax::of(Won(amount), taxed, said.map(Won)).map(|tax| tax.vat.0)
        };
        let table = [
            (1_000, true, None, Some(90)),
            (1_100, true, None, Some(100)),
            (1_000, true, Some(10), Some(10)),
            (1_000, true, Some(0), Some(0)),
            (1_000, true, Some(91), Some(91)),
            (1_000, true, Some(92), None),
            (1_000, true, Some(-1), None),
            (1_000, false, None, Some(0)),
            (1_000, false, Some(0), Some(0)),
            (1_000, false, Some(10), None),
        ];
        for (amount, taxed, said, expected) in table {
            assert_eq!(of(amount, taxed, said), expected, "{amount} {taxed} {said:?}");
        }
    }

    #[test]
    fn a_month_is_four_digits_and_one_or_two() {
        assert_eq!(month_of("2018", "04"), Ok(Month(201_804)));
        assert_eq!(month_of("2018", "4"), Ok(Month(201_804)));
        for (year, month, wrong) in [
            ("18", "04", false),
            ("", "04", false),
            ("２０１８", "04", false),
            ("1999", "04", false),
            ("2018", "13", true),
            ("2018", "0", true),
            ("2018", "", true),
            ("2018", "004", true),
        ] {
            assert_eq!(month_of(year, month), Err(wrong), "{year} {month}");
        }
    }
}
