//! Payers and payments, on every backend.

use super::*;
use crate::billing::PayerQuery;
use ichae_domain::billing::{
    Approval, Instrument, Method, Month, OrderText, Owner, PayerAlias, Reason, Tax, Trade,
    TradeAnswer, TradeWhy,
};
use ichae_domain::code::Code;
use ichae_domain::ident::{ChargeNo, PayerNo, TradeNo};
use ichae_domain::notice::{Outcome, Subject};

pub const ALL: &[super::Behaviour] = &[
    ("a_payer_is_found_by_its_number_or_its_alias", a_payer_is_found_by_its_number_or_its_alias),
    ("a_payment_reads_back_with_all_that_is_about_it", a_payment_reads_back_with_all_of_it),
    ("what_nobody_knows_is_asked_in_order", what_nobody_knows_is_asked_in_order),
    ("one_batch_sees_what_it_wrote", one_batch_sees_what_it_wrote),
    ("what_the_acquirer_paid_is_taken_in_by_days", what_the_acquirer_paid_is_taken_in_by_days),
];

fn text(text: &str) -> secrecy::SecretString {
    text.to_owned().into()
}

pub fn payer(partner: PartnerNo, method: Method, alias: Option<u8>) -> Command {
    Command::AddPayer(Box::new(NewPayer {
        partner,
        method,
        owner: Owner::Person,
        org: "0200".into(),
        org_name: "BC카드".into(),
        instrument: Instrument {
            token: text("sim-token-of-a-card"),
            number_masked: text("1111-****-****-2222"),
            holder: text("홍길동"),
            phone_masked: text("010-****-5678"),
        },
        alias: alias.map(|byte| PayerAlias([byte; 16])),
    }))
}

pub fn charge(
    partner: PartnerNo,
    payer: PayerNo,
    method: Method,
    amount: i64,
    oid: &str,
    month: Option<i32>,
) -> Command {
    Command::Charge(Box::new(NewCharge {
        partner,
        method,
        payer: Some(payer),
        oid: oid.into(),
        month: month.map(Month),
        amount: Won(amount),
        tax: Tax { taxed: true, vat: Won(amount / 11) },
        order: OrderText {
            goods: text("상품1"),
            payer_no: text("1234"),
            payer_name: text("홍길동"),
            payer_phone: text("01012345678"),
            payer_email: text("dev@example.com"),
            define_1: text("가맹점 정의1"),
            define_2: text(""),
        },
    }))
}

pub fn traded(trade: &Trade, inquired: bool, answer: TradeAnswer) -> Command {
    Command::Traded(Box::new(TradeTold {
        partner: trade.partner,
        charge: trade.charge,
        trade: trade.no,
        inquired,
        answer,
    }))
}

pub fn approved() -> TradeAnswer {
    TradeAnswer::Done(Approval {
        auth_no: "98123445".into(),
        receipt_no: Some("test12345678901234567".into()),
        receipt_reason: None,
    })
}

impl Harness {
    pub fn payer(&mut self, partner: PartnerNo, method: Method) -> PayerNo {
        match self.give(payer(partner, method, None)) {
            Ok(Reply::Payer(no)) => no,
            other => panic!("{other:?}"),
        }
    }

    pub fn charge(&mut self, command: Command) -> (ChargeNo, Trade) {
        match self.give(command) {
            Ok(Reply::Trade(both)) => (both.0.no, both.1),
            other => panic!("{other:?}"),
        }
    }
}

fn a_payer_is_found_by_its_number_or_its_alias(h: &mut Harness) {
    let (p, q) = (h.partner("a", 0), h.partner("b", 0));
    let own = h.payer(p, Method::Card);
    let Ok(Reply::Payer(brought)) = h.give(payer(p, Method::Account, Some(9))) else { panic!() };
    assert_eq!(h.give(payer(p, Method::Account, Some(9))).unwrap_err().code, Code::P0141);
    // Another partner's keys are a world of their own.
    let Ok(Reply::Payer(other)) = h.give(payer(q, Method::Account, Some(9))) else { panic!() };
    let alias = |byte| Some(PayerAlias([byte; 16]));
    let ask = |partner, no: Option<PayerNo>, alias| PayerQuery { partner, no, alias };
    let table = [
        (ask(p, Some(own), None), Some(own)),
        (ask(p, None, alias(9)), Some(brought)),
        (ask(q, None, alias(9)), Some(other)),
        (ask(q, Some(own), None), None),
        (ask(p, None, alias(8)), None),
        (ask(p, Some(PayerNo(1_000)), None), None),
        (ask(p, None, None), None),
    ];
    let queries: Vec<PayerQuery> = table.iter().map(|(query, _)| *query).collect();
    let found = h.reader.payers_by(&queries).unwrap();
    let numbers: Vec<_> = found.iter().map(|row| row.as_ref().map(|(p, _)| p.no)).collect();
    assert_eq!(numbers, table.map(|(_, no)| no));
    let Command::AddPayer(new) = payer(p, Method::Card, None) else { panic!() };
    assert_eq!(found[0].as_ref().unwrap().1, new.instrument);
    h.give(Command::RemovePayer { partner: p, payer: own }).unwrap();
    let gone = h.reader.payers_by(&queries[..1]).unwrap().pop().unwrap().unwrap();
    assert!(gone.0.removed_at.is_some());
    let listed = h.reader.payers(p, PayerNo(0), 10).unwrap();
    assert_eq!(listed.iter().map(|(p, _)| p.no).collect::<Vec<_>>(), [own, brought]);
    assert_eq!(h.reader.payers(p, own, 10).unwrap().len(), 1);
}

fn a_payment_reads_back_with_all_of_it(h: &mut Harness) {
    let p = h.partner("a", 0);
    let card = h.payer(p, Method::Card);
    let asked = charge(p, card, Method::Card, 1_000, "o-1", Some(202_611));
    let (no, pay) = h.charge(asked.clone());
    assert_eq!(h.reader.asking(TradeNo(0), 10).unwrap(), std::slice::from_ref(&pay));
    h.give(traded(&pay, false, approved())).unwrap();
    let day = h.time().day();
    let row = h.reader.charge_by_oid(p, "o-1", Some(day)).unwrap().unwrap();
    assert_eq!(h.reader.charge(no).unwrap().unwrap(), row);
    let Command::Charge(new) = asked else { panic!() };
    assert_eq!((&row.texts, row.charge.month), (&new.order, Some(Month(202_611))));
    assert_eq!(row.trade(pay.no).unwrap().approval.as_ref().unwrap().auth_no, "98123445");
    let yesterday = h.time().plus_ms(-86_400_000).day();
    assert_eq!(h.reader.charge_by_oid(p, "o-1", Some(yesterday)).unwrap(), None);
    let notices = h.reader.notices(Default::default(), NoticeNo(0), 10).unwrap();
    assert_eq!(
        (notices[0].subject, notices[0].outcome),
        (Subject::Charge(no, pay.no), Outcome::Paid)
    );
    let refund = NewRefund { partner: p, charge: no, amount: Some(Won(300)), vat: None };
    let (_, back) = h.charge(Command::Refund(Box::new(refund)));
    h.give(traded(&back, false, approved())).unwrap();
    let row = h.reader.charge(no).unwrap().unwrap();
    assert_eq!((row.charge.refunded, row.trades.len()), (Won(300), 2));
    // Notices of one payment go out in their order.
    let due = h.reader.due_notices(p, h.time(), 10).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(h.reader.charges(p, 10).unwrap().len(), 1);
    assert!(h.reader.funds().unwrap().captured == Won(700));
}

fn what_nobody_knows_is_asked_in_order(h: &mut Harness) {
    let p = h.partner("a", 0);
    let card = h.payer(p, Method::Card);
    let mut trades = Vec::new();
    for oid in ["1", "2", "3"] {
        let (_, pay) = h.charge(charge(p, card, Method::Card, 1_000, oid, None));
        h.give(traded(&pay, false, TradeAnswer::Unknown(TradeWhy::TimedOut))).unwrap();
        h.later(1_000);
        trades.push(pay.no);
    }
    let numbers = |trades: Vec<Trade>| trades.iter().map(|t| t.no).collect::<Vec<_>>();
    assert_eq!(numbers(h.reader.unknown_trades(trades[0], 10).unwrap()), trades[1..]);
    assert_eq!(h.reader.due_trades(h.time(), 10).unwrap(), []);
    h.later(3_000);
    assert_eq!(numbers(h.reader.due_trades(h.time(), 10).unwrap()), trades[..2]);
    let first = h.reader.trade(trades[0]).unwrap().unwrap();
    h.give(traded(&first, true, TradeAnswer::Refused(Reason(3_112)))).unwrap();
    assert_eq!(numbers(h.reader.unknown_trades(TradeNo(0), 10).unwrap()), trades[1..]);
    assert_eq!(h.reader.asking(TradeNo(0), 10).unwrap(), []);
}

fn one_batch_sees_what_it_wrote(h: &mut Harness) {
    let p = h.partner("a", 0);
    let card = h.payer(p, Method::Card);
    let same = charge(p, card, Method::Card, 1_000, "o", Some(202_611));
    let other = charge(p, card, Method::Card, 1_000, "p", Some(202_611));
    let answers = h.many(vec![same.clone(), same, other]);
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.err().map(|r| r.code)).collect();
    assert_eq!(codes, [None, Some(Code::RPCD0015), Some(Code::RPCD0015)]);
}

fn what_the_acquirer_paid_is_taken_in_by_days(h: &mut Harness) {
    let p = h.partner("a", 0);
    let card = h.payer(p, Method::Card);
    let mut charges = Vec::new();
    for oid in ["1", "2", "3"] {
        let (no, pay) = h.charge(charge(p, card, Method::Card, 1_000, oid, None));
        h.give(traded(&pay, false, approved())).unwrap();
        charges.push(no);
        h.later(86_400_000);
    }
    let day = |back: i64| h.time().plus_ms(-back * 86_400_000).day();
    let (second, last) = (day(2), day(0));
    assert_eq!(h.reader.unsettled(p, second, ChargeNo(0), 10).unwrap(), charges[..2]);
    assert_eq!(h.reader.unsettled(p, last, charges[0], 1).unwrap(), charges[1..2]);
    let settle = |through, charges: &[ChargeNo]| Command::SettleCharges {
        partner: p,
        through,
        charges: charges.to_vec(),
    };
    let settled = Reply::Settled { count: 2, available: Won(2_000), paid: Won(2_000) };
    assert_eq!(h.give(settle(second, &charges)), Ok(settled));
    assert_eq!(h.reader.unsettled(p, last, ChargeNo(0), 10).unwrap(), charges[2..]);
    assert_eq!(h.balances(p), (2_000, 0));
    assert_eq!(h.reader.settlement().unwrap(), Won(-2_000));
}

/// A step of the random sequences; see there.
pub fn step(
    h: &Harness,
    (kind, a, b, c): (u8, u8, u8, u16),
    partners: &[PartnerNo],
    payers: &[(PartnerNo, PayerNo, Method)],
) -> Option<Command> {
    let partner = *partners.get(usize::from(a) % partners.len())?;
    let (owner, no, method) = *payers.get(usize::from(b) % payers.len())?;
    let charges = h.reader.charges(partner, 40).unwrap();
    let some = || charges.get(usize::from(c) % charges.len().max(1)).map(|charge| charge.no);
    let amount = i64::from(c % 3_000) + 100;
    Some(match kind % 6 {
        0 => charge(
            // Now and then with a key of somebody else's.
            if c % 7 == 0 { partner } else { owner },
            no,
            method,
            amount,
            &format!("o{}", c % 50),
            (c % 3 == 0).then_some(202_600 + i32::from(c % 12) + 1),
        ),
        1 | 2 => {
            let open = [h.reader.asking(TradeNo(0), 9), h.reader.unknown_trades(TradeNo(0), 9)];
            let open: Vec<Trade> = open.into_iter().flat_map(Result::unwrap).collect();
            let trade = open.get(usize::from(b) % open.len().max(1))?;
            let answer = match c % 6 {
                0 => TradeAnswer::Refused(Reason(3_112)),
                1 => TradeAnswer::Refused(Reason(9_999)),
                2 => TradeAnswer::NotSent,
                3 => TradeAnswer::Unknown(TradeWhy::Lost),
                _ => approved(),
            };
            traded(trade, c % 2 == 0, answer)
        }
        3 => {
            let amount = (c % 4 > 0).then_some(Won(amount));
            Command::Refund(Box::new(NewRefund { partner, charge: some()?, amount, vat: None }))
        }
        4 => Command::Receipt(Box::new(NewReceipt {
            partner,
            charge: some()?,
            amount: None,
            cancel: c % 2 == 0,
        })),
        _ => Command::SettleCharges {
            partner,
            through: h.time().day(),
            charges: charges.iter().take(usize::from(c % 9)).map(|charge| charge.no).collect(),
        },
    })
}
