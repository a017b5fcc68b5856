//! `/transfer/request` (decisions H6a to H9, H11, H15).

use super::*;
use crate::command::Request;
use crate::group::GROUP_ROWS_MAX;
use crate::refusal::{Detail, First};

fn request() -> Request {
    Request {
        partner: PARTNER,
        key: Some(KEY),
        amount: Won(2_000),
        sub_id: None,
        distinct_key: "d".into(),
        print: None,
    }
}

fn give(request: &Request) -> Command {
    Command::Request(Box::new(request.clone()))
}

/// What an accepted request of 2,000 won writes in one group.
fn held(group: i64, waiting: i64, sum: i64) -> Done {
    Done {
        posted: vec![(Entry::Hold, 2_000)],
        groups: vec![(group, Mode::Open, waiting, sum, 0)],
        ..Done::default()
    }
}

type Fault = (Code, fn(&mut World));

/// Every combination of faults is answered with the first of them in the order of decision H6a.
#[test]
fn refusals_come_in_order_of_precedence() {
    let faults: [Fault; 8] = [
        (Code::R0132, |w| {
            w.prior = Some((payout(11, None, KEY, 2_000), w.group.clone().unwrap()));
        }),
        (Code::P0101, |w| w.partner = None),
        (Code::T0340, |w| w.partner.iter_mut().for_each(|p| p.suspended = true)),
        (Code::R0102, |w| w.key.as_mut().unwrap().partner = STRANGER),
        (Code::R0103, |w| w.key.as_mut().unwrap().dead = Some(BankCode(415))),
        (Code::R0112, |w| w.context.rules.fixed_amount = Some(Won(1_000))),
        (Code::R0113, |w| w.partner.iter_mut().for_each(|p| p.transfer_cap = Some(Won(1_999)))),
        (Code::R0140, |w| w.ledger.as_mut().unwrap().available = Won(1_999)),
    ];
    for planted in subsets(faults.len()) {
        let mut world = World::new();
        let chosen =
            faults.iter().zip(planted).filter_map(|(fault, planted)| planted.then_some(fault));
        let chosen: Vec<&Fault> = chosen.collect();
        chosen.iter().for_each(|(_, plant)| plant(&mut world));
        let want = chosen.first().map_or(Ok(held(GROUP.0, 1, 2_000)), |(code, _)| Err(*code));
        check(&world, give(&request()), want);
    }
}

/// Limits are the last amounts that are taken, not the first that are refused (decisions H8, H15).
#[test]
fn an_amount_at_its_bound_is_taken() {
    let bounds: [fn(&mut World); 3] = [
        |w| w.context.rules.fixed_amount = Some(Won(2_000)),
        |w| w.partner.as_mut().unwrap().transfer_cap = Some(Won(2_000)),
        |w| w.ledger.as_mut().unwrap().available = Won(2_000),
    ];
    for bound in bounds {
        let mut world = World::new();
        bound(&mut world);
        check(&world, give(&request()), Ok(held(GROUP.0, 1, 2_000)));
    }
}

#[test]
fn an_unknown_key_and_a_strangers_are_one_refusal() {
    let mut world = World::new();
    world.key = None;
    check(&world, give(&request()), Err(Code::R0102));
    let no_key = Request { key: None, ..request() };
    check(&World::new(), give(&no_key), Err(Code::R0102));
}

/// Decision H11: the refusal says which bank code killed the key.
#[test]
fn a_dead_key_says_what_killed_it() {
    let mut world = World::new();
    world.key.as_mut().unwrap().dead = Some(BankCode(416));
    let order = Order { actor: Actor::Partner, command: give(&request()) };
    let refusal = world.decide(&order).unwrap_err();
    assert_eq!(refusal, Refusal { code: Code::R0103, detail: Detail::Bank(BankCode(416)) });
}

/// Decision H9: the first field that differs, in the order of the documents' table.
#[test]
fn a_different_repeat_names_the_first_field_that_differs() {
    type Field = (&'static str, fn(&mut Request));
    let fields: [Field; 4] = [
        ("sub_id", |r| r.sub_id = Some("s".into())),
        ("billing_tran_id", |r| r.key = Some(OTHER_KEY)),
        ("tran_amt", |r| r.amount = Won(1)),
        ("print_content", |r| r.print = Some("다른".into())),
    ];
    for differing in subsets(fields.len()) {
        let mut again = request();
        let chosen = fields.iter().zip(differing).filter_map(|(field, on)| on.then_some(field));
        let chosen: Vec<_> = chosen.collect();
        chosen.iter().for_each(|(_, change)| change(&mut again));
        let first = chosen.first().map(|(name, _)| *name);
        let code = if first.is_some() { Code::R0133 } else { Code::R0132 };
        assert_eq!(repeat(payout(11, None, KEY, 2_000), Mode::Open, again).0, (code, first));
    }
}

/// What was sent is compared with what was sent, not with what was printed.
#[test]
fn a_default_print_is_not_the_same_as_one_that_was_sent() {
    let mut first = payout(11, None, KEY, 2_000);
    let sent = Request { print: Some(first.print.clone()), ..request() };
    let differs = (Code::R0133, Some("print_content"));
    assert_eq!(repeat(first.clone(), Mode::Open, sent.clone()).0, differs);
    first.print_sent = true;
    assert_eq!(repeat(first.clone(), Mode::Open, sent).0, (Code::R0132, None));
    assert_eq!(repeat(first, Mode::Open, request()).0, differs);
}

/// Decision H9: the refusal carries the first request, whatever became of it.
#[test]
fn a_repeat_is_told_the_first_requests_fields_in_every_state() {
    for own in owns() {
        for mode in Mode::ALL {
            let row = payout(11, own, KEY, 2_000);
            let (code, first) = repeat(row.clone(), mode, request());
            assert_eq!(code, (Code::R0132, None));
            let (payout, group, key, amount, at) = (row.no, row.group, row.key, row.amount, row.at);
            let state = reads_as(own, mode);
            assert_eq!(first, First { payout, group, key, amount, at, state });
        }
    }
}

fn repeat(first: Payout, mode: Mode, again: Request) -> ((Code, Option<&'static str>), First) {
    let mut world = World::new();
    let group = Group { mode, ..world.group.clone().unwrap() };
    world.prior = Some((first, group));
    let order = Order { actor: Actor::Partner, command: give(&again) };
    let refusal = world.decide(&order).unwrap_err();
    let Detail::First(first, field) = refusal.detail else { panic!("{refusal:?}") };
    ((refusal.code, field), *first)
}

/// Decision H7: one serial for the row, a second one only where a group opens.
#[test]
fn a_request_joins_the_open_group_or_opens_the_next() {
    let fresh = SERIAL + 1;
    let mut world = World::new();
    world.row(11, None, KEY, 300);
    let joined = check(&world, give(&request()), Ok(held(GROUP.0, 2, 2_300))).unwrap();
    assert_eq!(joined.serials, 1);
    world.group = None;
    let opened = check(&world, give(&request()), Ok(held(fresh, 1, 2_000))).unwrap();
    assert_eq!(opened.serials, 2);
    for mode in [Mode::Closed, Mode::Executing, Mode::Canceled] {
        let mut world = World::new();
        world.mode(mode);
        let change = check(&world, give(&request()), Ok(held(fresh, 1, 2_000))).unwrap();
        let open = change.writes.iter().find_map(|write| match write {
            Write::Ledger(ledger) => ledger.open_group,
            _ => None,
        });
        assert_eq!(open, Some(GroupNo(fresh)), "{mode:?}");
    }
}

/// Decision H7: a group takes 1,000,000 requests. What waits in a full one still waits.
#[test]
fn a_full_group_closes_and_the_next_opens() {
    let mut world = World::new();
    world.row(11, None, KEY, 300);
    world.group.as_mut().unwrap().rows = GROUP_ROWS_MAX - 1;
    let last = check(&world, give(&request()), Ok(held(GROUP.0, 2, 2_300))).unwrap();
    assert!(last.writes.iter().any(|w| matches!(w, Write::Group(g) if g.rows == GROUP_ROWS_MAX)));
    world.group.as_mut().unwrap().rows = GROUP_ROWS_MAX;
    let mut want = held(SERIAL + 1, 1, 2_000);
    want.groups.insert(0, (GROUP.0, Mode::Closed, 1, 300, 0));
    let next = check(&world, give(&request()), Ok(want)).unwrap();
    assert_eq!(next.serials, 2);
}

/// Decision H3: the partner's name without other characters, cut to six.
#[test]
fn print_content_defaults_to_the_partners_name() {
    for (sent, print) in [(None, "정산주식회사"), (Some("8월 급여"), "8월 급여")] {
        let sent = Request { print: sent.map(str::to_owned), ..request() };
        let done = Ok(held(GROUP.0, 1, 2_000));
        let change = check(&World::new(), give(&sent), done).unwrap();
        let Reply::Requested(told) = &change.reply else { panic!() };
        assert_eq!(told.print, print);
        let kept =
            |w: &Write| matches!(w, Write::NewPayout(p) if p.print_sent == sent.print.is_some());
        assert!(change.writes.iter().any(kept));
    }
}
