//! RSSAC002 files in the forms in which operators write them. The figures are made up.

use jiff::civil::date;
use metrics::rssac002::{Daily, Error, MOST_BYTES, Metric, read};
use proptest::prelude::*;

fn one(text: &str) -> Daily {
    let mut documents = read(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn header(metric: &str) -> String {
    format!(
        "---\nversion: rssac002v5\nservice: x.root-servers.net\nstart-period: '2026-06-01T00:00:00Z'\nmetric: {metric}\n"
    )
}

#[test]
fn load_times_come_by_serial_and_may_be_missing() {
    let daily = one(&(header("load-time") + "time:\n  2026060100: 14\n  2026060101: \n"));
    assert_eq!(
        (daily.version, daily.service.to_string().as_str()),
        (Some(5), "x.root-servers.net")
    );
    assert_eq!(daily.day, date(2026, 6, 1));
    let Metric::LoadTime { seconds } = daily.metric else {
        panic!()
    };
    assert_eq!(seconds, [(2_026_060_100, Some(14)), (2_026_060_101, None)].into());
}

#[test]
fn traffic_comes_by_transport_and_family() {
    let daily = one(&(header("traffic-volume")
        + "dns-udp-queries-received-ipv4: 8322492236\ndns-tcp-responses-sent-ipv6: 0\nof-our-own: 7\n"));
    let Metric::TrafficVolume(volume) = daily.metric else {
        panic!()
    };
    assert_eq!(volume.udp_queries_ipv4, Some(8_322_492_236));
    assert_eq!((volume.tcp_responses_ipv6, volume.udp_queries_ipv6), (Some(0), None));
}

#[test]
fn sizes_are_ranges_of_which_the_last_may_be_open() {
    let daily = one(&(header("traffic-sizes")
        + "udp-request-sizes:\n   0-15: 5940\n   16-31: 738\n   288-: 3\nudp-response-sizes: {}\ntcp-request-sizes:\n"));
    let Metric::TrafficSizes(sizes) = daily.metric else {
        panic!()
    };
    assert_eq!(
        sizes.udp_requests,
        [((0, Some(15)), 5940), ((16, Some(31)), 738), ((288, None), 3)].into()
    );
    assert!(sizes.udp_responses.is_empty() && sizes.tcp_requests.is_empty());
}

#[test]
fn rcodes_stand_at_the_top_or_below_a_key_of_their_own() {
    let expected = [(0, 394), (3, 275), (9, 40)].into();
    for body in ["0: 394\n3: 275\n9: 40\n", "rcodes:\n  0: 394\n  3: 275\n  9: 40\n"] {
        let Metric::RcodeVolume { answers } = one(&(header("rcode-volume") + body)).metric else {
            panic!()
        };
        assert_eq!(answers, expected);
    }
}

#[test]
fn sources_and_zone_sizes_are_read() {
    let daily =
        one(&(header("unique-sources")
            + "num-sources-ipv4: 633\nnum-sources-ipv6: 119\nnum-sources-ipv6-aggregate: 34\n"));
    assert_eq!(
        daily.metric,
        Metric::UniqueSources {
            ipv4: Some(633),
            ipv6: Some(119),
            ipv6_aggregate: Some(34)
        }
    );
    let daily = one(&(header("zone-size") + "size:\n  2026060100: 2200000\n"));
    assert!(matches!(daily.metric, Metric::ZoneSize { bytes } if bytes[&2_026_060_100] == Some(2_200_000)));
}

#[test]
fn older_versions_are_read_and_a_start_may_be_a_day() {
    let old =
        "service: x.root-servers.net\nstart-period: 2015-06-01\nend-period: 2015-06-02\nmetric: rcode-volume\n0: 1\n";
    let daily = one(old);
    assert_eq!((daily.version, daily.day), (None, date(2015, 6, 1)));
    for version in 2..=5 {
        let text = header("rcode-volume").replace("v5", &format!("v{version}"));
        assert_eq!(one(&text).version, Some(version));
    }
}

#[test]
fn a_file_may_hold_several_documents() {
    let text = format!(
        "{}0: 5\n\n{}num-sources-ipv4: 2\n...\n",
        header("rcode-volume"),
        header("unique-sources")
    );
    assert_eq!(read(&text).unwrap().len(), 2);
}

#[test]
fn what_is_no_such_file_is_named_by_line_or_key() {
    let told = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(read(""), Err(Error::Empty));
    assert_eq!(read("---\n---\n"), Err(Error::Empty));
    assert_eq!(told("a: {b: {c: d}}"), "line 1: keys within keys within keys");
    assert_eq!(told("a: 1\nb:\n  - 2\n"), "line 3: a list");
    assert_eq!(told("a: &x 1\nb: *x\n"), "line 2: an alias");
    assert_eq!(told("just words"), "line 1: a value without a key");
    assert!(told("a: [1").starts_with("line "));
    assert_eq!(told("metric: load-time\n"), "document 1: `service` is missing");
    assert_eq!(
        told(&header("load-time").replace("v5", "v9")),
        "document 1: `version` is `rssac002v9`, not rssac002v2 to rssac002v5"
    );
    assert_eq!(
        told(&header("load-time").replace("2026-06-01T", "yesterday")),
        "document 1: `start-period` is `yesterday00:00:00Z`, which is no day"
    );
    assert_eq!(
        told(&header("queries-by-mood")),
        "document 1: `metric` is `queries-by-mood`, which is not in the advisory"
    );
    assert_eq!(told(&header("load-time")), "document 1: `time` has no values");
    assert_eq!(read(&"#".repeat(MOST_BYTES + 1)), Err(Error::TooLarge(MOST_BYTES + 1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z0-9:&*{}\\[\\]|>'\"!#%@`,?\\- \n]{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn a_spoilt_file_is_read_or_refused(at in 0_usize..200, with in "[\\PC\n]") {
        let mut text = header("traffic-sizes") + "udp-request-sizes:\n   0-15: 5940\n   288-: 3\n";
        let at = text.char_indices().map(|(place, _)| place).nth(at).unwrap_or(0);
        text.insert_str(at, &with);
        let _ = read(&text);
    }
}
