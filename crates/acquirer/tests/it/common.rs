//! What the tests share.

use ichae_acquirer::port::{
    AccountDetails, Acquirer, CardDetails, PayCall, ReceiptCall, ReceiptFor, ReceiptPurpose,
    RefundCall, Registration,
};
use ichae_domain::billing::{Approval, Method, Reason, TradeAnswer, TradeWhy};
use ichae_domain::money::Won;
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};

pub const BIRTH: &str = "880212";
pub const HOLDER: &str = "홍길동";
pub const PHONE: &str = "01023456789";
/// Numbers without a scenario.
pub const CARD: &str = "1111222233332222";
pub const ACCOUNT: &str = "123456789021";
pub const AMOUNT: Won = Won(1_000);
pub const VAT: Won = Won(90);

pub const TIMED_OUT: TradeAnswer = TradeAnswer::Unknown(TradeWhy::TimedOut);
pub const NO_HISTORY: TradeAnswer = TradeAnswer::Unknown(TradeWhy::NoHistory);

pub fn refused(code: u16) -> TradeAnswer {
    TradeAnswer::Refused(Reason(code))
}

pub fn card(number: &str) -> CardDetails {
    CardDetails {
        number: number.into(),
        expiry_year: "29".into(),
        expiry_month: "08".into(),
        password: "47".into(),
        birth: BIRTH.into(),
    }
}

pub fn account(bank: &str, number: &str) -> AccountDetails {
    AccountDetails {
        bank: bank.to_owned(),
        number: number.into(),
        holder: HOLDER.into(),
        birth: BIRTH.into(),
    }
}

/// Registers a number and gives its token.
pub async fn token(acquirer: &dyn Acquirer, method: Method, number: &str) -> SecretString {
    let registration = match method {
        Method::Card => acquirer.register_card(&card(number)).await,
        Method::Account => acquirer.register_account(&account("081", number)).await,
    };
    match registration {
        Registration::Done { token, .. } => token,
        other => panic!("{number}: {other:?}"),
    }
}

/// A payment whose reference is its order's.
pub fn paying(order: &str, method: Method, token: &SecretString) -> PayCall {
    PayCall {
        reference: format!("pay {order}"),
        order: order.to_owned(),
        token: token.clone(),
        method,
        amount: AMOUNT,
        vat: VAT,
        receipt: None,
    }
}

pub fn with_receipt(pay: PayCall) -> PayCall {
    PayCall { receipt: Some(whom()), ..pay }
}

pub fn whom() -> ReceiptFor {
    ReceiptFor { purpose: ReceiptPurpose::Personal, id_number: PHONE.into() }
}

/// A refund of the payment of an order.
pub fn refunding(reference: &str, order: &str, amount: i64) -> RefundCall {
    RefundCall {
        reference: reference.to_owned(),
        pay_reference: format!("pay {order}"),
        amount: Won(amount),
        vat: Won::ZERO,
    }
}

pub fn issuing(reference: &str, order: &str, amount: i64) -> ReceiptCall {
    ReceiptCall {
        reference: reference.to_owned(),
        pay_reference: format!("pay {order}"),
        amount: Won(amount),
        cancel: false,
        for_whom: Some(whom()),
    }
}

pub fn canceling(reference: &str, order: &str, amount: i64) -> ReceiptCall {
    ReceiptCall { cancel: true, for_whom: None, ..issuing(reference, order, amount) }
}

pub fn approval(answer: TradeAnswer) -> Approval {
    match answer {
        TradeAnswer::Done(approval) => approval,
        other => panic!("{other:?}"),
    }
}

pub fn is_done(answer: &TradeAnswer) -> bool {
    matches!(answer, TradeAnswer::Done(_))
}

/// Whether a secret is the same as a text.
pub fn reads(secret: &SecretString, text: &str) -> bool {
    secret.expose_secret() == text
}

/// A folder that goes away with the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(test: &str) -> Scratch {
        let name = format!("ichae-acquirer-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("acquirer.db")
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
