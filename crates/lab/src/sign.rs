//! Signs zones (RFC 4034, RFC 4035 §2, RFC 5155 §7.1) and keeps their keys.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::base::iana::{Class, DigestAlgorithm, Rtype, SecurityAlgorithm};
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
use domain::rdata::{Cdnskey, Cds, Dnskey, Nsec3param, ZoneRecordData};
use model::{Ds, Name};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::forge::Forger;
use crate::signing::{Algorithm, Denial, Key, PublicOnly, Signing, Wish};
use crate::world::Zone;
use crate::zone_file::{Data, Record};

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

type Pair = SigningKey<Vec<u8>, KeyPair>;

/// The octets of a key: both halves, or the public one alone.
#[derive(Debug)]
struct Halves {
    public: Dnskey<Vec<u8>>,
    pair: Option<Pair>,
    /// The secret in the form of BIND's tools.
    secret: Option<String>,
}

impl Halves {
    fn both(zone: &Name, secret: &SecretKeyBytes, public: Dnskey<Vec<u8>>) -> Result<Self, String> {
        let pair = KeyPair::from_bytes(secret, &public).map_err(|error| error.to_string())?;
        let pair = SigningKey::new(zone.as_wire().clone(), public.flags(), pair);
        Ok(Self {
            public,
            pair: Some(pair),
            secret: Some(secret.display_as_bind().to_string()),
        })
    }

    /// Octets that look like a public key of this size, the same each time.
    fn public(half: PublicOnly, id: &KeyId) -> Result<Self, String> {
        let seed = id.name.bytes().fold(u64::from(id.generation), |seed, octet| {
            seed.wrapping_mul(31).wrapping_add(u64::from(octet))
        });
        let mut octets = vec![0; usize::from(half.bits).div_ceil(8)];
        StdRng::seed_from_u64(seed).fill_bytes(&mut octets);
        if half.is_rsa() {
            // The modulus has its highest bit where the size says, and is odd. Before it stands the exponent, 65537
            // (RFC 3110 §2).
            let highest = 1 << ((half.bits - 1) % 8);
            octets[0] = octets[0] & (highest - 1) | highest;
            *octets.last_mut().expect("a key has at least eight bits") |= 1;
            octets.splice(0..0, [3, 1, 0, 1]);
        }
        let algorithm = SecurityAlgorithm::from_int(half.algorithm);
        let public = Dnskey::new(id.flags, 3, algorithm, octets).map_err(|error| error.to_string())?;
        Ok(Self {
            public,
            pair: None,
            secret: None,
        })
    }
}

/// A key of a zone, with its duties in one edition of it.
#[derive(Debug, Clone)]
pub(crate) struct ZoneKey {
    zone: Name,
    /// What it is and does.
    pub key: Key,
    halves: Arc<Halves>,
}

impl ZoneKey {
    /// The public key.
    pub fn dnskey(&self) -> Dnskey<Vec<u8>> {
        self.halves.public.clone()
    }

    /// The key, to forge signatures with; none where only the public half is there.
    pub fn forger(&self) -> Option<Forger> {
        let secret =
            SecretKeyBytes::parse_from_bind(self.halves.secret.as_ref()?).expect("what was printed can be read");
        Some(Forger::new(&self.zone, &secret, self.dnskey()).expect("the same octets made a pair before"))
    }

    /// Its DS, with SHA-256.
    pub fn ds(&self) -> Ds {
        ds_of(&self.zone, &self.halves.public)
    }

    /// Whether it makes signatures over RRsets of this type that carry this algorithm and key tag.
    fn makes(&self, rtype: Rtype, algorithm: SecurityAlgorithm, key_tag: u16) -> bool {
        let key = &self.halves.public;
        key.algorithm() == algorithm && key.key_tag() == key_tag && self.key.signs(rtype)
    }
}

/// The DS of a key, with SHA-256.
pub(crate) fn ds_of(zone: &Name, key: &Dnskey<Vec<u8>>) -> Ds {
    let digest = key
        .digest(zone.as_wire(), DigestAlgorithm::SHA256)
        .expect("SHA-256 is a digest that the library knows");
    Ds {
        key_tag: key.key_tag(),
        algorithm: key.algorithm().to_int(),
        digest_type: DigestAlgorithm::SHA256.to_int(),
        digest: digest.as_ref().to_vec(),
    }
}

/// What makes a key another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct KeyId {
    /// The zone, or the edition that alone has it.
    owner: String,
    name: String,
    algorithm: Algorithm,
    public_only: Option<PublicOnly>,
    flags: u16,
    /// How often it was swapped.
    generation: u32,
}

/// The keys of a world's zones.
#[derive(Debug)]
pub(crate) struct Keys {
    folder: Option<PathBuf>,
    known: HashMap<KeyId, Arc<Halves>>,
}

/// How often a key is made anew when another key of the world has its key tag.
const TAG_ATTEMPTS: usize = 16;

impl Keys {
    /// Keys that live in `folder`, or in memory only.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            known: HashMap::new(),
        }
    }

    /// The zone's keys of this generation: each is made when it is asked for the first time.
    pub fn of(&mut self, zone: &Zone, signing: &Signing, generation: u32) -> Result<Vec<ZoneKey>, SignError> {
        let keys = signing.key_list().into_iter();
        keys.map(|key| {
            Ok(ZoneKey {
                zone: zone.name.clone(),
                halves: self.halves(zone, &key, generation)?,
                key,
            })
        })
        .collect()
    }

    fn halves(&mut self, zone: &Zone, key: &Key, generation: u32) -> Result<Arc<Halves>, SignError> {
        // A key with a name is the zone's in all its editions, one without belongs to its edition.
        let owner = if key.name.is_empty() {
            zone.id.clone()
        } else {
            zone.name.to_string()
        };
        let id = KeyId {
            owner,
            name: key.name.clone(),
            algorithm: key.algorithm,
            public_only: key.public_only,
            flags: key.flags,
            generation,
        };
        if let Some(known) = self.known.get(&id) {
            return Ok(Arc::clone(known));
        }
        let made = match (key.public_only, &self.folder) {
            (Some(half), _) => Halves::public(half, &id).map_err(|reason| SignError::Generate {
                zone: zone.name.clone(),
                reason,
            })?,
            (None, None) => self.make(&zone.name, &id)?.0,
            (None, Some(folder)) => self.keep(folder, &zone.name, &id)?,
        };
        let made = Arc::new(made);
        self.known.insert(id, Arc::clone(&made));
        Ok(made)
    }

    /// A new key, with a key tag that no other key of the world has.
    fn make(&self, zone: &Name, id: &KeyId) -> Result<(Halves, SecretKeyBytes), SignError> {
        let wrong = |reason: String| SignError::Generate {
            zone: zone.clone(),
            reason,
        };
        let parameters = match id.algorithm {
            Algorithm::EcdsaP256 => GenerateParams::EcdsaP256Sha256,
            Algorithm::EcdsaP384 => GenerateParams::EcdsaP384Sha384,
            Algorithm::Ed25519 => GenerateParams::Ed25519,
        };
        let is_taken = |tag| self.known.values().any(|halves| halves.public.key_tag() == tag);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (secret, public) = generate(&parameters, id.flags).map_err(|error| wrong(error.to_string()))?;
            if attempt < TAG_ATTEMPTS && is_taken(public.key_tag()) {
                continue;
            }
            let halves = Halves::both(zone, &secret, public).map_err(wrong)?;
            return Ok((halves, secret));
        }
    }

    /// Reads the key from its pair of files in the form that BIND's tools use, or makes and writes it.
    fn keep(&self, folder: &Path, zone: &Name, id: &KeyId) -> Result<Halves, SignError> {
        let safe = |text: &str| -> String {
            let kept = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            text.chars().map(|c| if kept(c) { c } else { '_' }).collect()
        };
        let mut stem = format!("K{}+{:03}+{:05}", safe(&id.owner), id.algorithm.number(), id.generation);
        if !id.name.is_empty() {
            stem = format!("{stem}-{}-{}", safe(&id.name), id.flags);
        }
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
            let secret = SecretKeyBytes::parse_from_bind(&read(&private)?)
                .map_err(|error| wrong(&private, error.to_string()))?;
            let record =
                parse_from_bind::<Vec<u8>>(&read(&public)?).map_err(|error| wrong(&public, error.to_string()))?;
            return Halves::both(zone, &secret, record.into_data()).map_err(|reason| wrong(&private, reason));
        }
        let (halves, secret) = self.make(zone, id)?;
        let record = WireRecord::new(zone.as_wire(), Class::IN, Ttl::HOUR, halves.public.clone());
        let write =
            |file: &Path, text: String| std::fs::write(file, text).map_err(|error| wrong(file, error.to_string()));
        std::fs::create_dir_all(folder).map_err(|error| wrong(folder, error.to_string()))?;
        // The private file comes last: it is what says that the pair is whole.
        write(&public, display_as_bind(&record).to_string())?;
        write(&private, secret.display_as_bind().to_string())?;
        Ok(halves)
    }
}

/// A span of validity, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Validity {
    pub inception: i64,
    pub expiration: i64,
}

/// Signs the records of a zone: gives them back with DNSKEY, what it asks of its parent, denial chain and RRSIGs.
pub(crate) fn sign(
    apex: &Name,
    mut records: Vec<Record>,
    keys: &[ZoneKey],
    signing: &Signing,
    validity: Validity,
) -> Result<Vec<Record>, SignError> {
    let wrong = |reason: String| SignError::Sign {
        zone: apex.clone(),
        reason,
    };
    // RRSIG times are 32 bits wide and wrap (RFC 4034 §3.1.5).
    let (inception, expiration) = ((validity.inception as u32).into(), (validity.expiration as u32).into());
    let denial = match signing.denial {
        Denial::Nsec => DenialConfig::Nsec(GenerateNsecConfig::new()),
        Denial::Nsec3 => DenialConfig::Nsec3(GenerateNsec3Config::<Vec<u8>, DefaultSorter>::new(Nsec3param::default())),
    };
    let ttl = records
        .iter()
        .find(|record| record.rtype() == Rtype::SOA)
        .map_or(Ttl::HOUR, Record::ttl);
    let at_apex = |data: Data| WireRecord::new(apex.as_wire().clone(), Class::IN, ttl, data);
    records.extend(wishes(keys, signing).map_err(wrong)?.into_iter().map(at_apex));
    let published = keys.iter().filter(|key| key.key.published);
    let dnskeys: Vec<Record> = published
        .map(|key| at_apex(ZoneRecordData::Dnskey(key.dnskey())))
        .collect();
    let of_type = |rtype| {
        records
            .iter()
            .filter(|record| record.rtype() == rtype)
            .cloned()
            .collect()
    };
    // What `sign_zone` leaves to key-signing keys.
    let left_out: [Vec<Record>; 3] = [dnskeys.clone(), of_type(Rtype::CDS), of_type(Rtype::CDNSKEY)];
    let pairs: Vec<&Pair> = keys.iter().filter_map(|key| key.halves.pair.as_ref()).collect();
    let mut zone: SortedRecords<domain::base::Name<Vec<u8>>, Data> = SortedRecords::new();
    zone.extend(records);
    zone.sign_zone(
        apex.as_wire(),
        &SigningConfig::new(denial, inception, expiration),
        &pairs,
    )
    .map_err(|error| wrong(error.to_string()))?;
    let mut signed = zone.into_inner();

    for records in left_out.iter().filter(|records| !records.is_empty()) {
        for pair in &pairs {
            let set = Rrset::new_from_owned(records).map_err(|error| wrong(error.to_string()))?;
            let signature = sign_rrset(pair, &set, inception, expiration).map_err(|error| wrong(error.to_string()))?;
            signed.push(at_apex(ZoneRecordData::Rrsig(signature.into_data())));
        }
    }
    // Every whole key has signed everything; now those signatures go that it should not have made.
    signed.retain(|record| match record.data() {
        ZoneRecordData::Rrsig(rrsig) => keys
            .iter()
            .any(|key| key.makes(rrsig.type_covered(), rrsig.algorithm(), rrsig.key_tag())),
        _ => true,
    });
    signed.extend(dnskeys);
    Ok(signed)
}

/// The CDS and CDNSKEY records that a zone's signing asks for.
fn wishes(keys: &[ZoneKey], signing: &Signing) -> Result<Vec<Data>, String> {
    let known = |wish: &Wish| keys.iter().find(|key| key.key.name == wish.0);
    let stranger = |wish: &Wish| format!("it has no key `{}`", wish.0);
    let mut records = Vec::new();
    for wish in &signing.cds {
        let deletion = || Ds {
            key_tag: 0,
            algorithm: 0,
            digest_type: 0,
            digest: vec![0],
        };
        let ds = match known(wish) {
            Some(key) => key.ds(),
            None if wish.is_delete() => deletion(),
            None => wish.as_ds().ok_or_else(|| stranger(wish))?,
        };
        let (algorithm, digest_type) = (
            SecurityAlgorithm::from_int(ds.algorithm),
            DigestAlgorithm::from_int(ds.digest_type),
        );
        let cds = Cds::new(ds.key_tag, algorithm, digest_type, ds.digest).map_err(|error| error.to_string())?;
        records.push(ZoneRecordData::Cds(cds));
    }
    for wish in &signing.cdnskey {
        let (flags, algorithm, octets) = match known(wish).map(ZoneKey::dnskey) {
            Some(key) => (key.flags(), key.algorithm(), key.public_key().clone()),
            None if wish.is_delete() => (0, SecurityAlgorithm::from_int(0), vec![0]),
            None => return Err(stranger(wish)),
        };
        let cdnskey = Cdnskey::new(flags, 3, algorithm, octets).map_err(|error| error.to_string())?;
        records.push(ZoneRecordData::Cdnskey(cdnskey));
    }
    Ok(records)
}
