//! The key of the measuring zone: made once, kept in the data folder, and used for all zones below as well.

use std::path::{Path, PathBuf};

use domain::base::iana::{Class, DigestAlgorithm};
use domain::base::{Name as WireName, Record as WireRecord, Ttl};
use domain::crypto::sign::{GenerateParams, KeyPair, SecretKeyBytes, generate};
use domain::dnssec::common::{display_as_bind, parse_from_bind};
use domain::dnssec::sign::keys::SigningKey;
use domain::dnssec::sign::records::Rrset;
use domain::dnssec::sign::signatures::rrsigs::sign_rrset;
use domain::dnssec::validator::base::DnskeyExt;
use domain::rdata::{Dnskey, Ds as DsData, ZoneRecordData};
use jiff::Timestamp;
use model::{Ds, Name};

use super::tree::Zone;

/// Record data of the zone.
pub(super) type Data = ZoneRecordData<Vec<u8>, WireName<Vec<u8>>>;
/// A record of the zone.
pub(super) type Record = WireRecord<WireName<Vec<u8>>, Data>;

/// Flags of a zone key that is also the secure entry point (RFC 4034 §2.1.1).
const KEY_FLAGS: u16 = 257;
/// How far back signatures begin: clocks differ by minutes, and by an hour where time zones are set wrongly.
const BEFORE: i64 = 3_600;
/// How long signatures last. They are made for each answer, and have to outlive it in caches only.
const LASTS: i64 = 86_400;

/// Octets of the longest name on the wire. With the labels of a run it must stay within 255.
const LONGEST_NAME: usize = 128;

/// Why the zone cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The name leaves no room for the names of runs, or is the root's.
    #[error("`{zone}` cannot be a measuring zone: it must be below the root and have at most {LONGEST_NAME} octets")]
    Name {
        /// The name.
        zone: Name,
    },
    /// No key can be made.
    #[error("cannot make a key for the measuring zone `{zone}`: {reason}")]
    Make {
        /// The zone.
        zone: Name,
        /// Why.
        reason: String,
    },
    /// A kept key cannot be read or written.
    #[error("cannot use the key file `{}` of the measuring zone: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The key with all it is needed for.
pub(super) struct Keys {
    public: Dnskey<Vec<u8>>,
    by_zone: Vec<(Zone, Signing)>,
}

/// The key as that of one zone: signatures name their zone.
type Signing = SigningKey<Vec<u8>, KeyPair>;

impl Keys {
    /// A new key that is kept nowhere.
    pub fn made(zone: &Name) -> Result<Self, AuthorityError> {
        let (secret, public) = make(zone)?;
        Self::of(zone, &secret, public)
    }

    /// The key in `folder`, in the pair of files that BIND's tools use; made and written when it is missing.
    pub fn kept_in(folder: &Path, zone: &Name) -> Result<Self, AuthorityError> {
        let (private, public) = (file_of(folder, zone, "private"), file_of(folder, zone, "key"));
        let wrong = |file: &Path, reason: String| AuthorityError::File {
            file: file.to_owned(),
            reason,
        };
        if private.exists() {
            let read = |file: &Path| std::fs::read_to_string(file).map_err(|error| wrong(file, error.to_string()));
            let secret = SecretKeyBytes::parse_from_bind(&read(&private)?)
                .map_err(|error| wrong(&private, error.to_string()))?;
            let record =
                parse_from_bind::<Vec<u8>>(&read(&public)?).map_err(|error| wrong(&public, error.to_string()))?;
            return Self::of(zone, &secret, record.into_data()).map_err(|error| wrong(&private, error.to_string()));
        }
        let (secret, dnskey) = make(zone)?;
        let record = WireRecord::new(zone.as_wire(), Class::IN, Ttl::HOUR, dnskey.clone());
        std::fs::create_dir_all(folder).map_err(|error| wrong(folder, error.to_string()))?;
        let text = display_as_bind(&record).to_string();
        std::fs::write(&public, text).map_err(|error| wrong(&public, error.to_string()))?;
        // last: it is what says that the pair is whole
        write_secret(&private, &secret.display_as_bind().to_string())
            .map_err(|error| wrong(&private, error.to_string()))?;
        Self::of(zone, &secret, dnskey)
    }

    /// Whether there is a key in `folder` already.
    pub fn are_in(folder: &Path, zone: &Name) -> bool {
        file_of(folder, zone, "private").exists()
    }

    /// Whether a zone of this name can be served.
    pub fn check(zone: &Name) -> Result<(), AuthorityError> {
        match zone.is_root() || zone.as_wire().as_slice().len() > LONGEST_NAME {
            true => Err(AuthorityError::Name { zone: zone.clone() }),
            false => Ok(()),
        }
    }

    fn of(zone: &Name, secret: &SecretKeyBytes, public: Dnskey<Vec<u8>>) -> Result<Self, AuthorityError> {
        let mut by_zone = Vec::new();
        for part in Zone::SIGNED {
            let pair = KeyPair::from_bytes(secret, &public).map_err(|error| AuthorityError::Make {
                zone: zone.clone(),
                reason: error.to_string(),
            })?;
            let key = SigningKey::new(part.apex(zone).as_wire().clone(), public.flags(), pair);
            by_zone.push((part, key));
        }
        Ok(Self { public, by_zone })
    }

    pub fn dnskey(&self) -> Dnskey<Vec<u8>> {
        self.public.clone()
    }

    /// The DS of the key as that of `zone`, with SHA-256.
    pub fn ds(&self, zone: &Name) -> Ds {
        Ds {
            key_tag: self.public.key_tag(),
            algorithm: self.public.algorithm().to_int(),
            digest_type: DigestAlgorithm::SHA256.to_int(),
            digest: self.digest(zone),
        }
    }

    pub fn ds_data(&self, zone: &Name) -> Data {
        let ds = DsData::new(
            self.public.key_tag(),
            self.public.algorithm(),
            DigestAlgorithm::SHA256,
            self.digest(zone),
        );
        ZoneRecordData::Ds(ds.expect("a digest of 32 octets fits a record"))
    }

    fn digest(&self, zone: &Name) -> Vec<u8> {
        let digest = self.public.digest(zone.as_wire(), DigestAlgorithm::SHA256);
        digest
            .expect("SHA-256 is a digest that the library knows")
            .as_ref()
            .to_vec()
    }

    /// The signature over records of one owner and type. That of the zone `bad` is wrong, but for its key.
    pub fn sign(&self, zone: Zone, records: &[Record], now: Timestamp) -> Record {
        let (_, key) = self
            .by_zone
            .iter()
            .find(|(own, _)| *own == zone)
            .expect("only records of signed zones are signed");
        // signature times are 32 bits wide and wrap (RFC 4034 §3.1.5)
        let at = |seconds: i64| (now.as_second().saturating_add(seconds) as u32).into();
        let set = Rrset::new_from_owned(records).expect("there are records, and all have one TTL");
        let signed = sign_rrset(key, &set, at(-BEFORE), at(LASTS)).expect("a key that was read signs");
        let mut rrsig = signed.data().clone();
        let is_key = records
            .iter()
            .all(|record| matches!(record.data(), ZoneRecordData::Dnskey(_)));
        if zone == Zone::Bad && !is_key {
            let mut signature = rrsig.signature().clone();
            signature.iter_mut().for_each(|octet| *octet = !*octet);
            rrsig.set_signature(signature);
        }
        WireRecord::new(
            signed.owner().clone(),
            Class::IN,
            signed.ttl(),
            ZoneRecordData::Rrsig(rrsig),
        )
    }
}

fn file_of(folder: &Path, zone: &Name, ending: &str) -> PathBuf {
    folder.join(format!("K{zone}.+013+measuring.{ending}"))
}

fn make(zone: &Name) -> Result<(SecretKeyBytes, Dnskey<Vec<u8>>), AuthorityError> {
    generate(&GenerateParams::EcdsaP256Sha256, KEY_FLAGS).map_err(|error| AuthorityError::Make {
        zone: zone.clone(),
        reason: error.to_string(),
    })
}

/// Writes a file that only its owner may read.
fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
