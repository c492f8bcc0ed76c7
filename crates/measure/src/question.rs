//! A question as it is put to one server: the three kinds of the query defaults, and what a case changes of them.

use domain::base::iana::{Class, Rtype};
use model::{Name, Transport};
use serde::{Deserialize, Serialize};

/// What is asked. Two equal questions to one address are asked once in an inquiry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub rtype: Rtype,
    /// QCLASS, normally IN.
    pub class: Class,
    /// UDP (a truncated answer is asked again over TCP) or TCP.
    pub transport: Transport,
    /// RD bit.
    pub recursion_desired: bool,
    /// OPCODE (IANA DNS OpCodes), normally 0 for QUERY. Any other goes without a question section (RFC 8906 §8.1.4).
    pub opcode: u8,
    /// Further bits of the header: those of [`header`]; normally none.
    pub header_bits: u16,
    /// Whether a truncated answer over UDP is taken as it is, and not asked for again over TCP.
    pub ignores_truncation: bool,
    /// Letter case of QNAME.
    pub letters: Letters,
    /// The OPT record, if one is sent.
    pub edns: Option<Edns>,
}

/// In which letter case a name is sent. Names differ in it and are the same (RFC 4343).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letters {
    /// As the settings say: small letters, or random ones.
    #[default]
    Any,
    /// The first letter of each label is a capital: `Www.Example.Test`.
    Initials,
    /// All letters are capitals but the first of each label: `wWW.eXAMPLE.tEST`.
    AfterInitials,
}

impl Letters {
    /// The octets of `name` in this letter case; [`Letters::Any`] gives small letters.
    pub(crate) fn spell(self, name: &Name) -> Vec<u8> {
        let mut octets = Vec::from(name.as_wire().as_slice());
        let mut at = 0;
        while let Some(length @ 1..) = octets.get(at).map(|length| usize::from(*length)) {
            let (first, rest) = (at + 1..at + 2, at + 2..at + 1 + length);
            match self {
                Letters::Any => {}
                Letters::Initials => octets[first].make_ascii_uppercase(),
                Letters::AfterInitials => octets[rest].make_ascii_uppercase(),
            }
            at += 1 + length;
        }
        octets
    }
}

/// The OPT record of a question (RFC 6891).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edns {
    /// EDNS version, normally 0.
    pub version: u8,
    /// Size of UDP answers that is announced, in octets.
    pub payload: u16,
    /// DO bit (RFC 3225).
    pub dnssec_ok: bool,
    /// The 15 flag bits after DO, normally 0.
    pub z: u16,
    /// Options: code and data.
    pub options: Vec<(u16, Vec<u8>)>,
}

/// Code of the NSID option (RFC 5001).
pub const NSID: u16 = 3;
/// Code of the EDNS Client Subnet option (RFC 7871).
pub const CLIENT_SUBNET: u16 = 8;
/// Code of the EXPIRE option (RFC 7314).
pub const EXPIRE: u16 = 9;
/// Code of the COOKIE option (RFC 7873).
pub const COOKIE: u16 = 10;
/// The client cookie of questions that have one. One made for the occasion could not be asked for again offline.
pub const CLIENT_COOKIE: [u8; 8] = *b"dnscert\x00";

/// Bits of the second word of a header (RFC 1035 §4.1.1).
pub mod header {
    /// Authoritative answer.
    pub const AA: u16 = 0x0400;
    /// Truncated.
    pub const TC: u16 = 0x0200;
    /// Recursion available.
    pub const RA: u16 = 0x0080;
    /// The bit that is still reserved.
    pub const Z: u16 = 0x0040;
    /// Authentic data (RFC 4035 §3.1.6; in questions RFC 6840 §5.7).
    pub const AD: u16 = 0x0020;
    /// Checking disabled (RFC 4035 §3.2.2).
    pub const CD: u16 = 0x0010;
    /// All of these.
    pub const ALL: u16 = AA | TC | RA | Z | AD | CD;
}

impl Question {
    /// A question without EDNS.
    pub fn plain(name: &Name, rtype: Rtype) -> Self {
        Self {
            name: name.clone(),
            rtype,
            class: Class::IN,
            transport: Transport::Udp,
            recursion_desired: false,
            opcode: 0,
            header_bits: 0,
            ignores_truncation: false,
            letters: Letters::Any,
            edns: None,
        }
    }

    /// A question with EDNS version 0 and room for 512 octets.
    pub fn edns(name: &Name, rtype: Rtype) -> Self {
        let edns = Edns {
            version: 0,
            payload: 512,
            dnssec_ok: false,
            z: 0,
            options: Vec::new(),
        };
        Self {
            edns: Some(edns),
            ..Self::plain(name, rtype)
        }
    }

    /// A question with DO and room for 1232 octets.
    pub fn dnssec(name: &Name, rtype: Rtype) -> Self {
        let edns = Edns {
            version: 0,
            payload: 1232,
            dnssec_ok: true,
            z: 0,
            options: Vec::new(),
        };
        Self {
            edns: Some(edns),
            ..Self::plain(name, rtype)
        }
    }

    /// Name and type, as people write a question: `example.test SOA`.
    pub fn short(&self) -> String {
        format!("{} {}", self.name, self.rtype)
    }

    /// Octets of the question on the wire.
    pub fn size(&self) -> usize {
        self.to_wire(0, self.name.as_wire().as_slice()).len()
    }

    /// The same over TCP.
    pub fn over_tcp(mut self) -> Self {
        self.transport = Transport::Tcp;
        self
    }

    /// The same with the RD bit.
    pub fn recursive(mut self) -> Self {
        self.recursion_desired = true;
        self
    }

    /// The same with another opcode.
    pub fn opcode(mut self, opcode: u8) -> Self {
        self.opcode = opcode & 0x0f;
        self
    }

    /// The same with these bits of [`header`].
    pub fn header_bits(mut self, bits: u16) -> Self {
        self.header_bits = bits & header::ALL;
        self
    }

    /// The same, and a truncated answer over UDP is taken as it is.
    pub fn ignoring_truncation(mut self) -> Self {
        self.ignores_truncation = true;
        self
    }

    /// The same with QNAME in this letter case.
    pub fn letters(mut self, letters: Letters) -> Self {
        self.letters = letters;
        self
    }

    /// The same in another class.
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The same with the DO bit; without EDNS nothing changes.
    pub fn dnssec_ok(mut self) -> Self {
        if let Some(edns) = &mut self.edns {
            edns.dnssec_ok = true;
        }
        self
    }

    /// The same with another payload size; without EDNS nothing changes.
    pub fn payload(mut self, octets: u16) -> Self {
        if let Some(edns) = &mut self.edns {
            edns.payload = octets;
        }
        self
    }

    /// The same with another EDNS version; without EDNS nothing changes.
    pub fn version(mut self, version: u8) -> Self {
        if let Some(edns) = &mut self.edns {
            edns.version = version;
        }
        self
    }

    /// The same with an EDNS option; without EDNS nothing changes. An option over 1,000 octets is left out.
    pub fn option(mut self, code: u16, data: Vec<u8>) -> Self {
        if let Some(edns) = &mut self.edns
            && data.len() <= 1000
        {
            edns.options.push((code, data));
        }
        self
    }

    /// The same with EDNS flag bits after DO; without EDNS nothing changes.
    pub fn z(mut self, bits: u16) -> Self {
        if let Some(edns) = &mut self.edns {
            edns.z = bits & 0x7fff;
        }
        self
    }

    /// The question as octets, with message id `id`; the name as given in `spelling` (same name, any letter case).
    pub(crate) fn to_wire(&self, id: u16, spelling: &[u8]) -> Vec<u8> {
        let mut wire = Vec::with_capacity(12 + spelling.len() + 4 + 11);
        let bits = u16::from(self.opcode & 0x0f) << 11 | u16::from(self.recursion_desired) << 8 | self.header_bits;
        let has_question = self.opcode == 0;
        wire.extend(id.to_be_bytes());
        wire.extend(bits.to_be_bytes());
        wire.extend([0, u8::from(has_question), 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        if has_question {
            wire.extend(spelling);
            wire.extend(self.rtype.to_int().to_be_bytes());
            wire.extend(self.class.to_int().to_be_bytes());
        }
        if let Some(edns) = &self.edns {
            wire.push(0);
            wire.extend(Rtype::OPT.to_int().to_be_bytes());
            wire.extend(edns.payload.to_be_bytes());
            wire.extend([0, edns.version]);
            wire.extend((u16::from(edns.dnssec_ok) << 15 | edns.z).to_be_bytes());
            let size: usize = edns.options.iter().map(|(_, data)| 4 + data.len()).sum();
            wire.extend(u16::try_from(size).unwrap_or(u16::MAX).to_be_bytes());
            for (code, data) in &edns.options {
                wire.extend(code.to_be_bytes());
                wire.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
                wire.extend(data);
            }
        }
        wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::base::Message;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_spelt_in_the_wanted_letters() {
        let spelt = |name: &str, letters: Letters| {
            let octets = letters.spell(&name.parse().unwrap());
            domain::base::Name::from_octets(octets).unwrap().to_string()
        };
        for (letters, expected) in [
            (Letters::Any, "www.1and1.x"),
            (Letters::Initials, "Www.1and1.X"),
            (Letters::AfterInitials, "wWW.1AND1.x"),
        ] {
            assert_eq!(spelt("www.1and1.x", letters), expected);
            assert_eq!(spelt(".", letters), ".");
        }
    }

    #[test]
    fn an_odd_question_is_a_header_with_its_bits() {
        let zone: Name = "example".parse().unwrap();
        let question = Question::plain(&zone, Rtype::SOA).recursive().opcode(15);
        let wire = question
            .header_bits(header::ALL)
            .to_wire(0x1234, zone.as_wire().as_slice());
        assert_eq!(wire, [0x12, 0x34, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let checking_disabled = Question::plain(&zone, Rtype::SOA).header_bits(header::CD);
        let wire = checking_disabled.to_wire(1, zone.as_wire().as_slice());
        assert_eq!(wire[..6], [0, 1, 0, 0x10, 0, 1]);
    }

    proptest! {
        #[test]
        fn a_question_is_read_by_others_as_it_was_meant(
            labels in proptest::collection::vec("[a-z0-9-]{1,20}", 0..6),
            rtype: u16,
            id: u16,
            recursive: bool,
            edns in proptest::option::of((any::<u8>(), any::<u16>(), any::<bool>(), any::<u16>())),
            options in proptest::collection::vec((any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..3),
        ) {
            let name: Name = if labels.is_empty() { Name::root() } else { labels.join(".").parse().unwrap() };
            let mut question = Question::plain(&name, Rtype::from_int(rtype));
            question.recursion_desired = recursive;
            if let Some((version, payload, dnssec_ok, z)) = edns {
                let z = z & 0x7fff;
                question.edns = Some(Edns { version, payload, dnssec_ok, z, options: options.clone() });
            }
            let wire = question.to_wire(id, name.as_wire().as_slice());
            let message = Message::from_octets(&wire[..]).unwrap();
            prop_assert_eq!((message.header().id(), message.header().rd(), message.header().qr()), (id, recursive, false));
            let asked = message.sole_question().unwrap();
            prop_assert_eq!(Name::from_wire(asked.qname()), name);
            prop_assert_eq!((asked.qtype().to_int(), asked.qclass()), (rtype, Class::IN));
            match (message.opt(), edns) {
                (None, None) => {}
                (Some(opt), Some((version, payload, dnssec_ok, _))) => {
                    prop_assert_eq!((opt.version(), opt.udp_payload_size(), opt.dnssec_ok()), (version, payload, dnssec_ok));
                    let read = opt.opt().iter::<domain::base::opt::UnknownOptData<_>>().flatten();
                    let read: Vec<(u16, Vec<u8>)> = read.map(|o| (o.code().to_int(), o.as_slice().to_vec())).collect();
                    prop_assert_eq!(read, options);
                }
                (opt, _) => prop_assert!(false, "an OPT record in the message: {}", opt.is_some()),
            }
        }
    }
}
