//! Files as banks send them: encodings, quotes, line ends, and lines that cannot be read.

use crate::{export, id, options, ours, plant, run};
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::payout::State::{Failed, Returned, Settled};
use ichae_domain::time::Day;
use ichae_reconcile::{Days, Kind, Map, Options, Ours, ReconcileError, Why, reconcile, survey};
use std::convert::Infallible;

const KOREAN: &str = r#"
encoding = "euc-kr"
delimiter = ","
[columns]
id = "거래고유번호"
date = "거래일자"
amount = "거래금액"
status = "처리결과"
balance = "거래후잔액"
kind = "구분"
[status]
paid = ["정상", "지급완료"]
refused = ["거절"]
returned = ["반환"]
[kind]
take = ["출금"]
"#;

fn korean() -> String {
    let (one, two, three) = (id(1), id(2), id(3));
    format!(
        "구분,거래일자,거래고유번호,받는분,거래금액,거래후잔액,처리결과\r\n\
         출금,2026-11-22,{one},홍길동,\"1,000\",\"9,000\",정상\r\n\
         입금,2026-11-22,,회사,\"50,000\",\"59,000\",정상\r\n\
         \r\n\
         출금,2026/11/22,{two},\"김, 뷁\",\"1,000\",\"58,000\",반환\r\n\
         출금,20261122,{three},이몽룡,1000,,거절\r\n"
    )
}

#[test]
fn a_korean_file_in_euc_kr() {
    let text = korean();
    let (bytes, _, lost) = encoding_rs::EUC_KR.encode(&text);
    assert!(!lost && std::str::from_utf8(&bytes).is_err());
    let rows = [ours(1, Settled), ours(2, Returned), ours(3, Failed)];
    let report = run(&bytes, &Map::parse(KOREAN).unwrap(), &options(), &rows).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.rows.read, report.rows.skipped, report.matched), (4, 1, 3));
    assert_eq!(report.closing_balance, Some(Won(58_000)));
    assert_eq!((report.theirs_paid.count, report.theirs_paid.won), (1, Some(Won(1_000))));
}

#[test]
fn the_same_file_in_utf_8_with_a_mark() {
    let map = Map::parse(&KOREAN.replace("euc-kr", "utf-8")).unwrap();
    let file = format!("\u{feff}{}", korean());
    let rows = [ours(1, Settled), ours(2, Returned), ours(3, Failed)];
    assert!(run(file.as_bytes(), &map, &options(), &rows).unwrap().is_clean());
    // A quoted first name behind the mark, no end at the last line, and lone line feeds.
    let file = file.replace("\u{feff}구분", "\u{feff}\"구분\"").replace('\r', "");
    let report = run(file.trim_end().as_bytes(), &map, &options(), &rows).unwrap();
    assert!(report.is_clean() && report.rows.read == 4, "{report}");
}

#[test]
fn a_wrong_encoding_is_said_at_the_header() {
    let error = run(korean().as_bytes(), &Map::parse(KOREAN).unwrap(), &options(), &[]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("\"거래고유번호\"") && error.contains("encoding"), "{error}");
}

#[test]
fn columns_by_number_without_a_header() {
    let map = Map::parse(
        "header = false\ndelimiter = \"\\t\"\n[columns]\nid = 3\ndate = 1\namount = 2\n",
    )
    .unwrap();
    let file = format!("20261122\t1000\t{}\n20261122\t1000\t{}\textra\n", id(1), id(2));
    let report =
        run(file.as_bytes(), &map, &options(), &[ours(1, Settled), ours(2, Settled)]).unwrap();
    // No status column: every line is paid. The second line has a column too many.
    assert_eq!((report.matched, report.rows.unreadable), (1, 1));
    assert_eq!(report.unreadable[0].why, Why::Columns);
}

/// A line in place of the second one of three, and why it cannot be read.
fn spoilt(line: &str) -> (Option<String>, Why, Option<String>, u32) {
    let file = format!(
        "bank_tran_id,bank_tran_date,tran_amt,status,code\n\
         {},20261122,1000,paid,000\n{line}\n{},20261122,1000,paid,000\n",
        id(1),
        id(3)
    );
    let rows = [ours(1, Settled), ours(2, Settled), ours(3, Settled)];
    let report = run(file.as_bytes(), &Map::default(), &options(), &rows).unwrap();
    let [one] = report.unreadable.as_slice() else { panic!("{line}: {report}") };
    assert_eq!(report.matched, 2, "{line}");
    // A row whose id could be read is said once: the line's finding names it.
    let named = one.id.map(|id| id.to_string());
    assert_eq!(one.payout, named.as_ref().map(|_| 2), "{line}");
    let missing: Vec<_> = report.findings.all().map(|f| f.kind).collect();
    assert_eq!(missing, if named.is_some() { vec![] } else { vec![Kind::Absent] }, "{line}");
    (one.column.clone(), one.why, named, one.line)
}

#[test]
fn a_line_that_cannot_be_read_is_a_finding_and_the_others_are_read() {
    let two = id(2);
    let long = "x".repeat(70_000);
    let many = ",".repeat(2_000);
    let table: &[(String, Option<&str>, Why, bool)] = &[
        (format!("{two},2026112,1000,paid,000"), Some("bank_tran_date"), Why::Date, true),
        (format!("{two},20261131,1000,paid,000"), Some("bank_tran_date"), Why::Date, true),
        (format!("{two},,1000,paid,000"), Some("bank_tran_date"), Why::Missing, true),
        (format!("{two},20261122,-1000,paid,000"), Some("tran_amt"), Why::Amount, true),
        (format!("{two},20261122,0,paid,000"), Some("tran_amt"), Why::Amount, true),
        (format!("{two},20261122,\"1,00\",paid,000"), Some("tran_amt"), Why::Amount, true),
        (format!("{two},20261122,1000,PAID?,000"), Some("status"), Why::Status, true),
        (format!("{two},20261122,1000,,000"), Some("status"), Why::Missing, true),
        (format!("{two},20261122,1000"), Some("status"), Why::Missing, true),
        ("12345678901234,20261122,1000,paid,0".to_owned(), Some("bank_tran_id"), Why::Id, false),
        (
            format!("{},20261122,1000,paid,0", two.to_lowercase()),
            Some("bank_tran_id"),
            Why::Id,
            false,
        ),
        (",20261122,1000,paid,0".to_owned(), Some("bank_tran_id"), Why::Missing, false),
        (format!("{two},20261122,\"1000,paid,000"), None, Why::Quote, false),
        // Thousands without quotes: the columns behind are not what they seem.
        (format!("{two},20261122,1,000,paid,000"), None, Why::Columns, false),
        (format!("{two},20261122,1000,paid,{long}"), None, Why::TooLong, false),
        (format!("{two},20261122,1000,paid,0{many}x"), None, Why::Columns, false),
    ];
    for (line, column, why, named) in table {
        let short: String = line.chars().take(60).collect();
        let found = spoilt(line);
        let expected = (column.map(str::to_owned), *why, named.then(|| two.clone()), 3);
        assert_eq!(found, expected, "{short}");
    }
}

#[test]
fn white_space_and_empty_columns_at_the_end_do_no_harm() {
    let file = format!(
        " bank_tran_id ,bank_tran_date,tran_amt,status,code\n\n \t\n\
         \" {} \", 2026.11.22 ,\"1,000\" ,paid,000,, ,\n",
        id(1)
    );
    let report = run(file.as_bytes(), &Map::default(), &options(), &[ours(1, Settled)]).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.rows.read, report.matched), (1, 1));
}

#[test]
fn too_many_unreadable_lines_mean_a_wrong_map() {
    let mut file = export(&[(1, 20_261_122, 1_000, "paid")]);
    for _ in 0..3 {
        file.extend_from_slice(b"secret-name,20261122,1000,paid,0\n");
    }
    let three = Options { unreadable_max: 3, ..options() };
    let report = run(&file, &Map::default(), &three, &[]).unwrap();
    assert_eq!((report.unreadable.len(), report.rows.unreadable), (3, 3));
    let two = Options { unreadable_max: 2, ..options() };
    let error = run(&file, &Map::default(), &two, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "more than 2 lines cannot be read, so the map probably does not fit: the first is line 3, \
         column \"bank_tran_id\", not a bank_tran_id: ten of A-Z and 0-9, U, nine of A-Z and 0-9"
    );
    // Not one line could be read and no day was declared: the map again, and no empty report.
    let bad = b"bank_tran_id,bank_tran_date,tran_amt,status,code\nx,20261122,1000,paid,0\n";
    let error = run(bad, &Map::default(), &Options::new(plant::HOUSE), &[]).unwrap_err();
    assert!(matches!(error, ReconcileError::Unreadable { line: 2, .. }), "{error}");
}

#[test]
fn headers_that_do_not_fit_and_files_that_are_no_csv() {
    let table: &[(&[u8], &str)] = &[
        (b"", "the file is empty"),
        (b"a,b,c\n", "no column \"bank_tran_id\""),
        (b"bank_tran_id,bank_tran_date,tran_amt,status,status\n", "\"status\" twice"),
        (b"bank_tran_id;bank_tran_date;tran_amt;status\n", "no column \"bank_tran_id\""),
        (b"bank_tran_id,\"bank_tran_date\n", "a quote is not closed"),
        (b"PK\x03\x04...", "a spreadsheet or an archive"),
        (b"\xff\xfeb\0a\0", "in UTF-16"),
    ];
    for (file, says) in table {
        let error = run(file, &Map::default(), &options(), &[]).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn no_text_of_a_line_comes_out() {
    let file = b"bank_tran_id,bank_tran_date,tran_amt,status,code\n\
        gildong,110123456789,kim@bank,lee,1\n110123456789,gildong,kim@bank,lee,1\n";
    let report = run(file, &Map::default(), &options(), &[]).unwrap();
    let said = format!("{report}{report:?}{}", serde_json::to_string(&report).unwrap());
    assert_eq!(report.unreadable.len(), 2);
    for word in ["gildong", "110123456789", "kim@bank", "lee"] {
        assert!(!said.contains(word), "{word}");
    }
}

#[test]
fn what_the_caller_fails_to_give_ends_the_run() {
    struct Torn;
    impl std::io::Read for Torn {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("torn"))
        }
    }
    let none = std::iter::empty::<Result<Ours, Infallible>>();
    let error = reconcile(Torn, &Map::default(), &options(), none, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ReconcileError::Read(_)));
    let rows = [Ok(ours(1, Settled)), Err("the store is locked")].into_iter();
    let file = export(&[]);
    let error = reconcile(file.as_slice(), &Map::default(), &options(), rows, &mut |_| {});
    assert_eq!(
        error.unwrap_err().to_string(),
        "the hub's own rows cannot be read: the store is locked"
    );
}

#[test]
fn a_survey_says_which_rows_are_needed() {
    let file = export(&[
        (9, 20_261_123, 1_000, "returned"),
        (1, 20_261_122, 1_000, "paid"),
        (4, 20_261_124, 1_000, "returned"),
        (9, 20_261_123, 1_000, "returned"),
    ]);
    let found = survey(file.as_slice(), &Map::default(), plant::HOUSE, &mut |_| {}).unwrap();
    let days = Days { first: Day(20_261_122), last: Day(20_261_124) };
    assert_eq!((found.days, found.returned), (Some(days), vec![BankNo(4), BankNo(9)]));
    let none = survey(export(&[]).as_slice(), &Map::default(), plant::HOUSE, &mut |_| {}).unwrap();
    assert_eq!((none.days, none.returned), (None, vec![]));
}
