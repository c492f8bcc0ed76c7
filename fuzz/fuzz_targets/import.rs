//! A directory file, in both forms.
#![no_main]

use csirt::directory::{self, Format};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    for format in [Format::Csv, Format::Json] {
        if let Err(faults) = directory::parse(format, octets) {
            assert!(!faults.is_empty(), "a file that is refused must say why");
        }
    }
});
