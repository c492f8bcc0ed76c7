//! Signs zones (RFC 4034, RFC 4035 §2, RFC 5155 §7.1) and keeps their keys.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::base::iana::{Class, DigestAlgorithm, Rtype};
use domain::base::{Record as WireRecord, Ttl};
use domain::crypto::sign::{GenerateParams, KeyPair, SecretKeyBytes, generate};
use domain::dnssec::common::{display_as_bind, parse_from_bind};
use domain::dnssec::sign::SigningConfig;
use domain::dnssec::sign::denial::config::DenialConfig;
use domain::dnssec::sign::denial::nsec::GenerateNsecConfig;
use domain::dnssec::sign::denial::nsec3::GenerateNsec3Config;
use domain::dnssec::sign::keys::SigningKey;
use domain::dnssec::sign::records::{DefaultSorter, Rrset, SortedRecords};
use domain::dnssec::sign::signatures::rrsigs::sign_rrset;
use domain::dnssec::sign::traits::SignableZoneInPlace;
use domain::dnssec::validator::base::DnskeyExt;
use domain::rdata::{Dnskey, Nsec3param, ZoneRecordData};
use model::{Ds, Name};

use crate::world::{Algorithm, Denial, Zone};
use crate::zone_file::{Data, Record};

/// Flags of a zone key that is also the secure entry point (RFC 4034 §2.1.1).
const KEY_FLAGS: u16 = 257;

/// Why a zone cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// No key can be made.
    #[error("cannot make a key for `{zone}`: {reason}")]
    Generate {
        /// The zone.
        zone: Name,
        /// Why.
        reason: String,
    },
    /// A kept key cannot be read or written.
    #[error("cannot use the key file `{}`: {reason}", file.display())]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The zone's records cannot be signed.
    #[error("cannot sign `{zone}`: {reason}")]
    Sign {
        /// The zone.
        zone: Name,
        /// Why.
        reason: String,
    },
}

/// The key of a zone: one that signs both the key set and the zone.
#[derive(Debug)]
pub(crate) struct ZoneKey {
    zone: Name,
    key: SigningKey<Vec<u8>, KeyPair>,
}

impl ZoneKey {
    fn new(zone: &Name, secret: &SecretKeyBytes, public: &Dnskey<Vec<u8>>) -> Result<Self, String> {
        let pair = KeyPair::from_bytes(secret, public).map_err(|error| error.to_string())?;
        Ok(Self {
            zone: zone.clone(),
            key: SigningKey::new(zone.as_wire().clone(), public.flags(), pair),
        })
    }

    /// The public key.
    pub fn dnskey(&self) -> Dnskey<Vec<u8>> {
        self.key.dnskey()
    }

    /// Its DS, with SHA-256.
    pub fn ds(&self) -> Ds {
        let key = self.dnskey();
        let digest = key
            .digest(self.zone.as_wire(), DigestAlgorithm::SHA256)
            .expect("SHA-256 is a digest that the library knows");
        Ds {
            key_tag: key.key_tag(),
            algorithm: key.algorithm().to_int(),
            digest_type: DigestAlgorithm::SHA256.to_int(),
            digest: digest.as_ref().to_vec(),
        }
    }
}

/// The keys of a world's zones, by zone id and how often the key was swapped.
#[derive(Debug)]
pub(crate) struct Keys {
    folder: Option<PathBuf>,
    known: HashMap<(String, u32), Arc<ZoneKey>>,
}

impl Keys {
    /// Keys that live in `folder`, or in memory only.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            known: HashMap::new(),
        }
    }

    /// The zone's key of this generation: made when it is asked for the first time.
    pub fn get(&mut self, zone: &Zone, algorithm: Algorithm, generation: u32) -> Result<Arc<ZoneKey>, SignError> {
        let id = (zone.id.clone(), generation);
        if let Some(key) = self.known.get(&id) {
            return Ok(Arc::clone(key));
        }
        let key = match &self.folder {
            None => make(&zone.name, algorithm)?.0,
            Some(folder) => keep(folder, zone, algorithm, generation)?,
        };
        let key = Arc::new(key);
        self.known.insert(id, Arc::clone(&key));
        Ok(key)
    }
}

fn make(zone: &Name, algorithm: Algorithm) -> Result<(ZoneKey, SecretKeyBytes), SignError> {
    let wrong = |reason: String| SignError::Generate {
        zone: zone.clone(),
        reason,
    };
    let parameters = match algorithm {
        Algorithm::EcdsaP256 => GenerateParams::EcdsaP256Sha256,
        Algorithm::Ed25519 => GenerateParams::Ed25519,
    };
    let (secret, public) = generate(&parameters, KEY_FLAGS).map_err(|error| wrong(error.to_string()))?;
    let key = ZoneKey::new(zone, &secret, &public).map_err(wrong)?;
    Ok((key, secret))
}

/// Reads the key from its pair of files in the form that BIND's tools use, or makes and writes it.
fn keep(folder: &Path, zone: &Zone, algorithm: Algorithm, generation: u32) -> Result<ZoneKey, SignError> {
    let edition: String = zone
        .id
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let stem = format!("K{edition}+{:03}+{generation:05}", algorithm.number());
    let (private, public) = (
        folder.join(format!("{stem}.private")),
        folder.join(format!("{stem}.key")),
    );
    let wrong = |file: &Path, reason: String| SignError::KeyFile {
        file: file.to_owned(),
        reason,
    };
    let read = |file: &Path| std::fs::read_to_string(file).map_err(|error| wrong(file, error.to_string()));
    if private.exists() {
        let secret =
            SecretKeyBytes::parse_from_bind(&read(&private)?).map_err(|error| wrong(&private, error.to_string()))?;
        let record = parse_from_bind::<Vec<u8>>(&read(&public)?).map_err(|error| wrong(&public, error.to_string()))?;
        return ZoneKey::new(&zone.name, &secret, record.data()).map_err(|reason| wrong(&private, reason));
    }
    let (key, secret) = make(&zone.name, algorithm)?;
    let record = WireRecord::new(zone.name.as_wire(), Class::IN, Ttl::HOUR, key.dnskey());
    let write = |file: &Path, text: String| std::fs::write(file, text).map_err(|error| wrong(file, error.to_string()));
    std::fs::create_dir_all(folder).map_err(|error| wrong(folder, error.to_string()))?;
    // The private file comes last: it is what says that the pair is whole.
    write(&public, display_as_bind(&record).to_string())?;
    write(&private, secret.display_as_bind().to_string())?;
    Ok(key)
}

/// A span of validity, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Validity {
    pub inception: i64,
    pub expiration: i64,
}

/// Signs the records of a zone: gives them back with DNSKEY, denial chain and RRSIGs.
pub(crate) fn sign(
    apex: &Name,
    records: Vec<Record>,
    key: &ZoneKey,
    denial: Denial,
    validity: Validity,
) -> Result<Vec<Record>, SignError> {
    let wrong = |reason: String| SignError::Sign {
        zone: apex.clone(),
        reason,
    };
    // RRSIG times are 32 bits wide and wrap (RFC 4034 §3.1.5).
    let (inception, expiration) = ((validity.inception as u32).into(), (validity.expiration as u32).into());
    let denial = match denial {
        Denial::Nsec => DenialConfig::Nsec(GenerateNsecConfig::new()),
        Denial::Nsec3 => DenialConfig::Nsec3(GenerateNsec3Config::<Vec<u8>, DefaultSorter>::new(Nsec3param::default())),
    };
    let ttl = records
        .iter()
        .find(|record| record.rtype() == Rtype::SOA)
        .map_or(Ttl::HOUR, Record::ttl);
    let data: Data = ZoneRecordData::Dnskey(key.dnskey());
    let keys = vec![WireRecord::new(apex.as_wire().clone(), Class::IN, ttl, data)];
    let of_type = |rtype| {
        records
            .iter()
            .filter(|record| record.rtype() == rtype)
            .cloned()
            .collect()
    };
    // What `sign_zone` leaves to a key-signing key, which here is the same key.
    let left_out: [Vec<Record>; 3] = [keys.clone(), of_type(Rtype::CDS), of_type(Rtype::CDNSKEY)];
    let mut zone: SortedRecords<domain::base::Name<Vec<u8>>, Data> = SortedRecords::new();
    zone.extend(records);
    zone.sign_zone(
        apex.as_wire(),
        &SigningConfig::new(denial, inception, expiration),
        &[&key.key],
    )
    .map_err(|error| wrong(error.to_string()))?;
    let mut signed = zone.into_inner();

    for records in left_out.iter().filter(|records| !records.is_empty()) {
        let set = Rrset::new_from_owned(records).map_err(|error| wrong(error.to_string()))?;
        let signature = sign_rrset(&key.key, &set, inception, expiration).map_err(|error| wrong(error.to_string()))?;
        signed.push(WireRecord::new(
            apex.as_wire().clone(),
            Class::IN,
            ttl,
            ZoneRecordData::Rrsig(signature.into_data()),
        ));
    }
    signed.extend(keys);
    Ok(signed)
}
