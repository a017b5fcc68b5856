//! A store of the embedded kind, moved.

use super::server::database;
use crate::conformance::*;
use crate::postgres::copy::copy;
use crate::sent::SentBook;
use ichae_domain::command::*;
use ichae_domain::ident::PayoutNo;
use std::sync::Arc;

/// A store in which something is in every state.
fn lived_in(h: &mut Harness) {
    let partner = h.partner("shop", 50_000);
    let key = h.key(partner, "1234567890");
    for at in 0..12 {
        h.request(partner, key, 1_000, &format!("d{at}")).unwrap();
        h.later(5);
    }
    let group = h.reader.ledger(partner).unwrap().unwrap().open_group.unwrap();
    h.execute(partner, group, Action::Now).unwrap();
    let sent = h.claim_all(partner);
    for (at, deposit) in sent.iter().enumerate().skip(1) {
        let answer = match at % 3 {
            0 => settled(h.time()),
            1 => refused(421, h.time()),
            _ => LOST,
        };
        h.told(deposit, Asked::Deposit, answer).unwrap();
    }
    h.request(partner, key, 700, "later").unwrap();
}

#[test]
fn it_tells_the_same_in_its_new_place() {
    let mut before = on_sqlite();
    lived_in(&mut before);
    let dump = before.dump(200);
    let day = before.time().day();
    let in_file = SentBook::open(before.file.as_ref().unwrap()).unwrap();
    let sent: Vec<_> = in_file.on(day, day).unwrap().map(Result::unwrap).collect();
    let (database, sealer) = (database(), Arc::clone(&before.sealer));
    let file = before.file.clone().unwrap();
    let link = database.link().unwrap();
    let report = copy(&file, &link, &sealer, |_, _| {}).unwrap();
    assert_eq!((report.payouts, report.partners), (13, 1));

    let mut after = on_postgres_at(database, sealer, RULES);
    assert_eq!(after.dump(200), dump);
    let book = SentBook::on_postgres(link.clone());
    assert_eq!(book.on(day, day).unwrap().map(Result::unwrap).collect::<Vec<_>>(), sent);
    assert_eq!(book.of(sent[3].bank_no.unwrap()).unwrap(), Some(sent[3]));
    // What was being sent when it stopped is asked about; numbers go on where they were.
    let sending = after.reader.sending(PayoutNo(0), 10).unwrap();
    assert_eq!(sending.len(), 1);
    assert_eq!(after.reader.abandoned(PayoutNo(0), 10).unwrap(), sending);
    let partner = after.reader.partners().unwrap()[0].no;
    let key = after.key(partner, "1234567890");
    let last = after.request(partner, key, 1_000, "again").unwrap();
    assert!(after.reader.row(last.payout).unwrap().is_some());
    let again = after.request(partner, key, 1_000, "d3").unwrap_err();
    assert_eq!(again.code, ichae_domain::code::Code::R0132, "used before it moved");

    // A second copy, and serving what was left behind, are refused.
    let refused = copy(&file, &link, &before.sealer, |_, _| {}).err().unwrap().to_string();
    assert!(refused.contains("already"), "{refused}");
    let old = crate::sqlite::Settings {
        file,
        environment: "test",
        rules: RULES,
        clock: Arc::new(|| ichae_domain::time::Time(START)),
        witness: None,
        keys_in_memory: 8,
    };
    let refused = crate::sqlite::open(old, &before.sealer).err().unwrap().to_string();
    assert!(refused.contains("moved to PostgreSQL"), "{refused}");
}
