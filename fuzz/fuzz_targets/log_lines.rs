//! Octets as a log: by how it begins, and as each of the forms.
#![no_main]

use std::io::Cursor;

use capture::{Discard, Family, Input, Reader, Settings, Taken};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    for family in [None, Some(Family::Zeek), Some(Family::Eve), Some(Family::Cof)] {
        let input = Input::new("fuzz", Cursor::new(octets.to_vec()));
        if let Ok(Taken::Lines(receipt)) = Reader::new(Settings::default()).take(input, family, &mut Discard) {
            let all = receipt.records + receipt.other_lines + receipt.malformed_total();
            assert_eq!(receipt.lines, all, "each line is somewhere");
        }
    }
});
