//! What keys, DS records, signatures and proofs of absence say, as pure functions.
//!
//! Built on the parts of the `domain` crate that handle octets (digests, signed data, public keys), not
//! on its validator: a tester wants every verdict apart, a resolver only the sum of them. An algorithm
//! this installation cannot verify is an outcome ([`Proof::NotSupported`]), never an error, and time is
//! always an argument. Nothing here asks the DNS.

pub mod absence;
pub mod algorithm;
pub mod anchor;
pub mod csync;
pub mod denial;
mod ed448;
pub mod key;
mod proofs;
pub mod rrset;
pub mod signature;
pub mod signed;
pub mod zonemd;

pub use absence::AbsenceFault;
pub use algorithm::{Algorithm, DigestType, DigestUse, KeyUse};
pub use anchor::{Anchor, AnchorError, parse_anchors, root_anchors};
pub use key::{DsMatch, KeyFault};
pub use rrset::{Rrset, Signature, rrsets};
pub use signature::{Proof, Validity};
pub use signed::{Judged, SignatureFault};

/// A DNSKEY that owns its octets.
pub type Dnskey = domain::rdata::Dnskey<Vec<u8>>;

/// An RRSIG that owns its octets.
pub type Rrsig = domain::rdata::Rrsig<Vec<u8>, domain::base::Name<Vec<u8>>>;
