//! The control API and the journal's life.

use crate::site::{PLAIN, Site, TODAY, codes, id, script};
use ichae_journal::JournalError;
use ichae_kftc::{KftcError, Settings, Simulator, Summary, read_journal};

#[tokio::test]
async fn a_plan_is_changed_and_calmed_while_it_runs() {
    let site = Site::start("").await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0000", "000"));
    let plan = "refused_codes = [412]\n[per_mille]\nrefused = 1000\n";
    assert_eq!(site.control("PUT", "plan", plan).await.0, 204);
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("A0009", "412"));
    let (status, text) = site.control("PUT", "plan", "[per_mille]\nrefussed = 1\n").await;
    assert_eq!(status, 400);
    assert!(text.contains("refussed") && text.contains("late-return"), "{text}");
    assert_eq!(codes(&site.deposit(3, PLAIN).await), ("A0009", "412"), "the old one stays");
    assert_eq!(site.control("POST", "calm", "").await.0, 204);
    assert_eq!(codes(&site.deposit(4, PLAIN).await), ("A0000", "000"));
    assert_eq!(site.control("PUT", "plan", plan).await.0, 204);
    assert_eq!(codes(&site.deposit(5, PLAIN).await), ("A0009", "412"), "a plan ends the calm");
}

#[tokio::test]
async fn calm_ends_a_maintenance() {
    let site = Site::start(&script(&["maintenance"])).await;
    assert_eq!(codes(&site.deposit(1, PLAIN).await), ("A0020", "114"));
    site.control("POST", "calm", "").await;
    assert_eq!(codes(&site.deposit(2, PLAIN).await), ("A0000", "000"));
}

#[tokio::test]
async fn a_statement_has_what_became_of_every_deposit_of_its_day() {
    let plan = script(&["none", "drop-before", "processing", "wrong-date", "late-return"]);
    let site = Site::start(&plan).await;
    site.deposit(1, PLAIN).await;
    assert_eq!(site.raw_deposit(2, PLAIN).await.unwrap(), "");
    for (n, account) in [(3, PLAIN), (4, PLAIN), (5, PLAIN), (6, "9900000415"), (1, PLAIN)] {
        site.deposit(n, account).await;
    }
    let read = |date: &'static str| {
        let site = &site;
        async move { site.control("GET", &format!("statement?date={date}"), "").await }
    };
    let lines = |rows: &[(u32, &str, &str)], date: &str| {
        let line = |(n, status, code): &(u32, &str, &str)| {
            format!("{},{date},1000,{status},{code}\n", id(*n))
        };
        let head = "bank_tran_id,bank_tran_date,tran_amt,status,code\n".to_owned();
        head + &rows.iter().map(line).collect::<String>()
    };
    let now = [(1, "paid", "000"), (5, "paid", "000"), (6, "refused", "415"), (1, "paid", "000")];
    assert_eq!(read(TODAY).await, (200, lines(&now, TODAY)));
    site.pass(5_000);
    let later = [
        (1, "paid", "000"),
        (3, "paid", "000"),
        (5, "returned", "000"),
        (6, "refused", "415"),
        (1, "paid", "000"),
    ];
    assert_eq!(read(TODAY).await, (200, lines(&later, TODAY)));
    assert_eq!(read("20261125").await, (200, lines(&[(4, "paid", "000")], "20261125")));
    assert_eq!(read("20261126").await, (200, lines(&[], "20261126")));
    for wrong in ["20261324", "today", ""] {
        assert_eq!(read(wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(site.control("GET", "statement", "").await.0, 400);
    assert_eq!(site.control("GET", "balance", "").await.0, 404);
}

#[tokio::test]
async fn a_long_statement_comes_whole() {
    let site = Site::start("").await;
    let calls = (1..=1_500).map(|n| site.deposit(n, PLAIN));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(codes(&answer), ("A0000", "000"));
    }
    let (_, csv) = site.control("GET", &format!("statement?date={TODAY}"), "").await;
    let mut ids: Vec<&str> = csv.lines().skip(1).map(|line| &line[..20]).collect();
    ids.sort_unstable();
    assert!(csv.len() > 3 * 16_384, "more than one piece");
    assert_eq!(ids, (1..=1_500).map(id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_journal_survives_a_restart_and_is_read_from_outside() {
    let mut site = Site::start(&script(&["none", "refused", "late-return"])).await;
    for n in [1, 2, 3, 1] {
        site.deposit(n, PLAIN).await;
    }
    let before = site.summary().await;
    let expected =
        Summary { calls: 4, payments: 3, ids_paid: 2, most_paid: 2, paid_sum: 3_000, returned: 0 };
    assert_eq!(before, expected);
    site.close().await;
    assert_eq!(read_journal(&site.journal()).unwrap(), before);
    // The return falls due while the bank is closed.
    site.pass(60_000);
    site.open("", |settings| settings).await;
    assert_eq!(site.summary().await, Summary { returned: 1, ..before });
    assert_eq!(codes(&site.inquire(&[(1, TODAY, 1_000)]).await), ("A0000", "000"));
    site.deposit(4, PLAIN).await;
    assert_eq!(site.summary().await.payments, 4);
}

#[tokio::test]
async fn nothing_of_an_account_or_a_person_is_in_the_journal() {
    let mut site = Site::start(&script(&["delay"])).await;
    site.deposit(1, "9876543210123").await;
    site.close().await;
    let bytes = std::fs::read(site.journal()).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has(&id(1)), "the row is in the file");
    for secret in ["9876543210123", "홍길동", "1101234567890", PLAIN] {
        assert!(!has(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_left_alone() {
    let mut site = Site::start("").await;
    site.close().await;
    let other = site.journal().with_file_name("other.db");
    let db = rusqlite::Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE t (a)").unwrap();
    let settings = Settings::sandbox(([127, 0, 0, 1], 0).into(), &other);
    let error = Simulator::start(settings).await.err().unwrap();
    assert!(matches!(error, KftcError::File(JournalError::Foreign)), "{error}");
    assert!(matches!(read_journal(&other), Err(KftcError::File(JournalError::Foreign))));
    assert!(read_journal(&site.journal().with_file_name("none.db")).is_err());
    let db = rusqlite::Connection::open(site.journal()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    let error = read_journal(&site.journal()).unwrap_err();
    assert!(
        matches!(error, KftcError::File(JournalError::Newer { found: 99, known: 1 })),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let site = Site::start("").await;
    let settings = Settings::sandbox(site.address(), site.journal().with_file_name("b.db"));
    let error = Simulator::start(settings).await.err().unwrap().to_string();
    assert!(error.contains(&site.address().to_string()), "{error}");
}
