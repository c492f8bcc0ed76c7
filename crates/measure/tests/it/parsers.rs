//! Whatever comes from outside is read or refused, never a panic.

use domain::base::iana::Rtype;
use measure::{HintsError, Inquiry, Response, parse_hints};
use proptest::prelude::*;

use crate::scripted::answer;

/// A question for `www.test A`.
const QUESTION: &[u8] = b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x04test\x00\x00\x01\x00\x01";

/// An answer with records of several types, an OPT record and compressed names.
fn long_answer() -> Vec<u8> {
    let mut octets = answer(QUESTION, [192, 0, 2, 1]);
    (octets[7], octets[9], octets[11]) = (2, 2, 2);
    let www = [0xc0, 12];
    let test = [0xc0, 16];
    let mut record = |owner: &[u8], rtype: u16, data: &[u8]| {
        octets.extend(owner);
        octets.extend(rtype.to_be_bytes());
        octets.extend([0, 1, 0, 0, 0, 60]);
        octets.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        octets.extend(data);
    };
    record(
        &www,
        46,
        &[
            &[0, 1, 13, 2, 0, 0, 0, 60, 1, 1, 1, 1, 0, 0, 0, 0, 7, 7],
            &test[..],
            &[9; 64],
        ]
        .concat(),
    );
    record(&test, 2, &[2, b'n', b's', 0xc0, 16]);
    record(&test, 47, &[&www[..], &[0, 1, 0x40]].concat());
    record(&[2, b'n', b's', 0xc0, 16], 28, &[0x20; 16]);
    record(&[0], 41, &[0, 3, 0, 2, b'a', b'b']);
    octets
}

#[test]
fn an_answer_is_read_record_by_record() {
    let response = Response::read(&long_answer(), Rtype::A).unwrap();
    assert!(response.authoritative && !response.malformed);
    let types =
        |records: &[measure::Record]| -> Vec<String> { records.iter().map(|r| r.rtype().to_string()).collect() };
    assert_eq!(types(&response.answer), ["A", "RRSIG"]);
    assert_eq!(types(&response.authority), ["NS", "NSEC"]);
    assert_eq!(types(&response.additional), ["AAAA"]);
    assert_eq!(response.nsid().as_deref(), Some("ab"));
}

#[test]
fn a_message_cut_short_keeps_what_came_before_the_cut() {
    let whole = long_answer();
    let response = Response::read(&whole[..whole.len() - 20], Rtype::A).unwrap();
    assert!(response.malformed);
    assert_eq!((response.answer.len(), response.authority.len()), (2, 2));
}

#[test]
fn an_address_of_the_wrong_length_is_kept_as_octets() {
    let mut octets = answer(QUESTION, [192, 0, 2, 1]);
    let length = octets.len() - 5;
    octets[length] = 3;
    octets.pop();
    let response = Response::read(&octets, Rtype::A).unwrap();
    assert!(!response.malformed);
    assert_eq!(response.answer[0].address(), None);
    assert_eq!(response.answer[0].rtype(), Rtype::A);
}

#[test]
fn hints_are_read_as_zone_files_write_them() {
    let text = "; the root\n.  3600000 IN NS A.Root.test.\n. NS b.root.test\n\
                A.root.test. 3600000 A 192.0.2.1 ; first\na.root.test. 60 IN AAAA 2001:db8::1\nb.root.test. A 192.0.2.2\n";
    let hints = parse_hints(text).unwrap();
    let lines: Vec<String> = hints
        .iter()
        .map(|(name, addresses)| format!("{name} {addresses:?}"))
        .collect();
    assert_eq!(
        lines,
        ["a.root.test [192.0.2.1, 2001:db8::1]", "b.root.test [192.0.2.2]"]
    );
}

#[test]
fn wrong_hints_name_the_line_and_what_is_wrong() {
    let error = |text: &str| parse_hints(text).unwrap_err().to_string();
    assert_eq!(
        error(". NS a.\n\na. A 192.0.2"),
        "line 3 of the hints, `a. A 192.0.2`: `192.0.2` is not an IPv4 address"
    );
    assert_eq!(
        error(". 60 IN"),
        "line 1 of the hints, `. 60 IN`: the record type is missing"
    );
    assert_eq!(
        error(". NS a. b."),
        "line 1 of the hints, `. NS a. b.`: there is more than one value"
    );
    assert_eq!(
        error("a. MX b."),
        "line 1 of the hints, `a. MX b.`: `MX` is none of NS, A and AAAA"
    );
    assert_eq!(
        error("a. NS b."),
        "line 1 of the hints, `a. NS b.`: only the root has name servers in hints"
    );
    assert_eq!(parse_hints(". NS a."), Err(HintsError::Empty));
    assert_eq!(parse_hints("a. A 192.0.2.1"), Err(HintsError::Empty));
}

#[test]
fn a_file_that_is_no_saved_inquiry_is_refused() {
    let error = |text: &str| Inquiry::restore(text).err().unwrap().to_string();
    assert_eq!(error("{"), "the saved inquiry is not of the right form");
    let empty = r#"{"version":2,"started":"2026-11-23T12:00:00Z","hints":[],"ipv4":true,"ipv6":true,"exchanges":[]}"#;
    assert_eq!(error(empty), "the saved inquiry has form 2; this program reads form 1");
}

proptest! {
    #[test]
    fn any_octets_are_a_response_or_none(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Some(response) = Response::read(&octets, Rtype::A) {
            let _ = (response.referral(), response.nsid(), response.rcode_name());
            let _ = response.canonical(&"www.test".parse().unwrap());
        }
    }

    #[test]
    fn an_answer_with_wrong_octets_is_read_all_the_same(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        end in any::<prop::sample::Index>(),
    ) {
        let mut octets = long_answer();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets.truncate(end.index(octets.len()) + 1);
        if let Some(response) = Response::read(&octets, Rtype::A) {
            for record in response.answer.iter().chain(&response.authority).chain(&response.additional) {
                let _ = format!("{} {} {}", record.owner, record.rtype(), record.data);
            }
        }
    }

    #[test]
    fn any_text_is_hints_or_a_clear_error(text in "([.a-z0-9: ;]|NS|A|AAAA|IN|\\n|\\PC){0,80}") {
        if let Err(error) = parse_hints(&text) {
            prop_assert!(error.to_string().contains("hints"));
        }
    }

    #[test]
    fn any_text_is_a_saved_inquiry_or_an_error(text in "\\PC{0,200}") {
        let _ = Inquiry::restore(&text);
    }

    #[test]
    fn a_saved_inquiry_with_wrong_octets_is_read_or_refused(
        at in any::<prop::sample::Index>(), octet in 32u8..127, wire in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        use base64::Engine as _;
        let wire = base64::engine::general_purpose::STANDARD.encode(wire);
        let mut text = format!(r#"{{"version":1,"started":"2026-11-23T12:00:00Z","hints":[["a",["192.0.2.1"]]],"ipv4":true,"ipv6":false,"exchanges":[
            {{"time":"2026-11-23T12:00:00Z","address":"192.0.2.1","qname":"example","qtype":6,"qclass":1,"transport":"udp",
            "outcome":"answer","rtt_us":5,"attempts":1,"disbelieved":0,"wire_base64":"{wire}"}}]}}"#).into_bytes();
        let inquiry = Inquiry::restore(std::str::from_utf8(&text).unwrap()).unwrap();
        prop_assert_eq!(inquiry.hints().len(), 1);
        let at = at.index(text.len());
        text[at] = octet;
        let _ = Inquiry::restore(std::str::from_utf8(&text).unwrap());
    }
}
