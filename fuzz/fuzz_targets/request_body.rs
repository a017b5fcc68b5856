//! A call's body, as the API reads it.
#![no_main]

use ichae_wire::json::Fields;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Fields::parse(data);
});
