//! chain09 to chain12: what zone and parent settle by themselves, and the digest of the zone.

use domain::base::iana::{DigestAlgorithm, OptRcode, Rtype, SecurityAlgorithm};
use domain::base::rdata::UnknownRecordData;
use domain::rdata::{Cdnskey, Cds, ZoneRecordData, Zonemd};
use lab::{Answer, Forger, Lab, Record, World};
use model::Ds;

use super::forge::{SECOND, forger, new_key, record, signed};
use super::said;
use crate::case_in_lab::{name, noon, pocket, set_ds};

const BOTH: &str = "ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2";
const AT_SECOND: &str = "ns_list=ns2.good.test/127.10.3.2";

async fn lines_of(lab: &Lab, zone: &str, case: &str) -> Vec<String> {
    let mut lines = said(lab, zone).await;
    lines.retain(|line| line.starts_with(case));
    lines
}

/// Lets servers answer a question at the apex of a zone with these records, signed.
fn publish(lab: &Lab, zone: &str, servers: &[&str], rtype: Rtype, records: Vec<Record>) {
    for server in servers {
        let key: Forger = forger(lab, zone);
        let (apex, records) = (name(zone), records.clone());
        lab.tamper(server.parse().unwrap(), move |answer: &mut Answer| {
            if answer.qname == apex && answer.qtype == rtype {
                answer.answer = signed(&key, records.clone());
                answer.authority.clear();
            }
        });
    }
}

const EVERYWHERE: &[&str] = &["127.10.3.1", SECOND];

fn cds(zone: &str, ds: &Ds) -> Record {
    let data = Cds::new(
        ds.key_tag,
        SecurityAlgorithm::from_int(ds.algorithm),
        DigestAlgorithm::from_int(ds.digest_type),
        ds.digest.clone(),
    );
    record(zone, 300, ZoneRecordData::Cds(data.unwrap()))
}

fn delete(digest: u8) -> (Record, Record) {
    let cds = Cds::new(
        0,
        SecurityAlgorithm::from_int(0),
        DigestAlgorithm::from_int(0),
        vec![digest],
    );
    let key = Cdnskey::new(0, 3, SecurityAlgorithm::from_int(0), vec![digest]);
    (
        record("good.test", 300, ZoneRecordData::Cds(cds.unwrap())),
        record("good.test", 300, ZoneRecordData::Cdnskey(key.unwrap())),
    )
}

#[tokio::test]
async fn a_wish_that_the_parent_has_met_or_not_is_told() {
    let lab = pocket().await;
    assert_eq!(lines_of(&lab, "good.test", "CH09").await, [""; 0], "nothing is wished");
    let own = lab.ds("good.test").unwrap();
    publish(&lab, "good.test", EVERYWHERE, Rtype::CDS, vec![cds("good.test", &own)]);
    let tag = own.key_tag;
    assert_eq!(
        lines_of(&lab, "good.test", "CH09").await,
        [format!("CH09_DS_AS_WISHED ds_wanted={tag} {BOTH}")]
    );
    set_ds(&lab, "good.test", Vec::new());
    assert_eq!(
        lines_of(&lab, "good.test", "CH09").await,
        [format!("CH09_DS_NOT_ENTERED ds_wanted={tag} {BOTH}")]
    );
}

#[tokio::test]
async fn a_wish_made_by_cdnskey_alone_counts_as_much() {
    let lab = pocket().await;
    let key = new_key("good.test", 257);
    let own = key.dnskey();
    let data = Cdnskey::new(257, 3, own.algorithm(), own.public_key().clone()).unwrap();
    let wish = record("good.test", 300, ZoneRecordData::Cdnskey(data));
    publish(&lab, "good.test", EVERYWHERE, Rtype::CDNSKEY, vec![wish]);
    assert_eq!(
        lines_of(&lab, "good.test", "CH09").await,
        [
            format!("CH09_DS_DIFFERS ds_wanted={} {BOTH}", key.ds().key_tag),
            format!("CH09_WOULD_BREAK {BOTH}"),
        ]
    );
}

#[tokio::test]
async fn a_wish_that_would_break_the_chain_is_told_before_the_parent_acts() {
    let lab = pocket().await;
    let stranger = new_key("good.test", 257).ds();
    publish(
        &lab,
        "good.test",
        EVERYWHERE,
        Rtype::CDS,
        vec![cds("good.test", &stranger)],
    );
    assert_eq!(
        lines_of(&lab, "good.test", "CH09").await,
        [
            format!("CH09_DS_DIFFERS ds_wanted={} {BOTH}", stranger.key_tag),
            format!("CH09_WOULD_BREAK {BOTH}"),
        ]
    );
}

#[tokio::test]
async fn the_removal_of_the_ds_is_asked_for_in_one_form_only() {
    for (octet, lines) in [
        (0, vec![format!("CH09_DELETE_NOT_DONE {BOTH}")]),
        (
            1,
            vec![
                format!("CH09_DELETE_FORM_WRONG {BOTH} rrtype=CDNSKEY"),
                format!("CH09_DELETE_FORM_WRONG {BOTH} rrtype=CDS"),
                format!("CH09_DELETE_NOT_DONE {BOTH}"),
            ],
        ),
    ] {
        let lab = pocket().await;
        let (cds, cdnskey) = delete(octet);
        publish(&lab, "good.test", EVERYWHERE, Rtype::CDS, vec![cds]);
        publish(&lab, "good.test", EVERYWHERE, Rtype::CDNSKEY, vec![cdnskey]);
        assert_eq!(lines_of(&lab, "good.test", "CH09").await, lines);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_for_cds_holds_the_parent_up() {
    let lab = pocket().await;
    let own = lab.ds("good.test").unwrap();
    publish(&lab, "good.test", EVERYWHERE, Rtype::CDS, vec![cds("good.test", &own)]);
    lab.tamper(SECOND.parse().unwrap(), |answer| {
        if answer.qtype == Rtype::CDNSKEY {
            answer.rcode = OptRcode::SERVFAIL;
        }
    });
    let lines = lines_of(&lab, "good.test", "CH09").await;
    assert!(
        lines.contains(&format!("CH09_NOT_HEARD_EVERYWHERE {AT_SECOND}")),
        "{lines:?}"
    );
}

/// A CSYNC of this serial, these flags, and a bitmap.
fn csync(serial: u32, flags: u16, bitmap: &[u8]) -> Record {
    let octets = [&serial.to_be_bytes()[..], &flags.to_be_bytes(), bitmap].concat();
    let data = UnknownRecordData::from_octets(Rtype::CSYNC, octets).unwrap();
    record("good.test", 300, ZoneRecordData::Unknown(data))
}

/// NS, A and AAAA.
const ADDRESSES: &[u8] = &[0, 4, 0x60, 0, 0, 8];

#[tokio::test]
async fn each_thing_that_keeps_the_parent_from_following_csync_is_named() {
    let serial = 2_026_110_101;
    for (records, tags) in [
        (vec![csync(serial, 3, ADDRESSES)], vec![]),
        (vec![csync(serial, 2, ADDRESSES)], vec!["CH10_NOT_IMMEDIATE"]),
        (vec![csync(serial, 7, ADDRESSES)], vec!["CH10_FLAGS_UNKNOWN"]),
        (vec![csync(serial + 1, 3, ADDRESSES)], vec!["CH10_SERIAL_NOT_REACHED"]),
        // MX as well
        (vec![csync(serial, 3, &[0, 2, 0x20, 1])], vec!["CH10_TYPES_UNKNOWN"]),
        (vec![csync(serial, 3, &[0, 9, 1])], vec!["CH10_FORM_WRONG"]),
        (
            vec![csync(serial, 3, ADDRESSES), csync(serial, 1, ADDRESSES)],
            vec!["CH10_SEVERAL"],
        ),
    ] {
        let lab = pocket().await;
        publish(&lab, "good.test", EVERYWHERE, Rtype::CSYNC, records);
        let expected: Vec<String> = tags.iter().map(|tag| format!("{tag} {BOTH}")).collect();
        assert_eq!(lines_of(&lab, "good.test", "CH10").await, expected);
    }
}

#[tokio::test]
async fn csync_must_be_secure_and_the_same_everywhere() {
    let lab = pocket().await;
    publish(
        &lab,
        "good.test",
        &["127.10.3.1"],
        Rtype::CSYNC,
        vec![csync(1, 1, ADDRESSES)],
    );
    let lines = lines_of(&lab, "good.test", "CH10").await;
    assert!(lines.iter().any(|line| line.starts_with("CH10_DIFFERS")), "{lines:?}");
    set_ds(&lab, "good.test", Vec::new());
    let lines = lines_of(&lab, "good.test", "CH10").await;
    assert!(lines.contains(&format!("CH10_NOT_SECURE {BOTH}")), "{lines:?}");
}

#[tokio::test]
async fn a_parent_that_has_not_followed_csync_is_told() {
    let lab = pocket().await;
    lab::Lab::apply(
        &lab,
        &lab::Event::new(lab::Change::Redelegate {
            zone: name("good.test"),
            ns: [(name("ns1.good.test"), vec!["127.10.3.1".parse().unwrap()])].into(),
            ds: lab::DsChange::Keep,
        }),
    )
    .unwrap();
    publish(
        &lab,
        "good.test",
        EVERYWHERE,
        Rtype::CSYNC,
        vec![csync(1, 1, ADDRESSES)],
    );
    let lines = lines_of(&lab, "good.test", "CH10").await;
    assert!(lines.contains(&format!("CH10_NOT_DONE {BOTH}")), "{lines:?}");
}

#[tokio::test]
async fn signals_for_the_first_ds_are_compared_with_the_zone() {
    let lab = pocket().await;
    set_ds(&lab, "shop.example", Vec::new());
    let wish = cds("shop.example", &lab.ds("shop.example").unwrap());
    publish(&lab, "shop.example", EVERYWHERE, Rtype::CDS, vec![wish.clone()]);
    assert_eq!(
        lines_of(&lab, "shop.example", "CH11").await,
        ["CH11_NO_SIGNAL nsname_list=ns1.good.test;ns2.good.test"]
    );
    // each name server has its own name for the signal; both servers hold both
    let other = cds("shop.example", &new_key("shop.example", 257).ds());
    for (server, record) in [("ns1.good.test", wish), ("ns2.good.test", other)] {
        let signal = format!("_dsboot.shop.example._signal.{server}");
        for address in EVERYWHERE {
            let (owner, record) = (name(&signal), super::forge::renamed(&record, &signal));
            lab.tamper(address.parse().unwrap(), move |answer| {
                if answer.qname == owner {
                    answer.rcode = OptRcode::NOERROR;
                    answer.answer = match answer.qtype {
                        Rtype::CDS => vec![record.clone()],
                        _ => Vec::new(),
                    };
                }
            });
        }
    }
    assert_eq!(
        lines_of(&lab, "shop.example", "CH11").await,
        [
            "CH11_SIGNAL nsname_list=ns1.good.test",
            "CH11_SIGNAL_DIFFERS nsname_list=ns2.good.test",
        ]
    );
}

#[tokio::test]
async fn name_servers_within_the_zone_cannot_signal() {
    let lab = pocket().await;
    set_ds(&lab, "good.test", Vec::new());
    let wish = cds("good.test", &lab.ds("good.test").unwrap());
    publish(&lab, "good.test", EVERYWHERE, Rtype::CDS, vec![wish]);
    assert_eq!(
        lines_of(&lab, "good.test", "CH11").await,
        ["CH11_NAME_SERVER_IN_ZONE nsname_list=ns1.good.test;ns2.good.test"]
    );
}

fn zonemd(serial: u32, algorithm: u8, octets: usize) -> Record {
    let data = Zonemd::new(serial.into(), 1.into(), algorithm.into(), vec![9; octets]);
    record("good.test", 3600, ZoneRecordData::Zonemd(data))
}

#[tokio::test]
async fn each_thing_wrong_with_the_form_of_zonemd_is_named() {
    let serial = 2_026_110_101;
    for (records, tags) in [
        (vec![zonemd(serial, 1, 48)], vec![]),
        (vec![zonemd(serial - 1, 1, 48)], vec!["CH12_SERIAL_DIFFERS"]),
        (vec![zonemd(serial, 2, 48)], vec!["CH12_BAD_LENGTH"]),
        (vec![zonemd(serial, 77, 48)], vec!["CH12_NOT_SUPPORTED"]),
        (
            vec![zonemd(serial, 1, 48), {
                let mut second = zonemd(serial, 1, 48);
                if let ZoneRecordData::Zonemd(data) = second.data_mut() {
                    *data = Zonemd::new(serial.into(), 1.into(), 1.into(), vec![8; 48]);
                }
                second
            }],
            vec!["CH12_TWICE"],
        ),
    ] {
        let lab = pocket().await;
        publish(&lab, "good.test", EVERYWHERE, Rtype::ZONEMD, records);
        let expected: Vec<String> = tags.iter().map(|tag| format!("{tag} {BOTH}")).collect();
        assert_eq!(lines_of(&lab, "good.test", "CH12").await, expected);
    }
}

#[tokio::test]
async fn zonemd_that_some_servers_lack_is_named() {
    let lab = pocket().await;
    let record = zonemd(2_026_110_101, 1, 48);
    publish(&lab, "good.test", &["127.10.3.1"], Rtype::ZONEMD, vec![record]);
    assert_eq!(
        lines_of(&lab, "good.test", "CH12").await,
        [format!("CH12_MISSING_AT_SOME_SERVERS {AT_SECOND}")]
    );
}

/// A root that hands out itself, with this digest in it, signed with the key in `folder`.
async fn alone(folder: &std::path::Path, digest: &[u8]) -> Lab {
    let digest: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    let zone = format!(
        "@ 3600 SOA ns host 7 14400 3600 1209600 300\n@ 3600 NS ns\nns 3600 A 127.10.8.1\n@ 3600 ZONEMD 7 1 1 {digest}\n"
    );
    let world = "name = 'alone'\n[[server]]\nname = 'ns'\naddresses = ['127.10.8.1']\nzones = ['.']\n\
                 faults = [{ fault = 'open_transfer' }]\n\
                 [[zone]]\nname = '.'\nfile = 'root'\nsigning = { algorithm = 'ed25519', denial = 'nsec' }\n";
    let parts = [("world.toml", world), ("root", &zone)];
    let world = World::from_parts(&parts).unwrap().with_keys_in(folder.to_owned());
    Lab::start(world, 0, noon()).await.unwrap()
}

#[tokio::test]
async fn a_digest_is_compared_with_the_zone_where_it_may_be_transferred() {
    let keys = tempfile::tempdir().unwrap();
    let lab = alone(keys.path(), &[0xab; 48]).await;
    assert_eq!(
        lines_of(&lab, ".", "CH12").await,
        ["CH12_DIGEST_WRONG ns_list=ns/127.10.8.1"]
    );
    // the digest leaves itself out, so that of the zone with a wrong one is right
    let inquiry = measure::Internet::open(crate::case_in_lab::settings(&lab))
        .unwrap()
        .inquiry();
    let transfer = measure::Question::plain(&name("."), Rtype::AXFR).over_tcp();
    let exchange = inquiry.ask("127.10.8.1".parse().unwrap(), &transfer).await;
    let records = &exchange.response().unwrap().answer;
    let records: Vec<_> = records[1..].iter().map(measure::Record::to_wire).collect();
    let right = measure::dnssec::zonemd::digest(&name("."), &records, 1).unwrap();
    lab.stop().await;
    let lab = alone(keys.path(), &right).await;
    assert_eq!(
        lines_of(&lab, ".", "CH12").await,
        ["CH12_DIGEST_RIGHT ns_list=ns/127.10.8.1"]
    );
}
