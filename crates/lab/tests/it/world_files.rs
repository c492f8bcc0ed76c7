//! World files that are wrong say which and why; none brings the reader down.

use lab::{World, WorldError};
use proptest::prelude::*;

const ZONE: &str = "@ 60 SOA ns host 1 14400 3600 604800 300\n@ 60 NS ns\nns 60 A 127.0.0.1\n";
const WORLD: &str = "name = 'w'\n[[zone]]\nname = 'test'\nfile = 'test.zone'\n\
                     [[server]]\nname = 'ns.test'\naddresses = ['127.0.0.1']\nzones = ['test']\n";

fn error_of(world: &str, zone: &str) -> String {
    World::from_parts(&[("world.toml", world), ("test.zone", zone)])
        .unwrap_err()
        .to_string()
}

#[test]
fn an_address_outside_loopback_is_refused() {
    for address in ["192.0.2.1", "0.0.0.0", "::", "10.0.0.1", "2001:db8::1"] {
        let error = error_of(&WORLD.replace("127.0.0.1", address), ZONE);
        assert!(
            error.contains(address) && error.contains("not a loopback address"),
            "{error}"
        );
    }
}

#[test]
fn errors_name_the_file_and_what_is_wrong_in_it() {
    for (world, zone, parts) in [
        (
            WORLD.replace("zones = ['test']", "zones = ['tset']"),
            ZONE,
            ["world.toml", "`tset`"],
        ),
        (
            WORLD.replace("'test.zone'", "'other.zone'"),
            ZONE,
            ["other.zone", "cannot read"],
        ),
        (WORLD.replace("name = 'w'", "nmae = 'w'"), ZONE, ["world.toml", "nmae"]),
        (
            WORLD.to_owned(),
            "@ 60 SOA ns host 1 14400 3600\n",
            ["test.zone", "line 1"],
        ),
        (WORLD.to_owned(), "@ 60 NS ns\n", ["test.zone", "0 SOA"]),
        (
            WORLD.to_owned() + "faults = [{ fault = 'asleep' }]\n",
            ZONE,
            ["world.toml", "faults are silent, slow"],
        ),
        (
            WORLD.to_owned() + "latency = '3 s'\n",
            ZONE,
            ["world.toml", "`3 s` is not a length of time"],
        ),
        (WORLD.to_owned() + "loss = 2.0\n", ZONE, ["world.toml", "loss 2"]),
        (
            WORLD.to_owned() + "[[event]]\nchange = { cut = { server = 'x.y' } }\n",
            ZONE,
            ["world.toml", "`x.y`"],
        ),
    ] {
        let error = error_of(&world, zone);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn a_world_can_be_read_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(World::load(folder.path()), Err(WorldError::Read { .. })));
    std::fs::write(folder.path().join("world.toml"), WORLD).unwrap();
    std::fs::write(folder.path().join("test.zone"), ZONE).unwrap();
    assert_eq!(World::load(folder.path()).unwrap().servers.len(), 1);
}

#[test]
fn worlds_that_ship_are_listed_when_another_is_asked_for() {
    let error = World::shipped("narnia").unwrap_err().to_string();
    assert!(
        error.contains("`narnia`") && error.contains("atlas") && error.contains("pocket"),
        "{error}"
    );
    for name in World::shipped_names() {
        assert_eq!(World::shipped(name).unwrap().name, name);
    }
}

#[test]
fn the_description_of_world_files_knows_every_fault() {
    let description = include_str!("../../worlds/README.md");
    for fault in lab::Fault::ALL {
        assert!(description.contains(&format!("`{fault}`")), "{fault}");
    }
    let words = |word: serde_json::Value| format!("`{}`", word.as_str().unwrap());
    let manners = lab::OddManner::ALL.map(|manner| words(serde_json::to_value(manner).unwrap()));
    let hostilities = lab::Hostility::ALL.map(|hostility| words(serde_json::to_value(hostility).unwrap()));
    for word in manners.iter().chain(&hostilities) {
        assert!(description.contains(word), "{word}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_world_or_an_error_that_names_the_file(text in ".{0,200}") {
        if let Err(error) = World::from_parts(&[("world.toml", &text), ("test.zone", ZONE)]) {
            prop_assert!(error.to_string().contains("world.toml"));
        }
    }

    #[test]
    fn a_world_with_any_octet_changed_is_a_world_or_an_error(at in 0..WORLD.len(), with in "[ -~]|\n|é") {
        let text = format!("{}{with}{}", &WORLD[..at], &WORLD[at + 1..]);
        let _ = World::from_parts(&[("world.toml", &text), ("test.zone", ZONE)]);
    }

    #[test]
    fn a_zone_with_any_octet_changed_is_a_zone_or_an_error(at in 0..ZONE.len(), with in "[ -~]|\n|é") {
        let text = format!("{}{with}{}", &ZONE[..at], &ZONE[at + 1..]);
        if let Err(error) = World::from_parts(&[("world.toml", WORLD), ("test.zone", &text)]) {
            prop_assert!(error.to_string().contains("test.zone"), "{}", error);
        }
    }
}
