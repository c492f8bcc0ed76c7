//! Answers changed by hand on their way out: for faults that no signer and no server software makes by itself.

use std::fmt;
use std::sync::Arc;

use domain::base::iana::{OptRcode, Rtype};
use model::Name;

use crate::zone_file::Record;

/// An answer before it is written, as a test may change it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The name asked for.
    pub qname: Name,
    /// The type asked for.
    pub qtype: Rtype,
    /// RCODE.
    pub rcode: OptRcode,
    /// AA bit.
    pub authoritative: bool,
    /// Answer section.
    pub answer: Vec<Record>,
    /// Authority section.
    pub authority: Vec<Record>,
    /// Additional section without OPT.
    pub additional: Vec<Record>,
}

/// What is done to answers.
#[derive(Clone)]
pub(crate) struct Tampering(Arc<dyn Fn(&mut Answer) + Send + Sync>);

impl Tampering {
    pub fn new(change: impl Fn(&mut Answer) + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }

    pub fn apply(&self, answer: &mut Answer) {
        (self.0)(answer);
    }
}

impl fmt::Debug for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tampering")
    }
}
