//! Payments with a key: their steps by table, and random histories of them against the books.

use super::shop::{LIMIT, Shop, done};
use super::{NOW, PARTNER, STRANGER};
use crate::billing::{ChargeState, Method, Month, PayerAlias, Reason, TradeAnswer, TradeWhy};
use crate::code::Code;
use crate::command::{Actor, Command, NewRefund, Order};
use crate::decide::decide;
use crate::ident::{ChargeNo, PartnerNo, TradeNo};
use crate::ledger::Posting;
use crate::matter::{Act, Matter};
use crate::money::Won;
use crate::notice::Outcome;
use crate::time::Day;
use crate::view::{Context, EventKind, Reply, Rules, Write};
use proptest::prelude::*;

#[test]
fn a_payment_is_captured_settled_and_then_spent() {
    let mut shop = Shop::new();
    let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    assert_eq!(shop.balances(), [0, 0, 0, 0], "nothing moves before the acquirer says so");
    shop.told(pay, false, done());
    assert_eq!(shop.balances(), [1_000, 0, 0, -1_000]);
    assert_eq!(shop.notices.last().map(|n| n.outcome), Some(Outcome::Paid));
    let settled = shop.settle(vec![charge]);
    assert_eq!(settled, Reply::Settled { count: 1, available: Won(1_000), paid: Won(1_000) });
    assert_eq!((shop.balances(), shop.settlement), ([0, 1_000, 0, 0], -1_000));
    assert_eq!(shop.ledger.funded, Won(1_000), "it is part of total_account_amt");
    let again = shop.settle(vec![charge]);
    assert_eq!(again, Reply::Settled { count: 0, available: Won(0), paid: Won(0) });
}

#[test]
fn an_order_number_and_a_month_are_used_once_unless_they_failed() {
    let month = Some(Month(202_611));
    for end in [None, Some(TradeAnswer::Unknown(TradeWhy::TimedOut)), Some(done())] {
        let mut shop = Shop::new();
        let (_, pay) = shop.charge(shop.card(), "o1", 1_000, month).unwrap();
        if let Some(answer) = end {
            shop.told(pay, false, answer);
        }
        assert_eq!(shop.charge(shop.card(), "o1", 1_000, None), Err(Code::SPCD0014));
        assert_eq!(shop.charge(shop.account(), "o1", 1_000, None), Err(Code::CPAY0202));
        assert_eq!(shop.charge(shop.card(), "o2", 1_000, month), Err(Code::RPCD0015));
        assert!(shop.charge(shop.account(), "o3", 1_000, month).is_ok(), "another key");
        assert!(shop.charge(shop.card(), "o4", 1_000, Some(Month(202_612))).is_ok());
    }
    let mut shop = Shop::new();
    let (_, pay) = shop.charge(shop.card(), "o1", 1_000, month).unwrap();
    shop.told(pay, false, TradeAnswer::Refused(LIMIT));
    assert_eq!(shop.notices.last().map(|n| n.outcome), Some(Outcome::ChargeFailed));
    assert!(shop.charge(shop.card(), "o1", 1_000, month).is_ok());
}

#[test]
fn what_cannot_be_charged_is_refused_and_writes_nothing() {
    let mut shop = Shop::new();
    let (card, account) = (shop.card(), shop.account());
    let month = Some(Month(202_611));
    assert_eq!(shop.charge(card, "o", 99, None), Err(Code::SPCD0002));
    assert_eq!(shop.charge(card, "o", 99, month), Err(Code::RPCD0002));
    assert_eq!(shop.charge(account, "o", 999, None), Err(Code::PAYU0002));
    shop.partner.suspended = true;
    assert_eq!(shop.charge(card, "o", 100, None), Err(Code::SPCD0007));
    assert_eq!(shop.charge(account, "o", 1_000, month), Err(Code::CPAY0012));
    shop.partner.suspended = false;
    let removed = Command::RemovePayer { partner: PARTNER, payer: card };
    assert_eq!(shop.give(Actor::Partner, removed.clone()), Ok(Reply::Payer(card)));
    assert_eq!(shop.notices, [], "the partner itself did it");
    assert_eq!(shop.give(Actor::Partner, removed), Err(Code::PUIF0001));
    assert_eq!(shop.charge(card, "o", 100, None), Err(Code::SPCD0012));
    shop.payers.get_mut(&account).unwrap().partner = STRANGER;
    assert_eq!(shop.charge(account, "o", 1_000, None), Err(Code::SPAY0005));
    let foreign = Command::RemovePayer { partner: PARTNER, payer: account };
    assert_eq!(shop.give(Actor::Partner, foreign), Err(Code::PUIF0001));
    assert!(shop.charges.is_empty());
}

#[test]
fn a_key_that_was_brought_along_has_its_id_once_and_a_removal_by_hand_is_told() {
    let mut shop = Shop::new();
    let alias = Some(PayerAlias([9; 16]));
    let payer = shop.add(Method::Card, alias).unwrap();
    assert_eq!(shop.add(Method::Card, alias), Err(Code::P0141));
    let by_hand = Command::RemovePayer { partner: PARTNER, payer };
    let operator = Actor::Operator("kim".into());
    assert_eq!(shop.give(operator.clone(), by_hand.clone()), Ok(Reply::Payer(payer)));
    assert_eq!(shop.notices.last().map(|n| n.outcome), Some(Outcome::Deregistered));
    assert_eq!(shop.give(operator, by_hand), Err(Code::P0140));
}

#[test]
fn silence_leaves_a_payment_unknown_and_only_an_inquiry_ends_it() {
    let mut shop = Shop::new();
    let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    for undecided in [Reason(1_113), Reason(9_998), Reason::OK] {
        shop.told(pay, false, TradeAnswer::Refused(undecided));
        assert_eq!(shop.charges[&charge].state, ChargeState::Unknown, "{undecided:?}");
    }
    let unknown = shop.events.iter().filter(|e| e.kind == EventKind::TradeUnknown).count();
    assert_eq!((unknown, shop.notices.len()), (1, 0));
    let first = shop.trades[&pay].inquire_at.unwrap();
    assert!(first > NOW);
    shop.told(pay, true, TradeAnswer::NotSent);
    assert_eq!(shop.charges[&charge].state, ChargeState::Unknown, "the inquiry was not sent");
    shop.told(pay, true, TradeAnswer::Unknown(TradeWhy::NoHistory));
    assert_eq!(shop.trades[&pay].inquiries, 2);
    shop.told(pay, true, done());
    assert_eq!(shop.balances(), [1_000, 0, 0, -1_000]);
    assert_eq!(shop.told(pay, true, done()), Reply::Stale, "said twice, captured once");
    let logged = shop.events.len();
    assert_eq!(shop.told(pay, true, TradeAnswer::Refused(LIMIT)), Reply::Stale);
    assert_eq!(
        shop.events[logged..].iter().map(|e| e.kind).collect::<Vec<_>>(),
        [EventKind::Contradicted]
    );
    assert_eq!(shop.balances(), [1_000, 0, 0, -1_000]);
    let (charge, pay) = shop.charge(shop.card(), "o2", 1_000, None).unwrap();
    shop.told(pay, false, TradeAnswer::NotSent);
    assert_eq!(shop.charges[&charge].state, ChargeState::Failed, "it never left");
}

#[test]
fn a_refund_takes_what_is_captured_then_what_is_available_and_no_more() {
    let mut shop = Shop::new();
    let (first, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    shop.told(pay, false, done());
    shop.settle(vec![first]);
    let (second, pay) = shop.charge(shop.card(), "o2", 600, None).unwrap();
    shop.told(pay, false, done());
    // The payouts spent what was available.
    shop.ledger.available = Won(300);
    let spent = Won(700);
    shop.postings.push(Posting {
        partner: PARTNER,
        entry: crate::ledger::Entry::TakeBack,
        amount: spent,
        subject: crate::ledger::Subject::Fund,
        at: NOW,
    });
    shop.ledger.funded = Won(300);
    shop.settlement += spent.0;
    assert_eq!(shop.refund(first, Some(1_001)), Err(Code::PAYC0005));
    assert_eq!(shop.refund(first, None), Err(Code::PAYC0007), "600 and 300 do not cover 1,000");
    let refund = shop.refund(first, Some(900)).unwrap();
    assert_eq!(shop.balances(), [0, 0, 900, -600]);
    assert_eq!(shop.refund(first, Some(101)), Err(Code::PAYC0005), "under way counts");
    shop.told(refund, false, TradeAnswer::Unknown(TradeWhy::TimedOut));
    assert_eq!(shop.balances(), [0, 0, 900, -600], "it stays put");
    shop.told(refund, true, done());
    assert_eq!(shop.balances(), [0, 0, 0, 300]);
    // What the second brings was used up by the refund, but for nothing.
    let settled = shop.settle(vec![second]);
    assert_eq!(settled, Reply::Settled { count: 1, available: Won(0), paid: Won(0) });
}

#[test]
fn a_refused_refund_goes_back_where_it_came_from() {
    let mut shop = Shop::new();
    let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    shop.told(pay, false, done());
    let refund = shop.refund(charge, Some(400)).unwrap();
    assert_eq!(shop.balances(), [600, 0, 400, -1_000]);
    let waits = shop.settle(vec![charge]);
    assert_eq!(waits, Reply::Settled { count: 0, available: Won(0), paid: Won(0) });
    shop.told(refund, false, TradeAnswer::Refused(Reason(1_116)));
    assert_eq!(shop.balances(), [1_000, 0, 0, -1_000]);
    let whole = shop.refund(charge, None).unwrap();
    assert_eq!(shop.refund(charge, None), Err(Code::PAYC0006));
    shop.told(whole, false, done());
    assert_eq!(shop.balances(), [0, 0, 0, 0]);
    assert_eq!(shop.refund(charge, Some(1)), Err(Code::PAYC0006));
}

#[test]
fn a_payment_from_an_account_has_one_receipt_at_a_time() {
    let mut shop = Shop::new();
    let (card, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    shop.told(pay, false, done());
    assert_eq!(shop.receipt(card, false), Err(Code::TSAV0004));
    let (charge, pay) = shop.charge(shop.account(), "o2", 1_000, None).unwrap();
    assert_eq!(shop.receipt(charge, false), Err(Code::TSAV0004), "not captured yet");
    shop.told(pay, false, done());
    assert_eq!(shop.receipt(charge, true), Err(Code::TSAV0006));
    let issue = shop.receipt(charge, false).unwrap();
    assert_eq!(shop.receipt(charge, false), Err(Code::TSAV0005));
    assert_eq!(shop.receipt(charge, true), Err(Code::TSAV0005), "not while it is being asked for");
    shop.told(issue, false, done());
    let cancel = shop.receipt(charge, true).unwrap();
    shop.told(cancel, false, TradeAnswer::Refused(Reason(1_116)));
    assert_eq!(shop.charges[&charge].receipt, Some(issue), "it stands as before");
    let cancel = shop.receipt(charge, true).unwrap();
    shop.told(cancel, false, done());
    assert_eq!(shop.charges[&charge].receipt, None);
    let again = shop.receipt(charge, false).unwrap();
    shop.told(again, false, TradeAnswer::Refused(Reason(1_101)));
    assert_eq!(shop.charges[&charge].receipt, None);
}

/// Where no acquirer will ever tell, persons do, each with evidence; and only of what nobody knows.
#[test]
fn persons_end_what_the_acquirer_never_tells() {
    for done in [true, false] {
        let mut shop = Shop::new();
        let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
        let act = |amount: i64, note: &str| {
            let matter = Matter::Trade(pay, done);
            let (amount, note) = (Won(amount), note.to_owned());
            Command::Act(Box::new(Act { matter, partner: PARTNER, payout: None, amount, note }))
        };
        let operator = || Actor::Operator("kim".into());
        assert_eq!(shop.give(operator(), act(1_000, "letter 7")), Err(Code::P0143), "under way");
        shop.told(pay, false, TradeAnswer::Unknown(TradeWhy::TimedOut));
        assert_eq!(shop.give(operator(), act(999, "letter 7")), Err(Code::P0143));
        assert_eq!(shop.give(operator(), act(1_000, " ")), Err(Code::P0134));
        assert_eq!(shop.give(Actor::Partner, act(1_000, "letter 7")), Err(Code::T0999));
        if !done {
            shop.rules.resolve_same_day = false;
            assert_eq!(shop.give(operator(), act(1_000, "letter 7")), Err(Code::P0135), "today");
            shop.now = shop.now.plus_ms(86_400_000);
        }
        assert!(matches!(shop.give(operator(), act(1_000, "letter 7")), Ok(Reply::Traded(_))));
        let (state, captured, outcome) = match done {
            true => (ChargeState::Captured, 1_000, Outcome::Paid),
            false => (ChargeState::Failed, 0, Outcome::ChargeFailed),
        };
        assert_eq!((shop.charges[&charge].state, shop.balances()[0]), (state, captured));
        assert_eq!(shop.notices.last().map(|n| n.outcome), Some(outcome));
        assert_eq!(shop.give(operator(), act(1_000, "letter 8")), Err(Code::P0143), "once");
    }
}

/// After a restore it may be the very refund that is asked for: its amount must not come free.
#[test]
fn canceled_before_decides_nothing_of_a_refund() {
    for reason in [1_115, 3_121, 3_251].map(Reason) {
        let mut shop = Shop::new();
        let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
        shop.told(pay, false, done());
        let refund = shop.refund(charge, None).unwrap();
        shop.told(refund, false, TradeAnswer::Refused(reason));
        let trade = &shop.trades[&refund];
        assert_eq!(trade.why, Some(TradeWhy::Undecided(reason)));
        assert_eq!((shop.charges[&charge].refunding, shop.balances()[0]), (Won(1_000), 0));
        let (_, pay) = shop.charge(shop.card(), "o2", 1_000, None).unwrap();
        shop.told(pay, false, TradeAnswer::Refused(reason));
        assert_eq!(shop.trades[&pay].reason, Some(reason), "of a payment it is a refusal");
    }
}

/// Even where what came of a call could not be written down.
#[test]
fn every_call_is_asked_about_in_the_end() {
    let mut shop = Shop::new();
    let (_, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    assert_eq!(shop.trades[&pay].inquire_at, Some(shop.now.plus_ms(600_000)));
    shop.told(pay, true, TradeAnswer::NotSent);
    assert_eq!(shop.trades[&pay].why, Some(TradeWhy::Lost));
    shop.told(pay, true, done());
    assert_eq!((shop.trades[&pay].inquire_at, shop.balances()[0]), (None, 1_000));
}

/// A cancellation that is answered late leaves alone what a refund and a new receipt made of it.
#[test]
fn a_receipt_is_put_back_by_its_own_cancellation_only() {
    let mut shop = Shop::new();
    let (charge, pay) = shop.charge(shop.account(), "o1", 1_000, None).unwrap();
    shop.told(pay, false, done());
    let receipt = shop.receipt(charge, false).unwrap();
    shop.told(receipt, false, done());
    let cancel = shop.receipt(charge, true).unwrap();
    let refund = shop.refund(charge, Some(100)).unwrap();
    let TradeAnswer::Done(mut approval) = done() else { unreachable!() };
    approval.receipt_no = Some("r1".into());
    shop.told(refund, false, TradeAnswer::Done(approval));
    assert_eq!(shop.charges[&charge].receipt, None, "canceled with the refund");
    shop.told(cancel, false, TradeAnswer::Refused(Reason(1_117)));
    assert_eq!(shop.charges[&charge].receipt, None, "and not put back");
}

/// The tax that refunds give back is the payment's, and no more of it than there was.
#[test]
fn refunds_give_back_the_payments_own_tax() {
    let mut shop = Shop::new();
    let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    shop.charges.get_mut(&charge).unwrap().tax.vat = Won(10);
    shop.told(pay, false, done());
    let part = shop.refund(charge, Some(300)).unwrap();
    assert_eq!(shop.trades[&part].vat, Won(3), "its share");
    shop.told(part, false, TradeAnswer::Refused(Reason(1_116)));
    assert_eq!(shop.charges[&charge].refund_vat, Won(0));
    let part = shop.refund(charge, Some(333)).unwrap();
    shop.told(part, false, done());
    let said =
        |vat| NewRefund { partner: PARTNER, charge, amount: Some(Won(100)), vat: Some(Won(vat)) };
    let wrong = Command::Refund(Box::new(said(8)));
    assert_eq!(shop.give(Actor::Partner, wrong), Err(Code::PAYC0003), "7 are left");
    let rest = shop.refund(charge, None).unwrap();
    assert_eq!(shop.trades[&rest].vat, Won(7), "all that is left");

    let (charge, pay) = shop.charge(shop.account(), "o2", 1_000, None).unwrap();
    shop.told(pay, false, done());
    let without = NewRefund { amount: Some(Won(990)), vat: Some(Won::ZERO), ..said(0) };
    let without = NewRefund { charge, ..without };
    shop.give(Actor::Partner, Command::Refund(Box::new(without))).unwrap();
    let receipt = shop.receipt(charge, false).unwrap();
    assert_eq!(shop.trades[&receipt].vat, Won(10), "90 are left of the tax, and 10 to be taxed");
    shop.told(receipt, false, done());
    let cancel = shop.receipt(charge, true).unwrap();
    assert_eq!(shop.trades[&cancel].vat, Won(10), "the receipt's");
    let rest = shop.refund(charge, None).unwrap();
    assert_eq!(shop.trades[&rest].vat, Won(10));
}

#[test]
fn only_a_person_settles_and_only_the_partners_own_days() {
    let mut shop = Shop::new();
    let (charge, pay) = shop.charge(shop.card(), "o1", 1_000, None).unwrap();
    shop.told(pay, false, done());
    let through =
        |day: Day| Command::SettleCharges { partner: PARTNER, through: day, charges: vec![charge] };
    let today = shop.now.day();
    assert_eq!(shop.give(Actor::Engine, through(today)), Err(Code::T0999));
    let operator = Actor::Operator("kim".into());
    let yesterday = shop.now.plus_ms(-86_400_000).day();
    let none = Reply::Settled { count: 0, available: Won(0), paid: Won(0) };
    assert_eq!(shop.give(operator.clone(), through(yesterday)), Ok(none.clone()));
    shop.charges.get_mut(&charge).unwrap().partner = STRANGER;
    let command = through(today);
    let order = Order { actor: operator, command };
    let context = Context { now: shop.now, serial: 1, epochs: &super::EPOCHS, rules: Rules::OPEN };
    let change = decide(&shop.view(&order.command.reads()), &order, &context).unwrap();
    assert_eq!((change.reply, change.writes.len()), (none, 0), "another partner's stays");
    assert_eq!(STRANGER, PartnerNo(4));
}

#[derive(Clone, Debug)]
enum Step {
    Charge(bool, i64),
    /// Answers one of the open calls.
    Answer(usize, u8, bool),
    Refund(usize, Option<i64>),
    Settle(usize),
    /// Payouts spend, or the partner is funded.
    Spend(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (any::<bool>(), 1_000_i64..5_000).prop_map(|(card, won)| Step::Charge(card, won)),
        5 => (any::<usize>(), 0_u8..4, any::<bool>())
            .prop_map(|(at, answer, inquired)| Step::Answer(at, answer, inquired)),
        3 => (any::<usize>(), proptest::option::of(1_i64..5_000))
            .prop_map(|(at, amount)| Step::Refund(at, amount)),
        2 => any::<usize>().prop_map(Step::Settle),
        1 => (-4_000_i64..4_000).prop_map(Step::Spend),
    ]
}

proptest! {
    /// Whatever comes in whatever order: the books balance, no balance falls below zero, what is
    /// captured is never more than what is still to come, and once all calls have ended and all is
    /// settled the acquirer owes nothing more than what refunds took from what was available.
    #[test]
    fn the_books_hold_through_any_history(steps in proptest::collection::vec(step(), 1..60)) {
        let mut shop = Shop::new();
        let mut orders = 0;
        for step in steps {
            run(&mut shop, &mut orders, step);
        }
        let open: Vec<TradeNo> = shop
            .trades
            .values()
            .filter(|trade| trade.state.is_open())
            .map(|trade| trade.no)
            .collect();
        for trade in open {
            shop.told(trade, true, done());
        }
        let all: Vec<ChargeNo> = shop.charges.keys().copied().collect();
        shop.settle(all);
        prop_assert_eq!(shop.ledger.captured, Won(0));
        prop_assert_eq!(shop.ledger.unsettled, Won(0));
        prop_assert_eq!(shop.ledger.refunding, Won(0));
        prop_assert!(shop.ledger.receivable >= Won(0), "{:?}", shop.ledger);
    }
}

fn run(shop: &mut Shop, orders: &mut usize, step: Step) {
    match step {
        Step::Charge(card, won) => {
            *orders += 1;
            let payer = if card { shop.card() } else { shop.account() };
            shop.charge(payer, &format!("o{orders}"), won, None).unwrap();
        }
        Step::Answer(at, answer, inquired) => {
            let open: Vec<TradeNo> = shop.trades.keys().copied().collect();
            let Some(trade) = open.get(at % open.len().max(1)) else { return };
            let answer = match answer {
                0 => TradeAnswer::Refused(LIMIT),
                1 => TradeAnswer::Unknown(TradeWhy::TimedOut),
                2 => TradeAnswer::NotSent,
                _ => done(),
            };
            shop.told(*trade, inquired, answer);
        }
        Step::Refund(at, amount) => {
            let charges: Vec<ChargeNo> = shop.charges.keys().copied().collect();
            let Some(charge) = charges.get(at % charges.len().max(1)) else { return };
            // A refusal is an answer too: the audit has looked at what it left.
            let _ = shop.refund(*charge, amount);
        }
        Step::Settle(upto) => {
            let count = upto % (shop.charges.len() + 1);
            shop.settle(shop.charges.keys().copied().take(count).collect());
        }
        Step::Spend(won) => {
            let (entry, won) = match won {
                0 => return,
                1.. => (crate::ledger::Entry::Fund, won),
                _ => (crate::ledger::Entry::TakeBack, won.abs().min(shop.ledger.available.0)),
            };
            if won == 0 {
                return;
            }
            shop.ledger = shop.ledger.post(entry, Won(won)).unwrap();
            let subject = crate::ledger::Subject::Fund;
            shop.write(Write::Posting(Posting {
                partner: PARTNER,
                entry,
                amount: Won(won),
                subject,
                at: NOW,
            }));
            shop.audit();
        }
    }
}
