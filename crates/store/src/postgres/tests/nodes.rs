//! Nodes on one store: numbers, shares, and what one that is gone leaves behind.

use super::server::{Server, database};
use crate::conformance::*;
use crate::keys::Keys;
use crate::port::Reader;
use crate::postgres::scratch::ScratchDatabase;
use crate::postgres::{self, Opened};
use crate::seal::Sealer;
use ichae_domain::billing::{Method, TradeAnswer};
use ichae_domain::command::*;
use ichae_domain::ident::PayoutNo;
use ichae_domain::refusal::Detail;
use ichae_domain::time::Time;
use ichae_domain::view::Reply;
use std::collections::BTreeSet;
use std::sync::Arc;

fn node(database: &ScratchDatabase, sealer: &Arc<Sealer>, name: &str) -> Opened {
    node_at(database.address(), sealer, name)
}

pub(super) fn node_at(address: &str, sealer: &Arc<Sealer>, name: &str) -> Opened {
    let settings = postgres::Settings {
        link: Arc::new(postgres::Link::new(address, None, None).unwrap()),
        environment: "test",
        rules: RULES,
        clock: Arc::new(|| Time(START)),
        witness: None,
        node: name.to_owned(),
        one_by_one: false,
        peers: vec![],
    };
    postgres::open(settings, sealer).unwrap()
}

pub(super) fn harness(opened: Opened, sealer: &Arc<Sealer>) -> Harness {
    Harness {
        backend: Box::new(opened.backend),
        reader: Box::new(opened.reader),
        now: Arc::default(),
        file: None,
        database: None,
        sealer: Arc::clone(sealer),
    }
}

#[test]
fn two_give_no_number_twice_and_see_each_others_rows_at_once() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    let mut a = harness(node(&database, &sealer, "a"), &sealer);
    let mut b = harness(node(&database, &sealer, "b"), &sealer);
    let partner = a.partner("shop", 100_000);
    let key = b.key(partner, "1234567890");
    let mut seen = BTreeSet::new();
    for turn in 0..40 {
        let one = if turn % 2 == 0 { &mut a } else { &mut b };
        let made = one.request(partner, key, 1_000, &format!("d{turn}")).unwrap();
        assert!(seen.insert(made.payout));
        let other = if turn % 2 == 0 { &mut b } else { &mut a };
        assert_eq!(other.balances(partner).1, (turn + 1) * 1_000);
        let again = other.request(partner, key, 1_000, &format!("d{turn}")).unwrap_err();
        let Detail::First(first, _) = &again.detail else { panic!("{again:?}") };
        assert_eq!((first.payout, first.group), (made.payout, made.group));
    }
    let report = postgres::check::check(&database.link().unwrap(), &sealer, |_, _| {}).unwrap();
    assert_eq!((report.findings, report.payouts), (vec![], 40));
}

#[test]
fn a_claim_is_given_to_one_of_two() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    let mut a = harness(node(&database, &sealer, "a"), &sealer);
    let mut b = harness(node(&database, &sealer, "b"), &sealer);
    let partner = a.partner("shop", 100_000);
    let key = a.key(partner, "1234567890");
    let group = a.request(partner, key, 1_000, "one").unwrap().group;
    a.execute(partner, group, Action::Now).unwrap();
    let work = a.reader.unclaimed(group, PayoutNo(0), 10).unwrap();
    let claim = || Command::Claim { payout: work[0].payout, partner, group, key: work[0].key };
    let told = std::thread::scope(|scope| {
        let one = scope.spawn(|| a.give(claim()));
        let other = scope.spawn(|| b.give(claim()));
        [one.join().unwrap(), other.join().unwrap()]
    });
    let sent = told.iter().filter(|answer| matches!(answer, Ok(Reply::Send(_)))).count();
    assert_eq!(sent, 1, "{told:?}");
}

/// What a node had claimed is its own while it is there, and everybody's to ask about once it is not.
#[test]
fn intents_of_one_that_ended_are_found() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    let mut a = harness(node(&database, &sealer, "a"), &sealer);
    let b = harness(node(&database, &sealer, "b"), &sealer);
    let partner = a.partner("shop", 100_000);
    let key = a.key(partner, "1234567890");
    let group = a.request(partner, key, 1_000, "one").unwrap().group;
    a.execute(partner, group, Action::Now).unwrap();
    assert_eq!(a.claim_all(partner).len(), 1);
    assert_eq!(a.reader.sending(PayoutNo(0), 10).unwrap().len(), 1, "its own");
    assert!(b.reader.sending(PayoutNo(0), 10).unwrap().is_empty(), "another's that is there");
    assert!(b.reader.abandoned(PayoutNo(0), 10).unwrap().is_empty());
    drop(a);
    assert_eq!(b.reader.abandoned(PayoutNo(0), 10).unwrap().len(), 1);
    assert_eq!(b.reader.sending(PayoutNo(0), 10).unwrap().len(), 1);
}

#[test]
fn two_starts_at_once_make_one_store() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    let ids = std::thread::scope(|scope| {
        let start = |name: &'static str| {
            let (database, sealer) = (&database, &sealer);
            scope.spawn(move || node(database, sealer, name).reader.store_id().unwrap())
        };
        [start("a"), start("b"), start("c")].map(|thread| thread.join().unwrap())
    });
    assert!(ids[0] == ids[1] && ids[1] == ids[2]);
}

#[test]
fn another_environments_store_and_other_keys_are_refused() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    drop(node(&database, &sealer, "a"));
    let open = |environment, sealer: &Arc<Sealer>| {
        let settings = postgres::Settings {
            link: database.link().unwrap(),
            environment,
            rules: RULES,
            clock: Arc::new(|| Time(START)),
            witness: None,
            node: "b".to_owned(),
            one_by_one: false,
            peers: vec![],
        };
        postgres::open(settings, sealer).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(open("live", &sealer).contains("was made for test, not for live"));
    let others = Arc::new(Sealer::new(Keys::random().unwrap()).unwrap());
    assert!(open("test", &others).contains("does not belong to this store"));
    assert_eq!(open("test", &sealer), "");
}

/// Blocks make a later payment's number the lower one. The order number is charged once all the same.
#[test]
fn an_order_is_charged_once_whatever_the_numbers_say() {
    let (database, sealer) = (database(), Arc::new(Sealer::new(Keys::random().unwrap()).unwrap()));
    let mut a = harness(node(&database, &sealer, "a"), &sealer);
    let mut b = harness(node(&database, &sealer, "b"), &sealer);
    let partner = a.partner("shop", 0);
    let payer = a.payer(partner, Method::Card);
    let order = || billing::charge(partner, payer, Method::Card, 5_000, "order-1", None);
    let (first, trade) = b.charge(order());
    let refused = TradeAnswer::NotSent;
    b.give(billing::traded(&trade, false, refused)).unwrap();
    let (second, trade) = a.charge(order());
    assert!(second < first, "numbers run backwards: {second:?} after {first:?}");
    a.give(billing::traded(&trade, false, billing::approved())).unwrap();
    for node in [&mut a, &mut b] {
        assert!(node.give(order()).is_err(), "charged twice");
        let told = node.reader.charge_by_oid(partner, "order-1", None).unwrap().unwrap();
        assert_eq!(told.charge.no, second, "the one that counts is told");
    }
}

/// What it says to have committed may be gone after a power cut: it is not served.
#[test]
fn a_server_that_does_not_wait_for_its_disk_is_refused() {
    let server = Server::start("careless", &["fsync=off"]);
    let link = Arc::new(postgres::Link::new(&server.address, None, None).unwrap());
    let told = postgres::latest(&link).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("fsync off"), "{told}");
}
