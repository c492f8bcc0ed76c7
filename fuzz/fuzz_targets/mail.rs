//! What arrives in the centre's mailbox.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let _ = csirt::mailbox::read(raw);
});
