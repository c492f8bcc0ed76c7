//! A world of the lab: its file and a zone file.
#![no_main]

use lab::World;
use libfuzzer_sys::fuzz_target;

const WORLD: &str = "name = 'w'\nabout = 'w'\nseed = 1\n[[zone]]\nname = '.'\nfile = 'root.zone'\n\
                     [[server]]\nname = 'a.test'\naddresses = ['127.0.0.1']\nzones = ['.']\n";

fuzz_target!(|text: &str| {
    let _ = World::from_parts(&[("world.toml", text), ("root.zone", "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a.test.\n")]);
    let _ = World::from_parts(&[("world.toml", WORLD), ("root.zone", text)]);
});
