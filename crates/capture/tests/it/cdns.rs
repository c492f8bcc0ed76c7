//! C-DNS files made here: what a block says, and what a broken one does.

use capture::{Form, Receipt};
use proptest::prelude::*;

use crate::packets::{Kept, SERVER, read, wire};

/// CBOR by hand: the head of a value with its argument.
fn head(major: u8, argument: u64) -> Vec<u8> {
    let major = major << 5;
    match argument {
        0..=23 => vec![major | argument as u8],
        24..=0xff => vec![major | 24, argument as u8],
        0x100..=0xffff => [vec![major | 25], (argument as u16).to_be_bytes().to_vec()].concat(),
        _ => [vec![major | 27], argument.to_be_bytes().to_vec()].concat(),
    }
}

fn number(value: i64) -> Vec<u8> {
    if value < 0 {
        head(1, (-1 - value) as u64)
    } else {
        head(0, value as u64)
    }
}

fn octets(value: &[u8]) -> Vec<u8> {
    [head(2, value.len() as u64), value.to_vec()].concat()
}

fn list(values: &[Vec<u8>]) -> Vec<u8> {
    [head(4, values.len() as u64), values.concat()].concat()
}

fn map(entries: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = entries
        .iter()
        .map(|(key, value)| [number(*key), value.clone()].concat())
        .collect();
    [head(5, entries.len() as u64), entries.concat()].concat()
}

/// A block of one pair over TCP with nanosecond ticks, and one malformed message.
fn block() -> Vec<u8> {
    block_of(1_767_225_600)
}

/// The same with another time, in seconds.
fn block_of(earliest: i64) -> Vec<u8> {
    let tables = map(&[
        (0, list(&[octets(&[198, 51, 100, 53]), octets(&[192, 0, 2, 10])])),
        (1, list(&[map(&[(0, number(1)), (1, number(1))])])),
        (
            2,
            list(&[octets(&wire("www.example")), octets(&[192, 0, 2, 80]), octets(b"")]),
        ),
        (
            3,
            list(&[map(&[
                (0, number(0)),
                (1, number(53)),
                // TCP
                (2, number(2)),
                // query and response, OPT in the query
                (4, number(7)),
                // DO in the query, AA in the response
                (6, number(1 << 7 | 1 << 14)),
                (8, number(0)),
                (14, number(1_232)),
                (15, number(2)),
                (16, number(0)),
            ])]),
        ),
        (6, list(&[list(&[number(0)])])),
        (
            7,
            list(&[map(&[(0, number(0)), (1, number(0)), (2, number(60)), (3, number(1))])]),
        ),
        (
            8,
            list(&[map(&[
                (0, number(0)),
                (1, number(53)),
                (2, number(0)),
                (3, octets(b"garbage")),
            ])]),
        ),
    ]);
    let item = map(&[
        (0, number(1_000)),
        (1, number(1)),
        (2, number(4_000)),
        (3, number(7)),
        (4, number(0)),
        (6, number(2_000_000)),
        (7, number(0)),
        (8, number(40)),
        (9, number(56)),
        (12, map(&[(1, number(0))])),
    ]);
    let malformed = map(&[(0, number(5)), (1, number(1)), (2, number(4_001)), (3, number(0))]);
    map(&[
        (0, map(&[(0, list(&[number(earliest), number(500)]))])),
        (2, tables),
        (3, list(&[item])),
        (5, list(&[malformed])),
    ])
}

fn file_of(version: i64, blocks: &[u8]) -> Vec<u8> {
    let parameters = map(&[(0, map(&[(0, number(1_000_000_000))]))]);
    [
        head(4, 3),
        head(3, 5),
        b"C-DNS".to_vec(),
        map(&[(0, number(version)), (1, number(0)), (3, list(&[parameters]))]),
        blocks.to_vec(),
    ]
    .concat()
}

fn whole() -> Vec<u8> {
    file_of(1, &list(&[block(), block()]))
}

#[test]
fn of_a_block_without_a_time_nothing_is_kept_and_the_next_is_read() {
    let (receipt, kept) = read(file_of(1, &list(&[block_of(0), block()])));
    assert_eq!((receipt.packets, receipt.pairs, receipt.malformed_total()), (6, 2, 2));
    assert_eq!(receipt.undated, 2);
    assert_eq!(receipt.first.unwrap().as_second(), 1_767_225_600);
    assert_eq!((kept.cells.len(), kept.quarantined.len()), (1, 2));
}

fn check(file: Vec<u8>) -> (Receipt, Kept) {
    let (receipt, kept) = read(file);
    assert_eq!((receipt.form, receipt.fault.as_deref()), (Form::CDns, None));
    (receipt, kept)
}

#[test]
fn a_block_says_what_its_packets_said() {
    let (receipt, kept) = check(file_of(1, &list(&[block()])));
    assert_eq!((receipt.pairs, receipt.malformed_total(), receipt.packets), (1, 1, 3));
    assert_eq!(kept.lines(), ["www.example A [www.example] 192.0.2.80"]);
    let cell = &kept.cells[0];
    let key = cell.key.as_ref().unwrap();
    assert_eq!(
        (key.server.to_string().as_str(), key.transport),
        (SERVER, model::Transport::Tcp)
    );
    assert!(key.dnssec_ok && key.authoritative && !key.truncated);
    assert_eq!(
        (
            cell.counts.query_octets,
            cell.counts.response_octets,
            cell.counts.delay_us
        ),
        (40, 56, 2_000)
    );
    assert_eq!(receipt.first.unwrap().as_nanosecond(), 1_767_225_600_000_000_505);
    assert_eq!(kept.quarantined[0].2, b"garbage");
}

#[test]
fn blocks_may_be_a_list_without_a_length() {
    let blocks = [vec![0x9f], block(), block(), vec![0xff]].concat();
    assert_eq!(check(file_of(1, &blocks)).0.queries, 2);
}

#[test]
fn what_comes_before_the_place_where_it_breaks_off_counts() {
    let file = whole();
    let (receipt, _) = read(file[..file.len() - 10].to_vec());
    assert_eq!(receipt.pairs, 1);
    assert!(receipt.fault.unwrap().contains("ends in the middle"));
}

#[test]
fn lengths_that_lie_take_no_memory_and_are_faults() {
    let huge = [vec![0x9b], vec![0xff; 8]].concat();
    let string = [vec![0x5b], vec![0, 0, 0xff, 0, 0, 0, 0, 0]].concat();
    let deep = [vec![0x81], vec![0x81; 40]].concat();
    for (what, blocks) in [
        ("list", huge),
        ("string", [vec![0x81], string].concat()),
        ("depth", deep),
    ] {
        let (receipt, _) = read(file_of(1, &blocks));
        assert!(receipt.fault.is_some(), "{what}");
    }
    let (receipt, _) = read(file_of(9, &list(&[])));
    assert!(receipt.fault.unwrap().contains("neither 1, 0.5 nor 0.2"));
}

#[test]
fn an_index_that_leads_nowhere_costs_its_item_alone() {
    let item = map(&[(0, number(0)), (4, number(99))]);
    let block = map(&[(0, map(&[])), (2, map(&[])), (3, list(&[item]))]);
    let (receipt, _) = check(file_of(1, &list(&[block, self::block()])));
    assert_eq!((receipt.pairs, receipt.dropped.values().sum::<u64>()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_valid_file_with_octets_changed(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut file = whole();
        for (at, value) in changes {
            // the name of the format stays
            let at = 7 + at.index(file.len() - 7);
            file[at] = value;
        }
        let (receipt, _) = read(file);
        prop_assert_eq!(receipt.form, Form::CDns);
    }
}
