//! What keys, DS records, signatures and proofs of absence say, as pure functions.
//!
//! Built on the parts of the `domain` crate that handle octets (digests, signed data, public keys), not
//! on its validator: a tester wants every verdict apart, a resolver only the sum of them. An algorithm
//! this installation cannot verify is an outcome ([`Proof::NotSupported`]), never an error, and time is
//! always an argument. Nothing here asks the DNS.

pub mod algorithm;
pub mod denial;
pub mod key;
pub mod signature;

pub use algorithm::{Algorithm, DigestType, DigestUse, KeyUse};
pub use key::DsMatch;
pub use signature::{Proof, Validity};

/// A DNSKEY that owns its octets.
pub type Dnskey = domain::rdata::Dnskey<Vec<u8>>;

/// An RRSIG that owns its octets.
pub type Rrsig = domain::rdata::Rrsig<Vec<u8>, domain::base::Name<Vec<u8>>>;
