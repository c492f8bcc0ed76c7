//! Zones with several keys, each with a part of its own.

use domain::base::iana::Rtype;
use domain::rdata::ZoneRecordData;
use lab::{Lab, World};

use crate::asker::{Answer, ask, at, noon, records};
use crate::dnssec::verify;

/// A root and a zone `x` whose signing is as given, in one edition or two; the second is served at 127.11.0.3.
async fn with_signing(signing: &[&str]) -> Lab {
    let mut world = String::from(
        "name = 'keys'\n[[server]]\nname = 'a.root'\naddresses = ['127.11.0.1']\nzones = ['.']\n\
         [[zone]]\nname = '.'\nfile = 'root.zone'\n",
    );
    for (at, signing) in signing.iter().enumerate() {
        let id = if at == 0 { "x".to_owned() } else { format!("{at}/x") };
        world.push_str(&format!(
            "[[server]]\nname = 'ns{at}.x'\naddresses = ['127.11.0.{}']\nzones = ['{id}']\n\
             [[zone]]\nname = 'x'\nid = '{id}'\nfile = 'x.zone'\nsigning = {signing}\n",
            at + 2
        ));
    }
    let root =
        "$TTL 60\n@ SOA a.root. h. 1 2 3 4 5\n@ NS a.root.\na.root. A 127.11.0.1\nx. NS ns0.x.\nns0.x. A 127.11.0.2\n";
    let zone = "$TTL 60\n@ SOA ns0 h 1 2 3 4 5\n@ NS ns0\nns0 A 127.11.0.2\n";
    let parts = [("world.toml", world.as_str()), ("root.zone", root), ("x.zone", zone)];
    Lab::start(World::from_parts(&parts).unwrap(), 0, noon()).await.unwrap()
}

async fn answer(lab: &Lab, rtype: Rtype) -> Answer {
    ask("x", rtype).udp(at(lab, "127.11.0.2")).await
}

/// Who has signed a type, by the names of keys.
async fn signers(lab: &Lab, rtype: Rtype, names: &[&str]) -> Vec<String> {
    let message = answer(lab, rtype).await;
    let mut signers = Vec::new();
    for record in records(message.answer().unwrap()) {
        let ZoneRecordData::Rrsig(rrsig) = record.data() else {
            continue;
        };
        let signer = names.iter().find(|name| {
            let key = lab.dnskey_named("x", name).unwrap();
            key.key_tag() == rrsig.key_tag() && key.algorithm() == rrsig.algorithm()
        });
        signers.push((*signer.unwrap()).to_owned());
    }
    signers.sort();
    signers
}

#[tokio::test]
async fn each_key_signs_what_it_is_told_to() {
    let names = ["ksk", "zsk", "other"];
    let lab = with_signing(&["{ keys = [
        { name = 'ksk', signs = ['DNSKEY'] },
        { name = 'zsk', flags = 256, algorithm = 'ecdsa_p384', spares = ['DNSKEY'] },
        { name = 'other', algorithm = 'ed25519', signs = ['SOA', 'NS'], spares = ['NS'], ds = false } ] }"])
    .await;
    assert_eq!(signers(&lab, Rtype::DNSKEY, &names).await, ["ksk"]);
    assert_eq!(signers(&lab, Rtype::SOA, &names).await, ["other", "zsk"]);
    assert_eq!(signers(&lab, Rtype::NS, &names).await, ["zsk"]);
    let keys = answer(&lab, Rtype::DNSKEY).await;
    assert_eq!(verify(&keys, &lab.dnskey_named("x", "ksk").unwrap()).good, 1);
    let soa = answer(&lab, Rtype::SOA).await;
    for (name, algorithm) in [("zsk", 14), ("other", 15)] {
        let key = lab.dnskey_named("x", name).unwrap();
        assert_eq!(key.algorithm().to_int(), algorithm);
        assert_eq!(verify(&soa, &key).good, 1, "{name}");
    }
    let ds: Vec<u16> = lab
        .delegation(&"x".parse().unwrap())
        .unwrap()
        .ds
        .iter()
        .map(|ds| ds.key_tag)
        .collect();
    assert_eq!(ds, [lab.dnskey_named("x", "ksk").unwrap().key_tag()]);
}

#[tokio::test]
async fn a_key_can_sign_unseen_and_be_seen_without_signing() {
    let lab = with_signing(&["{ keys = [
        { name = 'gone', published = false },
        { name = 'small', public_only = { algorithm = 8, bits = 1023 } },
        { name = 'odd', flags = 0, public_only = { algorithm = 253, bits = 77 } } ] }"])
    .await;
    let names = ["gone", "small", "odd"];
    assert_eq!(signers(&lab, Rtype::DNSKEY, &names).await, ["gone"]);
    let message = answer(&lab, Rtype::DNSKEY).await;
    let mut sizes: Vec<(u8, u16, usize)> = Vec::new();
    for record in records(message.answer().unwrap()) {
        if let ZoneRecordData::Dnskey(key) = record.data() {
            sizes.push((key.algorithm().to_int(), key.flags(), key.public_key().len()));
        }
    }
    sizes.sort();
    assert_eq!(sizes, [(8, 257, 4 + 128), (253, 0, 10)]);
    let small = lab.dnskey_named("x", "small").unwrap();
    let modulus = &small.public_key()[4..];
    assert_eq!((&small.public_key()[..4], modulus[0] >> 6), (&[3, 1, 0, 1][..], 1));
    assert_eq!(modulus[127] & 1, 1);
}

#[tokio::test]
async fn editions_share_the_keys_that_they_call_the_same() {
    let lab = with_signing(&[
        "{ keys = [{ name = 'a' }, { name = 'b', flags = 256 }] }",
        "{ keys = [{ name = 'a', signs = ['DNSKEY'] }, { name = 'c', flags = 256 }] }",
    ])
    .await;
    let first = lab.dnskey_named("x", "a");
    assert!(first.is_some());
    assert_eq!(first, lab.dnskey_named("1/x", "a"));
    assert_eq!(lab.dnskey_named("1/x", "b"), None);
    let soa = ask("x", Rtype::SOA).udp(at(&lab, "127.11.0.3")).await;
    assert_eq!(verify(&soa, &lab.dnskey_named("1/x", "c").unwrap()).good, 1);
    assert_eq!(verify(&soa, &first.unwrap()).good, 0);
}

#[tokio::test]
async fn a_zone_publishes_what_it_asks_of_its_parent() {
    let lab =
        with_signing(&["{ keys = [{ name = 'a' }], cds = ['a', 'delete', '1,13,2,00ff'], cdnskey = ['delete', 'a'] }"])
            .await;
    let key = lab.dnskey_named("x", "a").unwrap();
    let message = answer(&lab, Rtype::CDS).await;
    assert_eq!(verify(&message, &key).good, 1);
    let mut tags = Vec::new();
    for record in records(message.answer().unwrap()) {
        if let ZoneRecordData::Cds(cds) = record.data() {
            tags.push((cds.algorithm().to_int(), cds.key_tag()));
        }
    }
    tags.sort();
    let mut expected = [(0, 0), (13, 1), (13, key.key_tag())];
    expected.sort();
    assert_eq!(tags, expected);
    let message = answer(&lab, Rtype::CDNSKEY).await;
    assert_eq!(
        (verify(&message, &key).good, records(message.answer().unwrap()).len()),
        (1, 3)
    );
}

#[test]
fn signing_that_does_not_fit_says_why() {
    for (signing, reason) in [
        ("keys = [{ name = 'a' }, { name = 'a' }]", "two keys have the name `a`"),
        ("cds = ['b']", "`b` is neither the name of a key nor `delete`"),
        (
            "keys = [{ name = 'a' }], cdnskey = ['1,13,2,00']",
            "`1,13,2,00` is neither the name of a key nor `delete`",
        ),
        (
            "keys = [{ name = 'a', public_only = { algorithm = 8, bits = 7 } }]",
            "a key of 7 bits is not between 8 and 8192",
        ),
    ] {
        let world = format!("name = 'keys'\n[[zone]]\nname = 'x'\nfile = 'x.zone'\nsigning = {{ {signing} }}\n");
        let parts = [
            ("world.toml", world.as_str()),
            ("x.zone", "@ 60 SOA a. b. 1 2 3 4 5\n@ NS a.\n"),
        ];
        let error = World::from_parts(&parts).unwrap_err().to_string();
        assert_eq!(error, format!("`world.toml`: signing of the zone `x`: {reason}"));
    }
}
