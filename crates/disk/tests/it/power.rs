//! The power goes.

use crate::Scratch;
use ichae_disk::power::{Options, PowerError, cycles};

/// As many payouts as are checked in a moment without optimisation.
const SMALL: Options =
    Options { cycles: 60, seed: 1, payouts_max: 1_500, clients: 4, calls_max: 1_200, lying: false };

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes() {
    let scratch = Scratch::of("power");
    let report = cycles(&SMALL, &scratch.0).unwrap();
    assert_eq!(report.cycles, 60);
    assert!(report.fates.len() == 4, "{report:?}");
    assert!(report.while_opening > 0 && report.while_recovering > 0, "{report:?}");
    assert!(report.held > 1_000, "{report:?}");
}

#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let scratch = Scratch::of("lying");
    let lying = Options { cycles: 30, lying: true, ..SMALL };
    match cycles(&lying, &scratch.0) {
        Err(PowerError::Found { .. }) => {}
        other => panic!("{other:?}"),
    }
}
