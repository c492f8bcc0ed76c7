//! What of an answer its server may say: the rules of `bailiwick`, for answers that a log tells.

use std::net::IpAddr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::{Name, OutOfBailiwick, OutReason, PassiveRrset, SeenIn};

use super::{LeftOut, Place, Refused};

/// An authoritative answer to a query, of class IN, whole and no error.
pub(super) struct Answer {
    pub time: Timestamp,
    pub server: IpAddr,
    pub question: Name,
    /// The zone that it claims to speak for: owner of an SOA or NS at or above the question in its authority section.
    pub claimed: Option<Name>,
    pub rrsets: Vec<(Name, Rtype, Vec<Vec<u8>>)>,
}

impl Answer {
    pub fn judge(self, place: &mut Place<'_>) -> Result<(), Refused> {
        let question = self.question.as_wire().as_octets();
        let length = place.servers.proven_zone(question, self.server).map(<[u8]>::len);
        let proven = length.and_then(|length| ancestor(&self.question, length));
        let zone = proven.clone().unwrap_or_else(|| self.question.clone());
        if self.rrsets.is_empty() {
            place.receipt.leave_out(LeftOut::NoAnswer);
        }
        for (name, rtype, mut rdata) in self.rrsets {
            rdata.sort();
            rdata.dedup();
            let (first, last, count) = (self.time, self.time, 1);
            if name.is_at_or_below(&zone) {
                place.receipt.rrsets += 1;
                let rrset = PassiveRrset {
                    name,
                    rtype,
                    bailiwick: zone.clone(),
                    rdata,
                    seen_in: SeenIn::Wire,
                    first,
                    last,
                    count,
                };
                place.sink.rrset(rrset).map_err(Refused::Sink)?;
                continue;
            }
            place.receipt.out_of_bailiwick += 1;
            let is_claimed = self
                .claimed
                .as_ref()
                .is_some_and(|claimed| name.is_at_or_below(claimed));
            let evidence = OutOfBailiwick {
                server: self.server,
                zone: proven.clone(),
                reason: if is_claimed {
                    OutReason::NotProven
                } else {
                    OutReason::Outside
                },
                question: self.question.clone(),
                name,
                rtype,
                rdata,
                first,
                last,
                count,
            };
            place.sink.out_of_bailiwick(evidence).map_err(Refused::Sink)?;
        }
        Ok(())
    }
}

/// The ancestor of a name, or the name, that is so long on the wire.
fn ancestor(name: &Name, length: usize) -> Option<Name> {
    std::iter::successors(Some(name.clone()), Name::parent).find(|name| name.as_wire().as_octets().len() == length)
}
