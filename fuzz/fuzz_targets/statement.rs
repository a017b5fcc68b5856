//! A statement file: whatever its bytes are, the run ends with a report or an error.
#![no_main]

use ichae_reconcile::{Map, Options, Ours, reconcile, survey};
use libfuzzer_sys::fuzz_target;

const INSTITUTION: &str = "M202112389";

fuzz_target!(|data: &[u8]| {
    let map = Map::default();
    let _ = survey(data, &map, INSTITUTION, &mut |_| ());
    let none = std::iter::empty::<Result<Ours, std::io::Error>>();
    if let Ok(report) = reconcile(data, &map, &Options::new(INSTITUTION), none, &mut |_| ()) {
        let _ = report.text(10).to_string();
    }
});
