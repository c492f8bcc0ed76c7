//! Tables that an administrator loads: routes, special-purpose registries, trust anchors, profiles.
#![no_main]

use libfuzzer_sys::fuzz_target;
use measure::{Profile, RouteTable, SpecialPurpose};

fuzz_target!(|octets: &[u8]| {
    if let Ok(table) = RouteTable::read("table", octets, None) {
        let _ = table.origin("192.0.2.1".parse().unwrap());
        let _ = table.origin("2001:db8::1".parse().unwrap());
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = SpecialPurpose::shipped().with_csv("registry", text);
        let _ = measure::parse_anchors(text);
        for file in ["profile.toml", "profile.json"] {
            let _ = Profile::parse(file, text);
        }
    }
});
