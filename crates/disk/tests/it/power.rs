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

/// The image lists the folder and then reads it: what is gone by then is not in it, and is no error.
#[test]
fn a_file_that_is_gone_between_listing_and_reading_is_not_in_the_image() {
    let scratch = Scratch::of("gone");
    let (from, to) = (scratch.0.join("from"), scratch.0.join("to"));
    std::fs::create_dir(&from).unwrap();
    std::fs::write(from.join("witness"), b"kept").unwrap();
    // It is listed and cannot be read.
    std::os::unix::fs::symlink("nowhere", from.join("witness.new")).unwrap();
    ichae_disk::disk::disk().image(&from, &to, 1).unwrap();
    let names: Vec<_> = std::fs::read_dir(&to).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["witness"]);
}
