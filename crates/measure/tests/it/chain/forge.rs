//! Faults made to order at one server of a lab.

use domain::base::iana::{Class, Nsec3HashAlgorithm, Rtype};
use domain::base::{Record as WireRecord, Ttl};
use domain::dnssec::common::nsec3_hash;
use domain::rdata::dnssec::RtypeBitmap;
use domain::rdata::nsec3::{Nsec3Salt, OwnerHash};
use domain::rdata::{Nsec, Nsec3, ZoneRecordData};
use lab::{Answer, Forger, Lab, Manner, Record, RecordData};
use model::Name;

use crate::case_in_lab::{name, noon};

/// The second server of the zones below `test` and `example`.
pub const SECOND: &str = "127.10.3.2";

pub fn forger(lab: &Lab, zone: &str) -> Forger {
    lab.forger(zone).unwrap()
}

/// A new key of the same algorithm as the zone's, with these flags.
pub fn new_key(zone: &str, flags: u16) -> Forger {
    let parameters = domain::crypto::sign::GenerateParams::EcdsaP256Sha256;
    let (secret, public) = domain::crypto::sign::generate(&parameters, flags).unwrap();
    Forger::new(&name(zone), &secret, public).unwrap()
}

/// A signature as it should be.
pub fn sign(forger: &Forger, records: &[Record]) -> Record {
    forger.sign(records, noon().as_second(), &Manner::default())
}

/// Changes the answers with DNSSEC of one server on one name and type; those without are left alone.
pub fn change(
    lab: &Lab,
    server: &str,
    (qname, qtype): (&str, Rtype),
    change: impl Fn(&mut Answer) + Send + Sync + 'static,
) {
    let qname = name(qname);
    lab.tamper(server.parse().unwrap(), move |answer| {
        let sections = [&answer.answer, &answer.authority];
        let is_signed = sections
            .iter()
            .any(|section| section.iter().any(|record| record.rtype() == Rtype::RRSIG));
        if answer.qname == qname && answer.qtype == qtype && is_signed {
            change(answer);
        }
    });
}

/// The same at both servers of the zones below `test` and `example`.
pub fn change_everywhere(lab: &Lab, at: (&str, Rtype), how: impl Fn(&mut Answer) + Clone + Send + Sync + 'static) {
    for server in ["127.10.3.1", SECOND] {
        change(lab, server, at, how.clone());
    }
}

pub fn record(owner: &str, ttl: u32, data: RecordData) -> Record {
    WireRecord::new(name(owner).as_wire().clone(), Class::IN, Ttl::from_secs(ttl), data)
}

/// Adds keys to the key set of a zone at `server` and signs it again with the zone's own key and `signers`.
pub fn add_keys(lab: &Lab, zone: &str, server: &str, keys: Vec<Record>, signers: Vec<Forger>) {
    let own = forger(lab, zone);
    change(lab, server, (zone, Rtype::DNSKEY), move |answer| {
        answer.answer.retain(|record| record.rtype() == Rtype::DNSKEY);
        answer.answer.extend(keys.iter().cloned());
        let signatures: Vec<Record> = std::iter::once(&own)
            .chain(&signers)
            .map(|forger| sign(forger, &answer.answer))
            .collect();
        answer.answer.extend(signatures);
    });
}

/// Gives the answer of a zone other records with signatures of the zone's key.
pub fn signed(forger: &Forger, records: Vec<Record>) -> Vec<Record> {
    let signature = sign(forger, &records);
    records.into_iter().chain([signature]).collect()
}

/// Puts these records, each signed, in place of the proofs in an answer.
pub fn replace_proofs(answer: &mut Answer, proofs: Vec<Vec<Record>>) {
    let is_proof = |record: &Record| match record.data() {
        ZoneRecordData::Rrsig(rrsig) => matches!(rrsig.type_covered(), Rtype::NSEC | Rtype::NSEC3),
        _ => matches!(record.rtype(), Rtype::NSEC | Rtype::NSEC3),
    };
    answer.authority.retain(|record| !is_proof(record));
    answer.authority.extend(proofs.into_iter().flatten());
}

pub fn types(list: &[Rtype]) -> RtypeBitmap<Vec<u8>> {
    let mut builder = RtypeBitmap::<Vec<u8>>::builder();
    list.iter().for_each(|rtype| builder.add(*rtype).unwrap());
    builder.finalize()
}

pub fn nsec(owner: &str, next: &str, list: &[Rtype]) -> Record {
    record(
        owner,
        3600,
        ZoneRecordData::Nsec(Nsec::new(name(next).as_wire().clone(), types(list))),
    )
}

/// What an NSEC3 record is made of; the hashes of its span lie beside that of a name.
pub struct Proof<'a> {
    pub zone: &'a str,
    /// First and last hash.
    pub span: (Vec<u8>, Vec<u8>),
    pub types: &'a [Rtype],
    pub algorithm: u8,
    pub iterations: u16,
    pub salt: Vec<u8>,
    pub opt_out: bool,
}

impl<'a> Proof<'a> {
    /// One that belongs to `name` and covers nothing.
    pub fn at(zone: &'a str, name: &str, types: &'a [Rtype]) -> Self {
        let hash = hash(name);
        Self {
            zone,
            span: (hash.clone(), beside(&hash, 1)),
            types,
            algorithm: 1,
            iterations: 0,
            salt: Vec::new(),
            opt_out: false,
        }
    }

    /// One that covers `name` and nothing else.
    pub fn over(zone: &'a str, name: &str) -> Self {
        let hash = hash(name);
        Self {
            span: (beside(&hash, -1), beside(&hash, 1)),
            ..Self::at(zone, name, &[])
        }
    }

    pub fn record(&self) -> Record {
        let label = domain::utils::base32::encode_string_hex(&self.span.0);
        let data = Nsec3::new(
            Nsec3HashAlgorithm::from_int(self.algorithm),
            u8::from(self.opt_out),
            self.iterations,
            Nsec3Salt::from_octets(self.salt.clone()).unwrap(),
            OwnerHash::from_octets(self.span.1.clone()).unwrap(),
            types(self.types),
        );
        record(
            &format!("{}.{}", label.to_lowercase(), self.zone),
            3600,
            ZoneRecordData::Nsec3(data),
        )
    }
}

pub fn hash(of: &str) -> Vec<u8> {
    let salt = Nsec3Salt::<Vec<u8>>::empty();
    let hash: OwnerHash<Vec<u8>> = nsec3_hash(name(of).as_wire(), Nsec3HashAlgorithm::SHA1, 0, &salt).unwrap();
    hash.into_octets()
}

/// The hash one before or after.
fn beside(hash: &[u8], step: i16) -> Vec<u8> {
    let mut hash = hash.to_vec();
    let last = hash.last_mut().unwrap();
    // that 8 bits are enough is so for the names of these tests
    *last = last.checked_add_signed(i8::try_from(step).unwrap()).unwrap();
    hash
}

/// The name that the checks ask for although no zone has it.
pub fn no_such_name(zone: &str) -> String {
    format!("dnscert-no-such-name.{zone}")
}

/// A record's owner changed, as a server does that expands a wildcard.
pub fn renamed(record: &Record, owner: &str) -> Record {
    let owner: Name = name(owner);
    WireRecord::new(
        owner.as_wire().clone(),
        record.class(),
        record.ttl(),
        record.data().clone(),
    )
}
