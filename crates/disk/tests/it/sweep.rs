//! Its calls fail.

use crate::Scratch;
use ichae_disk::sweep::{Options, sweep};
use std::path::Path;

#[test]
fn a_call_that_fails_costs_nothing_that_was_acknowledged() {
    let scratch = Scratch::of("sweep");
    let program = Path::new(env!("CARGO_BIN_EXE_ichae-disk"));
    let options = Options { full: false, long: false, some: 30 };
    let report = sweep(program, &scratch.0, options).unwrap();
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(report.runs > 150 && report.aborted > 0, "{report:?}");
    assert!(report.refused > 0 && report.unopened > 0, "{report:?}");
    assert!(report.index > 0, "{report:?}");
}
