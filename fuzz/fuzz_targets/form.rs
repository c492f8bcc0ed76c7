//! What strangers type: the report form, names, links.
#![no_main]

use csirt::intake::{self, Form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parts: (String, String, String, String, String)| {
    let (what, names, email, language, tlp) = parts;
    let _ = names.parse::<model::Name>();
    let _ = names.parse::<csirt::directory::Target>();
    let _ = intake::check(&Form { what, names, email, language, tlp, ..Form::default() });
});
