//! A report as text and as JSON, and in what order.

use crate::{export, id, options, ours, run};
use ichae_domain::payout::State::{Returned, Settled, Unknown};
use ichae_reconcile::{Class, Map, Options, Report};

const DAY: i32 = 20_261_122;

fn sample(options: &Options) -> Report {
    let mut file = export(&[
        (1, DAY, 1_000, "paid"),
        (2, DAY, 2_000, "paid"),
        (3, DAY, 1_000, "paid"),
        (9, DAY, 1_000, "paid"),
    ]);
    file.extend_from_slice(format!("{},{DAY},1 000,paid,0\n", id(7)).as_bytes());
    let rows = [
        ours(1, Settled),
        ours(2, Settled),
        ours(3, Unknown),
        ours(4, Settled),
        ours(5, Unknown),
        ours(6, Returned),
        ours(7, Settled),
    ];
    run(&file, &Map::default(), options, &rows).unwrap()
}

#[test]
fn the_text_has_counts_first() {
    let options = Options { digest: Some("sha256:00".to_owned()), ..options() };
    let expected = "\
days 20261122 to 20261122
file sha256:00
lines 5: 0 skipped by kind, 0 of other days, 1 unreadable
own rows 7, of which 3 are in the file
settled here 4, 4000 won
paid there 4, 5000 won
not in the file and no finding: 1 not known here either, 1 returned here
        1  missing_there: Settled here, and not in the file.
        1  missing_here: In the file as paid, and not known or never sent here.
        1  amount: The amounts differ.
        0  doubled: One id is paid twice or more in the file.
        0  shifted: The bank booked it on another day.
        1  status: The bank says another outcome.
        1  unreadable: A line could not be read.

missing_there: Look into the statements of the days before and after; then ask the bank with \
the id.
  M202112389U000000004, payout 4: settled here, no line there; ours 1000 won 20261122 \
settled; ask the bank

missing_here: Pause the rail if it was never sent; look for a double under another number; \
then ask the bank.
  M202112389U000000009, line 5: paid under a number that is not among the hub's rows; theirs \
1000 won 20261122 paid; look for a double under another number

amount: Ask the bank which amount moved; correct nothing before it has answered.
  M202112389U000000002, payout 2, line 3: the amounts differ; ours 1000 won 20261122 settled; \
theirs 2000 won 20261122 paid; ask the bank

status: Follow the proposal of the finding: resolve, return, correct or ask.
  M202112389U000000003, payout 3, line 4: paid there, not known here: would settle; ours 1000 \
won 20261122 unknown; theirs 1000 won 20261122 paid; resolve as settled by line 4 of 20261122

unreadable: Mend the map or the file and run again.
  unreadable line 6, M202112389U000000007, payout 7, column \"tran_amt\": not whole won: 1 to \
12 digits, above zero, commas only between thousands
";
    assert_eq!(sample(&options).to_string(), expected);
}

#[test]
fn the_json_has_everything_by_name() {
    let json = serde_json::to_value(sample(&options())).unwrap();
    let get = |path: &str| json.pointer(path).cloned().unwrap_or_default();
    for (path, expected) in [
        ("/first_day", "\"20261122\""),
        ("/digest", "null"),
        ("/rows_read", "5"),
        ("/rows_unreadable", "1"),
        ("/ours", "7"),
        ("/matched", "3"),
        ("/ours_settled/won", "4000"),
        ("/theirs_paid/count", "4"),
        ("/closing_balance", "null"),
        ("/open_not_in_file", "1"),
        ("/returns_not_in_file", "1"),
        ("/classes/2/class", "\"amount\""),
        ("/classes/2/ko", "\"금액 불일치\""),
        ("/classes/2/count", "1"),
        ("/classes/2/findings/0/bank_tran_id", "\"M202112389U000000002\""),
        ("/classes/2/findings/0/payout", "2"),
        ("/classes/2/findings/0/lines/0", "3"),
        ("/classes/2/findings/0/ours/state", "\"settled\""),
        ("/classes/2/findings/0/theirs/amount", "2000"),
        ("/classes/2/findings/0/proposal/step", "\"ask_bank\""),
        ("/classes/5/findings/0/kind", "\"would_settle\""),
        ("/classes/5/findings/0/proposal/step", "\"resolve\""),
        ("/classes/5/findings/0/proposal/outcome", "\"settled\""),
        ("/classes/5/findings/0/proposal/line", "4"),
        ("/unreadable/0/why", "\"amount\""),
        ("/unreadable/0/column", "\"tran_amt\""),
        ("/unreadable/0/payout", "7"),
    ] {
        assert_eq!(get(path).to_string(), expected, "{path}");
    }
}

#[test]
fn more_than_is_kept_is_counted_and_the_first_lines_win() {
    let lines: Vec<_> = (1..=5_000).rev().map(|payout| (payout, DAY, 1_000, "paid")).collect();
    let keep = Options { keep: 3, ..options() };
    let report = run(&export(&lines), &Map::default(), &keep, &[]).unwrap();
    assert_eq!(report.findings.count(Class::MissingHere), 5_000);
    let kept: Vec<_> = report.findings.of(Class::MissingHere).iter().map(|f| f.lines[0]).collect();
    assert_eq!(kept, [2, 3, 4]);
    let text = report.text(2).to_string();
    assert!(text.contains("line 3:") && !text.contains("line 4:"), "{text}");
    assert!(text.contains("and 4998 more"), "{text}");
}
