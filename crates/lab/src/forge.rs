//! Signatures made to order: right ones with another key, and wrong ones in every field (RFC 4034 §3.1).

use domain::base::iana::{Class, SecurityAlgorithm};
use domain::base::{Record as WireRecord, Rtype, Ttl};
use domain::crypto::sign::{KeyPair, SecretKeyBytes, SignRaw as _};
use domain::dnssec::validator::base::RrsigExt as _;
use domain::rdata::dnssec::ProtoRrsig;
use domain::rdata::{Dnskey, ZoneRecordData};
use model::{Ds, Name};

use crate::sign::ds_of;
use crate::zone_file::Record;

/// A key of a zone in the hands of a test.
#[derive(Debug)]
pub struct Forger {
    zone: Name,
    dnskey: Dnskey<Vec<u8>>,
    pair: KeyPair,
}

/// The fields of a signature that a test may choose. What is `None` is as it should be.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Type covered.
    pub covered: Option<Rtype>,
    /// Algorithm.
    pub algorithm: Option<SecurityAlgorithm>,
    /// Number of labels.
    pub labels: Option<u8>,
    /// Original TTL, in seconds.
    pub original_ttl: Option<u32>,
    /// Begin and end, in seconds since 1970.
    pub validity: Option<(u32, u32)>,
    /// Key tag.
    pub key_tag: Option<u16>,
    /// Signer's name.
    pub signer: Option<Name>,
}

impl Forger {
    /// A key from its secret and public octets.
    ///
    /// # Errors
    /// Says why the two make no pair.
    pub fn new(zone: &Name, secret: &SecretKeyBytes, dnskey: Dnskey<Vec<u8>>) -> Result<Self, String> {
        let pair = KeyPair::from_bytes(secret, &dnskey).map_err(|error| error.to_string())?;
        Ok(Self {
            zone: zone.clone(),
            dnskey,
            pair,
        })
    }

    /// The public key.
    pub fn dnskey(&self) -> &Dnskey<Vec<u8>> {
        &self.dnskey
    }

    /// The same key with other flags, and so with another key tag.
    pub fn with_flags(self, flags: u16) -> Self {
        let old = &self.dnskey;
        let dnskey = Dnskey::new(flags, old.protocol(), old.algorithm(), old.public_key().clone())
            .expect("a key of the same length is a key");
        Self { dnskey, ..self }
    }

    /// Its DNSKEY record.
    pub fn record(&self, ttl: u32) -> Record {
        let data = ZoneRecordData::Dnskey(self.dnskey.clone());
        WireRecord::new(self.zone.as_wire().clone(), Class::IN, Ttl::from_secs(ttl), data)
    }

    /// Its DS, with SHA-256.
    pub fn ds(&self) -> Ds {
        ds_of(&self.zone, &self.dnskey)
    }

    /// The RRSIG over the records of one owner and type, valid for a day before and two weeks after `now` (in seconds since
    /// 1970) if `manner` does not say otherwise.
    ///
    /// The cryptographic part is right for what the fields say.
    pub fn sign(&self, records: &[Record], now: i64, manner: &Manner) -> Record {
        const DAY: i64 = 86_400;
        let first = records.first().expect("an RRset has a record");
        let owner = Name::from_wire(first.owner());
        let is_wildcard = owner.to_string().starts_with("*.");
        let (inception, expiration) = manner.validity.unwrap_or(((now - DAY) as u32, (now + 14 * DAY) as u32));
        let proto = ProtoRrsig::new(
            manner.covered.unwrap_or(first.rtype()),
            manner.algorithm.unwrap_or(self.dnskey.algorithm()),
            manner
                .labels
                .unwrap_or((owner.label_count() - usize::from(is_wildcard)) as u8),
            Ttl::from_secs(manner.original_ttl.unwrap_or(first.ttl().as_secs())),
            expiration.into(),
            inception.into(),
            manner.key_tag.unwrap_or(self.dnskey.key_tag()),
            manner.signer.as_ref().unwrap_or(&self.zone).as_wire().clone(),
        );
        let unsigned = proto
            .clone()
            .into_rrsig(Vec::new())
            .expect("a signature without octets fits a record");
        let mut set: Vec<&Record> = records.iter().collect();
        set.sort_by(|a, b| domain::base::CanonicalOrd::canonical_cmp(a.data(), b.data()));
        let mut signed = Vec::new();
        let Ok(()) = unsigned.signed_data(&mut signed, &mut set);
        let signature = self
            .pair
            .sign_raw(&signed)
            .expect("a pair that was made from its octets signs");
        let rrsig = proto
            .into_rrsig(signature.as_ref().to_vec())
            .expect("a signature fits a record");
        WireRecord::new(
            first.owner().clone(),
            Class::IN,
            first.ttl(),
            ZoneRecordData::Rrsig(rrsig),
        )
    }
}
