//! Worlds by chance: what was planted is found, nothing else; and no bytes make it panic.

use crate::{export, ours, plant, run};
use ichae_domain::payout::State;
use ichae_reconcile::{Map, Options};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn what_was_planted_is_found_and_nothing_else(
        rows in 0_usize..300,
        each in 0_usize..12,
        seed in any::<u64>(),
    ) {
        let world = plant::world(rows, each, seed);
        let options = Options { days: Some(plant::DAYS), ..Options::new(plant::HOUSE) };
        let report = run(&world.statement, &Map::default(), &options, &world.ours).unwrap();
        prop_assert_eq!(plant::found(&report), world.planted);
        prop_assert_eq!(report.findings.total(), 6 * each as u64);
        prop_assert!(report.unreadable.is_empty());
    }

    #[test]
    fn the_order_of_own_rows_does_not_matter(rows in 0_usize..100, seed in any::<u64>()) {
        let mut world = plant::world(rows, 3, seed);
        let options = Options { days: Some(plant::DAYS), ..Options::new(plant::HOUSE) };
        let one = run(&world.statement, &Map::default(), &options, &world.ours).unwrap();
        world.ours.reverse();
        let other = run(&world.statement, &Map::default(), &options, &world.ours).unwrap();
        prop_assert_eq!(one, other);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        map in prop::sample::select(MAPS),
    ) {
        let map = Map::parse(map).unwrap();
        let mut file = b"bank_tran_id,bank_tran_date,tran_amt,status\n".to_vec();
        file.extend_from_slice(&bytes);
        let rows: Vec<_> = State::ALL.iter().zip(1..).map(|(s, no)| ours(no, *s)).collect();
        for file in [bytes, file] {
            if let Ok(report) = run(&file, &map, &Options::new(plant::HOUSE), &rows) {
                prop_assert!(!report.to_string().is_empty());
            }
        }
    }

    #[test]
    fn every_line_is_counted_once(
        lines in prop::collection::vec((1_i64..9, -1_i32..2, -1_i64..2, 0_usize..4), 0..40),
    ) {
        let words = ["paid", "refused", "returned", "?"];
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(no, day, amount, word)| (no, 20_261_122 + day, amount, words[word]))
            .collect();
        let rows: Vec<_> = State::ALL.iter().zip(1..).map(|(s, no)| ours(no, *s)).collect();
        let report = run(&export(&lines), &Map::default(), &crate::options(), &rows).unwrap();
        let bad = lines.iter().filter(|(_, _, amount, word)| *amount < 1 || *word == "?").count();
        prop_assert_eq!(report.rows.read, lines.len() as u64);
        prop_assert_eq!(report.rows.unreadable, bad as u64);
        let paid = |(_, day, amount, word): &&(i64, i32, i64, &str)| {
            *day == 20_261_122 && *amount > 0 && *word == "paid"
        };
        prop_assert_eq!(report.theirs_paid.count, lines.iter().filter(paid).count() as u64);
    }
}

const MAPS: &[&str] = &[
    ichae_reconcile::SAMPLE,
    "header = false\n[columns]\nid = 1\ndate = 2\namount = 3\n",
    "encoding = \"euc-kr\"\nheader = false\ndelimiter = \"|\"\n[columns]\nid = 1\ndate = 2\n\
     amount = 3\nbalance = 4\nkind = 5\n[kind]\ntake = [\"출금\"]\n",
];
