//! Payments with the values of the official samples.

use super::paid::Paid;
use ichae_domain::billing::{
    Approval, Charge, ChargeState, Instrument, Method, Month, OrderText, Owner, Payer, Reason, Tax,
    Trade, TradeKind, TradeState,
};
use ichae_domain::ident::{ChargeNo, PartnerNo, PayerNo, TradeNo};
use ichae_domain::money::Won;
use ichae_domain::time::{Day, Time};

pub const PAYER_ID: &str = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09";
/// 2019-04-14 13:20:33 in Seoul; with the rest, the samples' `PCD_PAY_CARDTRADENUM`.
const AT: Time = Time(1_555_215_633_000);
const EPOCH: u16 = 26;
const SERIAL: i64 = 92_022_400;
/// 20180423130201.
pub const TIME_2018: Time = Time(1_524_456_121_000);
/// 20200323130201.
pub const TIME_2020: Time = Time(1_584_936_121_000);

pub struct Sample {
    pub charge: Charge,
    pub texts: OrderText,
    pub payer: Payer,
    pub instrument: Instrument,
    pub pay: Trade,
    pub receipt: Option<Trade>,
    pub card_receipt: &'static str,
}

impl Sample {
    /// 1,000 won, with 10 of tax, at `TIME_2018`.
    pub fn card() -> Sample {
        let charge = Charge {
            no: ChargeNo(1),
            partner: PartnerNo(1),
            payer: PayerNo(1),
            method: Method::Card,
            oid: "test201804000001".into(),
            month: None,
            amount: Won(1_000),
            tax: Tax { taxed: true, vat: Won(10) },
            at: TIME_2018,
            day: Day(20_190_414),
            state: ChargeState::Captured,
            pay: TradeNo(SERIAL),
            refunded: Won::ZERO,
            refunding: Won::ZERO,
            refund_vat: Won::ZERO,
            settled_at: None,
            receipt: None,
        };
        let texts = OrderText {
            goods: "상품1".into(),
            payer_no: "2324".into(),
            payer_name: "".into(),
            payer_phone: "01023456789".into(),
            payer_email: "dev@payple.kr".into(),
            define_1: "가맹점 정의1".into(),
            define_2: "가맹점 정의2".into(),
        };
        let payer = Payer {
            no: PayerNo(1),
            partner: PartnerNo(1),
            method: Method::Card,
            owner: Owner::Person,
            org: "0200".into(),
            org_name: "BC 카드".into(),
            alias: None,
            made_at: AT,
            removed_at: None,
        };
        let instrument = Instrument {
            token: "token-of-the-acquirer".into(),
            number_masked: "1111-****-****-4444".into(),
            holder: "홍길동".into(),
            phone_masked: "010-****-5678".into(),
        };
        let approval = Approval { auth_no: "98123445".into(), ..Approval::default() };
        let pay = Trade {
            answered_at: Some(TIME_2018),
            ..trade(TradeKind::Pay, SERIAL, 1_000, 10, Some(approval))
        };
        let card_receipt = "https://www.danalpay.com/receipt/creditcard/view.aspx?...";
        Sample { charge, texts, payer, instrument, pay, receipt: None, card_receipt }
    }

    pub fn account() -> Sample {
        let mut sample = Sample::card();
        sample.charge.method = Method::Account;
        sample.payer.method = Method::Account;
        sample.payer.org = "011".into();
        sample.payer.org_name = "농협".into();
        sample.instrument.number_masked = "460-********-121".into();
        sample.pay.approval = Some(Approval::default());
        sample.card_receipt = "";
        sample
    }

    pub fn monthly(mut self, month: i32) -> Sample {
        self.charge.month = Some(Month(month));
        self
    }

    /// With a receipt that was asked for with the payment, and stands.
    pub fn with_receipt(mut self, number: &str) -> Sample {
        self.pay.approval = Some(issued(number));
        self.receipt = Some(self.pay.clone());
        self
    }

    /// Refused by the institution.
    pub fn refused(mut self, reason: Option<u16>) -> Sample {
        self.charge.state = ChargeState::Failed;
        self.pay.state = TradeState::Refused;
        self.pay.reason = reason.map(Reason);
        self.pay.approval = None;
        self
    }

    pub fn paid(&self) -> Paid<'_> {
        Paid {
            charge: &self.charge,
            texts: &self.texts,
            payer: &self.payer,
            instrument: &self.instrument,
            pay: &self.pay,
            receipt: self.receipt.as_ref(),
            payer_id: PAYER_ID,
            card_receipt: self.card_receipt.to_owned(),
        }
    }
}

/// What the acquirer gave for a receipt of that number.
pub fn issued(number: &str) -> Approval {
    Approval { receipt_no: Some(number.to_owned()), ..Approval::default() }
}

/// A call that was answered, a moment after it was made.
pub fn trade(kind: TradeKind, no: i64, amount: i64, vat: i64, approval: Option<Approval>) -> Trade {
    Trade {
        no: TradeNo(no),
        charge: ChargeNo(1),
        partner: PartnerNo(1),
        kind,
        amount: Won(amount),
        vat: Won(vat),
        from_captured: Won::ZERO,
        undoes: None,
        epoch: EPOCH,
        at: AT,
        state: TradeState::Done,
        reason: None,
        why: None,
        answered_at: Some(AT.plus_ms(1_000)),
        inquiries: 0,
        inquire_at: None,
        approval,
    }
}
