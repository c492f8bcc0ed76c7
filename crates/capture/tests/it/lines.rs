//! Logs of lines: what is taken of them, what is evidence, what is left out and why.

use std::io::Cursor;

use capture::{CaptureError, Family, Form, Input, LeftOut, LinesReceipt, MalformedReason, Reader, Settings, Taken};
use model::rdata_text;
use proptest::prelude::*;

use crate::packets::Kept;

fn settings() -> Settings {
    Settings {
        served: vec![("example".parse().unwrap(), "198.51.100.53".parse().unwrap())],
        time_of_lines: "2026-01-01T00:00:00Z".parse().unwrap(),
        ..Settings::default()
    }
}

fn read(text: impl Into<Vec<u8>>, family: Option<Family>) -> (LinesReceipt, Kept) {
    let mut sink = Kept::default();
    let input = Input::new("log", Cursor::new(text.into()));
    match Reader::new(settings()).take(input, family, &mut sink).unwrap() {
        Taken::Lines(receipt) => (*receipt, sink),
        Taken::Capture(receipt) => panic!("a capture: {receipt:?}"),
    }
}

/// What went into passive DNS: `www.example A 192.0.2.1 example 1`.
fn rrsets(sink: &Kept) -> Vec<String> {
    let short = |rrset: &model::PassiveRrset| {
        let rdata: Vec<String> = rrset.rdata.iter().map(|rdata| rdata_text(rrset.rtype, rdata)).collect();
        let rdata = rdata.join(",");
        format!(
            "{} {} {rdata} {} {}",
            rrset.name, rrset.rtype, rrset.bailiwick, rrset.count
        )
    };
    sink.rrsets.iter().map(short).collect()
}

/// Each line is somewhere.
fn assert_adds_up(receipt: &LinesReceipt) {
    let all = receipt.records + receipt.other_lines + receipt.malformed_total();
    assert_eq!(receipt.lines, all, "{receipt:?}");
}

const ZEEK: &str = "#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tdns
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected
1767225600.250000\tC1\t192.0.2.10\t4000\t198.51.100.53\t53\tudp\t7\t0.01\tWWW.example\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tT\tF\tF\tF\t0\t203.0.113.7,203.0.113.8\t60.0,60.0\tF
1767225601.000000\tC2\t192.0.2.10\t4000\t198.51.100.99\t53\tudp\t8\t0.01\thost.other.test\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tT\tF\tF\tF\t0\t203.0.113.9\t60.0\tF
1767225602.000000\tC3\t192.0.2.10\t4000\t198.51.100.53\t53\tudp\t9\t0.01\talias.example\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tT\tF\tF\tF\t0\twww.example,203.0.113.7\t60.0,60.0\tF
1767225603.000000\tC4\t192.0.2.10\t4000\t198.51.100.1\t53\tudp\t10\t0.01\twww.example\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\t203.0.113.66\t60.0\tF
1767225604.000000\tC5\t192.0.2.10\t4000\t198.51.100.53\t53\tudp\t11\t-\twww.example\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tT\tF\tF\tF\t0\t203.0.113.66\t60.0\tF
1767225605.000000\tC6\t192.0.2.10\t4000\t198.51.100.53\t53\tudp\t12\t0.01\texample\t1\tC_INTERNET\t16\tTXT\t0\tNOERROR\tT\tF\tF\tF\t0\tTXT 3 a,b\t60.0\tF
1767225606.000000\tC7\t192.0.2.10\t4000\t198.51.100.53\t53\tudp\t13\t0.01\tnone.example\t1\tC_INTERNET\t1\tA\t3\tNXDOMAIN\tT\tF\tF\tF\t0\t-\t-\tF
half a line
#close\t2026-01-01-00-00-07
";

#[test]
fn of_zeek_what_the_server_may_say_is_taken_and_the_rest_is_counted() {
    let (receipt, sink) = read(ZEEK, None);
    assert_eq!(receipt.form, Form::ZeekTsv);
    assert_eq!(
        rrsets(&sink),
        [
            "www.example A 203.0.113.7,203.0.113.8 example 1",
            // of its server nothing is known: it speaks for the name that it was asked
            "host.other.test A 203.0.113.9 host.other.test 1",
        ]
    );
    assert_eq!((receipt.lines, receipt.records, receipt.other_lines), (15, 7, 7));
    let left_out = [
        (LeftOut::NoAnswer, 1),
        (LeftOut::NoQuery, 1),
        (LeftOut::NotAuthoritative, 1),
        (LeftOut::OwnerNotTold, 1),
        (LeftOut::DataNotTold, 1),
    ];
    assert_eq!(receipt.left_out, left_out.into_iter().collect());
    assert_eq!(receipt.malformed[&MalformedReason::Columns].first_line, 14);
    let half = (
        14,
        "the columns are not those that were named".to_owned(),
        b"half a line".to_vec(),
    );
    assert_eq!(sink.quarantined, [half]);
    assert_eq!(receipt.first.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(receipt.last.unwrap().to_string(), "2026-01-01T00:00:06Z");
    assert_adds_up(&receipt);
}

#[test]
fn of_zeek_json_the_same_is_taken() {
    let line = r#"{"ts":1767225600.25,"uid":"C1","id.orig_h":"192.0.2.10","id.orig_p":4000,"id.resp_h":"198.51.100.53","id.resp_p":53,"proto":"udp","trans_id":7,"rtt":0.01,"query":"www.example","qclass":1,"qtype":1,"qtype_name":"A","rcode":0,"AA":true,"TC":false,"answers":["203.0.113.7"],"TTLs":[60.0],"rejected":false}"#;
    let iso = line.replace("1767225600.25", "\"2026-01-01T00:00:00.250000Z\"");
    let (receipt, sink) = read(format!("{line}\n{iso}"), None);
    assert_eq!(receipt.form, Form::ZeekJson);
    assert_eq!(rrsets(&sink), ["www.example A 203.0.113.7 example 1"; 2]);
    assert_eq!(sink.rrsets[0], sink.rrsets[1], "the same time in both");
    assert_adds_up(&receipt);
}

#[test]
fn of_eve_an_answer_counts_where_its_query_stands_before_it() {
    let event = |flow: u64, dns: &str| {
        format!(
            r#"{{"timestamp":"2026-01-01T00:00:00.500000+0000","flow_id":{flow},"event_type":"dns","src_ip":"192.0.2.10","src_port":4000,"dest_ip":"198.51.100.53","dest_port":53,"proto":"UDP","dns":{dns}}}"#
        )
    };
    let records = r#"[{"rrname":"www.example","rrtype":"CNAME","ttl":60,"rdata":"web.example"},{"rrname":"web.example","rrtype":"A","ttl":60,"rdata":"203.0.113.7"},{"rrname":"bank.test","rrtype":"A","ttl":60,"rdata":"203.0.113.66"},{"rrname":"www.example","rrtype":"MX","ttl":60,"rdata":"mail.example"}]"#;
    let second = format!(
        r#"{{"version":2,"type":"answer","id":7,"flags":"8400","qr":true,"aa":true,"rrname":"www.example","rrtype":"A","rcode":"NOERROR","answers":{records}}}"#
    );
    let third = format!(
        r#"{{"version":3,"type":"response","id":8,"flags":"8400","aa":true,"rcode":"NOERROR","queries":[{{"rrname":"www.example","rrtype":"A"}}],"answers":{records}}}"#
    );
    let first = r#"{"type":"answer","id":9,"rcode":"NOERROR","rrname":"www.example","rrtype":"A","ttl":60,"rdata":"203.0.113.7"}"#;
    let lines = [
        event(1, &second),
        event(1, r#"{"type":"query","id":7,"rrname":"www.example","rrtype":"A"}"#),
        event(1, &second),
        event(
            2,
            r#"{"version":3,"type":"request","id":8,"queries":[{"rrname":"www.example","rrtype":"A"}]}"#,
        ),
        event(2, &third),
        event(3, r#"{"type":"query","id":9,"rrname":"www.example","rrtype":"A"}"#),
        event(3, first),
        r#"{"timestamp":"2026-01-01T00:00:00.500000+0000","event_type":"stats"}"#.to_owned(),
        event(4, "{}"),
        "{".to_owned(),
    ];
    let (receipt, sink) = read(lines.join("\n"), None);
    assert_eq!(receipt.form, Form::SuricataEve);
    let kept = [
        "www.example CNAME web.example. example 1",
        "web.example A 203.0.113.7 example 1",
    ];
    assert_eq!(rrsets(&sink), [kept, kept].concat());
    let evidence: Vec<String> = sink.evidence.iter().map(|piece| piece.name.to_string()).collect();
    assert_eq!(evidence, ["bank.test", "bank.test"]);
    let left_out = [
        (LeftOut::NoQuery, 1),
        (LeftOut::NoAnswer, 3),
        (LeftOut::NotAuthoritative, 1),
        (LeftOut::DataNotTold, 2),
        (LeftOut::OtherEvent, 1),
    ];
    assert_eq!(receipt.left_out, left_out.into_iter().collect());
    assert_eq!(receipt.malformed_total(), 2);
    assert_adds_up(&receipt);
}

#[test]
fn of_eve_events_that_quote_dns_count_for_nothing_and_a_query_has_one_response() {
    let event = |kind: &str, dns: &str| {
        format!(
            r#"{{"timestamp":"2026-01-01T00:00:00.500000+0000","flow_id":1,"event_type":"{kind}","src_ip":"192.0.2.10","src_port":4000,"dest_ip":"198.51.100.53","dest_port":53,"proto":"UDP","dns":{dns}}}"#
        )
    };
    let answers = r#""answers":[{"rrname":"www.example","rrtype":"A","ttl":60,"rdata":"203.0.113.7"}]"#;
    let second_query = r#"{"type":"query","id":7,"rrname":"www.example","rrtype":"A"}"#.to_owned();
    let second = format!(
        r#"{{"version":2,"type":"answer","id":7,"flags":"8400","rrname":"www.example","rcode":"NOERROR",{answers}}}"#
    );
    let third_query =
        r#"{"version":3,"type":"request","id":7,"queries":[{"rrname":"www.example","rrtype":"A"}]}"#.to_owned();
    let third = format!(
        r#"{{"version":3,"type":"response","id":7,"flags":"8400","rcode":"NOERROR","queries":[{{"rrname":"www.example","rrtype":"A"}}],{answers}}}"#
    );
    // version 2 has the messages under names of their own in an alert
    let quoted = format!(r#"{{"query":[{second_query}],"answer":{second}}}"#);
    for (query, answer) in [(&second_query, &second), (&third_query, &third)] {
        for kind in ["alert", "flow", "anomaly"] {
            let lines = [
                event(kind, query),
                event(kind, answer),
                event(kind, &quoted),
                event("dns", answer),
                event("dns", query),
                event(kind, answer),
                event("dns", answer),
                event("dns", answer),
                // the id comes round
                event("dns", query),
                event("dns", answer),
            ];
            let (receipt, sink) = read(lines.join("\n"), None);
            assert_eq!(rrsets(&sink), ["www.example A 203.0.113.7 example 1"; 2], "{kind}");
            let left_out = [(LeftOut::OtherEvent, 4), (LeftOut::NoQuery, 2), (LeftOut::NoAnswer, 2)];
            assert_eq!(receipt.left_out, left_out.into_iter().collect(), "{kind}");
            assert_eq!(receipt.malformed_total(), 0);
            assert_adds_up(&receipt);
        }
    }
}

#[test]
fn of_cof_everything_goes_to_passive_dns_as_it_was_judged() {
    let lines = [
        r#"{"count":3,"time_first":1767225600,"time_last":1767225700,"rrname":"www.example.","rrtype":"A","bailiwick":"example.","rdata":["203.0.113.8","203.0.113.7"]}"#,
        r#"{"rrname":"example","rrtype":"MX","rdata":"10 mail.example","time_first":"1767225600","time_last":1767225600.9,"sensor_id":"x"}"#,
        r#"{"rrname":"example.","rrtype":"NS","rdata":["ns1.example."],"count":2,"zone_time_first":1767225600,"zone_time_last":1767225601,"bailiwick":"example."}"#,
        r#"{"rrname":"example.","rrtype":65280,"rdata":"\\# 1 ff","time_first_ms":1767225600999,"time_last_ms":1767225601000}"#,
        r#"{"rrname":"www.test.","rrtype":"A","rdata":"203.0.113.7","time_first":1,"time_last":2,"bailiwick":"example."}"#,
        r#"{"rrname":"www.example.","rrtype":"A","rdata":"2001:db8::1","time_first":1,"time_last":2}"#,
        r#"{"rrname":"www.example.","rrtype":"A","rdata":"203.0.113.7","time_first":2,"time_last":1}"#,
        r#"{"rrname":"www.example.","rrtype":"A","rdata":[],"time_first":1,"time_last":1}"#,
        r#"{"rrname":"a..b","rrtype":"A","rdata":"203.0.113.7","time_first":1,"time_last":1}"#,
        r#"{"rrname":"www.example.","rrtype":"A","rdata":"203.0.113.7","time_first":999999999999,"time_last":999999999999}"#,
        "",
    ];
    let (receipt, sink) = read(lines.join("\r\n"), None);
    assert_eq!(receipt.form, Form::Cof);
    assert_eq!(
        rrsets(&sink),
        [
            "www.example A 203.0.113.7,203.0.113.8 example 3",
            "example MX 10 mail.example. . 1",
            "example NS ns1.example. example 2",
            "example TYPE65280 \\# 1 ff . 1",
        ]
    );
    assert_eq!(sink.rrsets[2].seen_in, model::SeenIn::ZoneFile);
    assert_eq!((receipt.records, receipt.rrsets), (5, 4));
    assert_eq!(receipt.left_out[&LeftOut::OutOfBailiwick], 1);
    let reasons: Vec<_> = receipt
        .malformed
        .iter()
        .map(|(reason, lines)| (*reason, lines.count))
        .collect();
    let expected = [
        (MalformedReason::Field, 1),
        (MalformedReason::Time, 2),
        (MalformedReason::Name, 1),
        (MalformedReason::Data, 1),
    ];
    assert_eq!(reasons, expected);
    assert_adds_up(&receipt);
}

#[test]
fn a_line_without_end_is_malformed_and_the_next_is_read() {
    let good = r#"{"rrname":"a.example","rrtype":"A","rdata":"203.0.113.7","time_first":1,"time_last":1}"#;
    let long = format!("{{\"rrname\":\"{}", "x".repeat(5 << 20));
    let (receipt, sink) = read(format!("{good}\n{long}\n{good}"), None);
    assert_eq!((receipt.lines, receipt.records), (3, 2));
    assert_eq!(receipt.malformed[&MalformedReason::LineTooLong].first_line, 2);
    assert_eq!(sink.quarantined[0].2.len(), 64 << 10);
    assert_adds_up(&receipt);
}

#[test]
fn packed_lines_are_read_and_half_a_file_gives_what_came_before() {
    let line = r#"{"rrname":"a.example","rrtype":"A","rdata":"203.0.113.7","time_first":1,"time_last":1}"#;
    let text = format!("{line}\n").repeat(5000);
    let packed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let (receipt, sink) = read(packed.clone(), None);
    assert_eq!(
        (receipt.records, sink.rrsets.len(), receipt.fault.clone()),
        (5000, 5000, None)
    );
    assert_eq!(receipt.octets, packed.len() as u64);
    let (receipt, _) = read(&packed[..packed.len() - 4], Some(Family::Cof));
    assert!(receipt.fault.is_some(), "{receipt:?}");
}

#[test]
fn what_is_no_log_is_told_and_a_given_form_is_believed() {
    let mut sink = Kept::default();
    let mut take = |text: &'static str, family| {
        Reader::new(settings()).take(Input::new("log", Cursor::new(text)), family, &mut sink)
    };
    for text in ["", "hello\n", "{\"a\":1}\n", "[1]\n"] {
        assert!(
            matches!(take(text, None), Err(CaptureError::NotACapture { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        take("{}", Some(Family::Capture)),
        Err(CaptureError::NotACapture { .. })
    ));
    for family in [Family::Zeek, Family::Eve, Family::Cof] {
        let Taken::Lines(receipt) = take("hello\n", Some(family)).unwrap() else {
            panic!("lines are lines");
        };
        assert_eq!(receipt.malformed_total(), 1, "{family:?}");
    }
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let event = r#"{"timestamp":"2026-01-01T00:00:00.5+0000","flow_id":1,"event_type":"dns","src_ip":"192.0.2.1","src_port":4,"dest_ip":"198.51.100.53","dest_port":53,"dns":{"type":"query","id":7}}
{"timestamp":"2026-01-01T00:00:00.5+0000","flow_id":1,"event_type":"dns","src_port":4,"dest_ip":"198.51.100.53","dest_port":53,"dns":{"type":"answer","id":7,"flags":"8400","rrname":"a.example","answers":[{"rrname":"a.example","rrtype":"A","rdata":"192.0.2.1"}],"authorities":[{"rrname":"example","rrtype":"SOA"}]}}"#;
    let cof = r#"{"rrname":"a.example","rrtype":"SOA","rdata":"a. b. 1 2 3 4 5","time_first":1,"time_last":1,"bailiwick":"example","count":9}"#;
    let texts = prop_oneof![Just(ZEEK), Just(event), Just(cof)];
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (texts, changes).prop_map(|(text, changes)| {
        let mut octets = text.as_bytes().to_vec();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets
    })
}

proptest! {
    #[test]
    fn whatever_the_lines_are_each_is_counted_once(
        octets in prop_oneof![mutated(), proptest::collection::vec(any::<u8>(), 0..300)],
        family in prop_oneof![Just(Family::Zeek), Just(Family::Eve), Just(Family::Cof)],
    ) {
        let (receipt, sink) = read(octets, Some(family));
        assert_adds_up(&receipt);
        prop_assert_eq!(receipt.rrsets, sink.rrsets.len() as u64);
        prop_assert_eq!(receipt.out_of_bailiwick, sink.evidence.len() as u64);
        for rrset in &sink.rrsets {
            prop_assert!(rrset.name.is_at_or_below(&rrset.bailiwick) && rrset.first <= rrset.last);
            prop_assert!(!rrset.rdata.is_empty() && rrset.rdata.is_sorted_by(|one, other| one < other));
        }
    }
}
