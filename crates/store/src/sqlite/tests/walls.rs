//! The walls behind decide: constraints, rollbacks, and what must not be readable at rest.

use super::*;
use ichae_domain::code::Code;
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::money::Won;
use ichae_domain::partner::Verifier;
use ichae_domain::view::Reply;

/// Figure 4: the constraint is there.
#[test]
fn the_file_refuses_what_must_not_be() {
    let (site, _) = told();
    let db = site.sql();
    for (table, column, value) in [
        ("ledgers", "available", -1),
        ("ledgers", "held", -1),
        ("ledgers", "suspense", 1),
        ("ledgers", "funded", -1),
        ("groups", "waiting", -1),
        ("groups", "waiting_sum", -1),
        ("groups", "unclaimed", -1),
        ("payouts", "amount", -1),
        ("payouts", "amount", 0),
        ("postings", "amount", 0),
        ("store", "one", 2),
    ] {
        let error = db.execute(&format!("UPDATE {table} SET {column} = {value}"), []).unwrap_err();
        let code = error.sqlite_error_code();
        assert_eq!(code, Some(rusqlite::ErrorCode::ConstraintViolation), "{table}.{column}");
        assert!(error.to_string().contains("CHECK"), "{error}");
    }
    assert_eq!(site.findings(), [""; 0]);
}

/// Figure 4: and it is never the thing that refuses first. Each of these would push a balance or a
/// counter below zero; each is answered by decide, and T0999 is what a constraint would give.
#[test]
fn decide_refuses_before_the_file_has_to() {
    let site = Site::new();
    let mut h = site.open();
    let p = h.partner("a", 1_000);
    let key = h.key(p, "1");
    let give_back = |amount| {
        let reference = format!("back {amount}");
        Command::Fund { partner: p, entry: Funding::Back, amount: Won(amount), reference }
    };
    let code = |answer: crate::port::Answer| answer.unwrap_err().code;
    assert_eq!(h.request(p, key, 1_001, "1").unwrap_err().code, Code::R0140);
    assert_eq!(code(h.give(give_back(1_001))), Code::P0111);
    let row = h.request(p, key, 600, "1").unwrap();
    assert_eq!(h.request(p, key, 401, "2").unwrap_err().code, Code::R0140);
    assert_eq!(code(h.give(give_back(401))), Code::P0111);
    // All at once: of two that fit apart, one batch takes one.
    let both = h.many(vec![request(p, key, 300, "3"), request(p, key, 300, "4")]);
    assert!(both[0].is_ok());
    assert_eq!(code(both[1].clone()), Code::R0140);
    let twice = vec![execute(p, row.group, Target::All, Action::Cancel); 2];
    let twice = h.many(twice);
    assert!(twice[0].is_ok());
    assert_eq!(code(twice[1].clone()), Code::E0130);
    let row = h.request(p, key, 1_000, "5").unwrap();
    h.execute(p, row.group, Action::Now).unwrap();
    let sent = h.claim_all(p);
    let claim = Command::Claim { payout: row.payout, partner: p, group: row.group, key };
    assert_eq!(h.give(claim), Ok(Reply::Stale));
    let at = h.time();
    h.told(&sent[0], Asked::Deposit, settled(at)).unwrap();
    assert_eq!(h.told(&sent[0], Asked::Deposit, settled(at)), Ok(Reply::Stale));
    assert_eq!(h.told(&sent[0], Asked::Inquiry, refused(499, at)), Ok(Reply::Stale));
    assert_eq!(h.balances(p), (0, 0));
    assert_eq!(code(h.give(give_back(1))), Code::P0111);
    drop(h);
    assert_eq!(site.findings(), [""; 0]);
}

/// Only the order that cannot be written is told so; the rest of its batch is carried out, and
/// what is kept in memory is what the file has.
#[test]
fn a_batch_that_cannot_be_written_is_carried_out_one_by_one() {
    let site = Site::new();
    let mut h = site.open();
    let p = h.partner("a", 10_000);
    let key = h.key(p, "1");
    // Stands in for a row that the file does not take.
    let sql = "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.amount = 666 \
               BEGIN SELECT raise(ABORT, 'no room'); END";
    site.sql().execute(sql, []).unwrap();
    let amounts = [100, 666, 200];
    let distinct = |amount: &i64| request(p, key, *amount, &format!("d{amount}"));
    let answers = h.many(amounts.iter().map(distinct).collect());
    let codes: Vec<_> = answers.iter().map(|a| a.as_ref().err().map(|r| r.code)).collect();
    assert_eq!(codes, [None, Some(Code::T0999), None]);
    let told = |reply: &Reply| match reply {
        Reply::Requested(requested) => (requested.payout.0, requested.remain.0),
        other => panic!("{other:?}"),
    };
    let numbers: Vec<_> = answers.iter().flatten().map(told).collect();
    assert_eq!((numbers[0].1, numbers[1].1), (9_900, 9_700));
    assert_eq!(h.balances(p), (9_700, 300));
    site.sql().execute("DROP TRIGGER full", []).unwrap();
    // The refused one used nothing up: neither its distinct_key nor a serial.
    let third = h.request(p, key, 666, "d666").unwrap();
    assert_eq!((numbers[1].0, third.payout.0), (numbers[0].0 + 2, numbers[1].0 + 1));
    assert_eq!(third.remain, Won(9_034));
    drop(h);
    assert_eq!(site.findings(), [""; 0]);
}

const NUMBER: &str = "7391462850174";
const HOLDER: &str = "독고심해";
const BIRTH: &str = "910317";
const SECRET: &str = "whsec_bm90IGluIHRoZSBmaWxl";
const ROTATED: &str = "whsec_bm9yIHRoaXMgb25lIGVpdGhlcg";
const SEEN: &str = "planted-and-readable";

/// Figure 20: nothing that must be sealed stands in the file or its log as text.
#[test]
fn what_must_be_sealed_is_nowhere_in_the_files() {
    let site = Site::new();
    let mut h = site.open();
    let new = NewPartner {
        cst_id: "a".into(),
        name: "정산 주식회사".into(),
        verifier: Verifier([7; 32]),
        webhook_secret: SECRET.into(),
        webhook_url: None,
        sources: vec![],
        transfer_cap: None,
    };
    let Ok(Reply::Partner(partner)) = h.give(Command::AddPartner(Box::new(new))) else { panic!() };
    h.give(Command::RotateWebhookSecret { partner, secret: ROTATED.into() }).unwrap();
    h.give(fund(partner, 1_000, "r")).unwrap();
    let account = Account {
        number: NUMBER.into(),
        holder: HOLDER.into(),
        info_kind: InfoKind::BirthDate,
        info: BIRTH.into(),
    };
    let sub_id = Some("s".to_owned());
    let fingerprints = h.sealer.fingerprints(partner, sub_id.as_deref(), "020", &account);
    let bank = "020".to_owned();
    let new = NewKey { partner, sub_id, bank, account, fingerprints };
    let Ok(Reply::Key(key, true)) = h.give(Command::RegisterKey(Box::new(new))) else { panic!() };
    let row = h.request(partner, key, 100, SEEN).unwrap();
    h.execute(partner, row.group, Action::Now).unwrap();
    let sent = h.claim_all(partner);
    let at = h.time();
    h.told(&sent[0], Asked::Deposit, refused(412, at)).unwrap();
    assert!(scan(&site.dir.join("hub.db-wal"), SEEN), "the scan finds what is readable");
    sealed_in(&site);
    site.sql().query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(())).unwrap();
    assert!(scan(&site.file(), SEEN));
    sealed_in(&site);
    drop(h);
    sealed_in(&site);
}

#[track_caller]
fn sealed_in(site: &Site) {
    for file in std::fs::read_dir(&site.dir).unwrap().map(|entry| entry.unwrap().path()) {
        for secret in [NUMBER, HOLDER, BIRTH, SECRET, ROTATED].iter().filter(|_| file.is_file()) {
            assert!(!scan(&file, secret), "{secret} in {}", file.display());
        }
    }
}

fn scan(file: &Path, text: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// What the engine asks for twice a second, or at every turn, must not grow with the store: no plan
/// reads a whole table.
#[test]
fn nothing_that_the_engine_asks_for_reads_a_whole_table() {
    let (site, _) = told();
    let db = crate::sqlite::read::connect(&site.file()).unwrap();
    let story = crate::sqlite::statements::story_sql("no");
    let billing = crate::sqlite::billing::engine_statements();
    let all = crate::sqlite::statements::ENGINE.into_iter().chain([story.as_str()]);
    let all = all.chain(billing.iter().map(String::as_str));
    for sql in all {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = vec![1_i64; statement.parameter_count()];
        let steps: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(values), |r| r.get(3))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(!steps.is_empty());
        for step in steps {
            let whole = step.starts_with("SCAN") && !step.contains("INDEX");
            let own = ["SCAN at", "SCAN due", "SCAN CONSTANT", "SCAN (subquery"];
            assert!(!whole || own.iter().any(|own| step.starts_with(own)), "{sql}: {step}");
        }
    }
}
