//! Commits whose answer is lost, or that never arrive: every order is carried out once, and its answer is the
//! one that stands (figure 15).

use super::proxy::{AFTER, BEFORE, Proxy};
use super::server::database;
use crate::conformance::*;
use crate::keys::Keys;
use crate::postgres::{self, Link};
use crate::seal::Sealer;
use ichae_domain::ident::PayoutNo;
use ichae_domain::money::Won;
use ichae_domain::time::Time;
use ichae_domain::view::Reply;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[test]
fn a_lost_answer_is_looked_up_and_what_never_arrived_is_done_again() {
    let database = database();
    let socket = format!("{}/.s.PGSQL.5432", super::server::folder());
    let proxy = Proxy::to(&socket);
    let name = database.address().rsplit('/').next().unwrap().to_owned();
    let address = format!("postgres://ichae@127.0.0.1:{}/{name}", proxy.port);
    let link = Arc::new(Link::new(&address, None, None).unwrap());
    let sealer = Arc::new(Sealer::new(Keys::random().unwrap()).unwrap());
    let settings = postgres::Settings {
        link,
        environment: "test",
        rules: RULES,
        clock: Arc::new(|| Time(START)),
        witness: None,
        node: "a".to_owned(),
        one_by_one: false,
        peers: vec![],
    };
    let opened = postgres::open(settings, &sealer).unwrap();
    let mut h = Harness {
        backend: Box::new(opened.backend),
        reader: Box::new(opened.reader),
        now: Arc::default(),
        file: None,
        database: None,
        sealer: Arc::clone(&sealer),
    };
    let partner = h.partner("shop", 1_000_000);
    let key = h.key(partner, "1234567890");
    let mut payouts = BTreeSet::new();
    for turn in 0..24 {
        let mode = if turn % 2 == 0 { AFTER } else { BEFORE };
        proxy.mode.store(mode, Ordering::SeqCst);
        let orders = (0..3).map(|at| request(partner, key, 100, &format!("{turn}-{at}")));
        for answer in h.many(orders.collect()) {
            let Ok(Reply::Requested(requested)) = answer else { panic!("{answer:?}") };
            assert!(payouts.insert(requested.payout), "one number for two");
        }
        assert_eq!(proxy.cuts.load(Ordering::SeqCst), turn + 1, "the wire was cut");
    }
    assert_eq!(h.balances(partner), (1_000_000 - 72 * 100, 72 * 100));
    for no in &payouts {
        assert_eq!(h.reader.row(*no).unwrap().unwrap().payout.amount, Won(100));
    }
    let report = postgres::check::check(&database.link().unwrap(), &sealer, |_, _| {}).unwrap();
    assert_eq!((report.findings, report.payouts), (vec![], 72));
    assert!(h.reader.sending(PayoutNo(0), 1).unwrap().is_empty());
}
