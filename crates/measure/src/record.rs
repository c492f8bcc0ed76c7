//! One resource record of an answer, owned, with record data that did not parse kept as raw octets.

use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};
use domain::base::name::FlattenInto;
use domain::base::rdata::{ParseAnyRecordData, RecordData, UnknownRecordData};
use domain::base::wire::ParseError;
use domain::base::{Name as WireName, ParsedName, Ttl};
use domain::dep::octseq::Parser;
use domain::rdata::{AllRecordData, Dnskey, Ds, Mx, Nsec, Nsec3, Nsec3param, Rrsig, Soa};
use model::Name;

/// A domain name in the form of the `domain` crate, in the letter case of the message.
pub type OwnedName = WireName<Vec<u8>>;

/// Record data of any type. Data that does not follow its type's form is [`AllRecordData::Unknown`] with the raw octets.
pub type Data = AllRecordData<Vec<u8>, OwnedName>;

/// One resource record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Owner name, in lower case.
    pub owner: Name,
    /// Class.
    pub class: Class,
    /// Time to live, in seconds.
    pub ttl: u32,
    /// Record data.
    pub data: Data,
}

impl Record {
    /// The type.
    pub fn rtype(&self) -> Rtype {
        self.data.rtype()
    }

    /// The record in the form of the `domain` crate.
    pub fn to_wire(&self) -> domain::base::Record<OwnedName, Data> {
        domain::base::Record::new(
            self.owner.as_wire().clone(),
            self.class,
            Ttl::from_secs(self.ttl),
            self.data.clone(),
        )
    }

    /// Target of an NS record.
    pub fn ns(&self) -> Option<Name> {
        if let Data::Ns(ns) = &self.data {
            Some(Name::from_wire(ns.nsdname()))
        } else {
            None
        }
    }

    /// Target of a CNAME record.
    pub fn cname(&self) -> Option<Name> {
        if let Data::Cname(cname) = &self.data {
            Some(Name::from_wire(cname.cname()))
        } else {
            None
        }
    }

    /// Target of a DNAME record.
    pub fn dname(&self) -> Option<Name> {
        if let Data::Dname(dname) = &self.data {
            Some(Name::from_wire(dname.dname()))
        } else {
            None
        }
    }

    /// Target of a PTR record.
    pub fn ptr(&self) -> Option<Name> {
        if let Data::Ptr(ptr) = &self.data {
            Some(Name::from_wire(ptr.ptrdname()))
        } else {
            None
        }
    }

    /// Octets of a TXT record, its strings joined (RFC 7208 §3.3).
    pub fn txt(&self) -> Option<Vec<u8>> {
        if let Data::Txt(txt) = &self.data {
            Some(txt.iter().flatten().copied().collect())
        } else {
            None
        }
    }

    /// Address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.data {
            Data::A(a) => Some(a.addr().into()),
            Data::Aaaa(aaaa) => Some(aaaa.addr().into()),
            _ => None,
        }
    }

    /// Data of an SOA record.
    pub fn soa(&self) -> Option<&Soa<OwnedName>> {
        if let Data::Soa(soa) = &self.data {
            Some(soa)
        } else {
            None
        }
    }

    /// Data of a DS record.
    pub fn ds(&self) -> Option<&Ds<Vec<u8>>> {
        if let Data::Ds(ds) = &self.data { Some(ds) } else { None }
    }

    /// Data of a DNSKEY record.
    pub fn dnskey(&self) -> Option<&Dnskey<Vec<u8>>> {
        if let Data::Dnskey(dnskey) = &self.data {
            Some(dnskey)
        } else {
            None
        }
    }

    /// Data of an RRSIG record.
    pub fn rrsig(&self) -> Option<&Rrsig<Vec<u8>, OwnedName>> {
        if let Data::Rrsig(rrsig) = &self.data {
            Some(rrsig)
        } else {
            None
        }
    }

    /// Data of an NSEC record.
    pub fn nsec(&self) -> Option<&Nsec<Vec<u8>, OwnedName>> {
        if let Data::Nsec(nsec) = &self.data {
            Some(nsec)
        } else {
            None
        }
    }

    /// Data of an NSEC3 record.
    pub fn nsec3(&self) -> Option<&Nsec3<Vec<u8>>> {
        if let Data::Nsec3(nsec3) = &self.data {
            Some(nsec3)
        } else {
            None
        }
    }

    /// Data of an NSEC3PARAM record.
    pub fn nsec3param(&self) -> Option<&Nsec3param<Vec<u8>>> {
        if let Data::Nsec3param(nsec3param) = &self.data {
            Some(nsec3param)
        } else {
            None
        }
    }

    /// Data of an MX record.
    pub fn mx(&self) -> Option<&Mx<OwnedName>> {
        if let Data::Mx(mx) = &self.data { Some(mx) } else { None }
    }
}

/// Record data that always parses: as its type says, else as raw octets.
pub(crate) struct Lenient(pub Data);

impl RecordData for Lenient {
    fn rtype(&self) -> Rtype {
        self.0.rtype()
    }
}

impl<'a, 'm: 'a> ParseAnyRecordData<'a, &'m [u8]> for Lenient {
    fn parse_any_rdata(rtype: Rtype, parser: &mut Parser<'a, &'m [u8]>) -> Result<Self, ParseError> {
        let mut strict = *parser;
        let parsed = AllRecordData::<&'m [u8], ParsedName<&'m [u8]>>::parse_any_rdata(rtype, &mut strict);
        if let Ok(data) = parsed
            && strict.remaining() == 0
        {
            *parser = strict;
            let Ok(data) = data.try_flatten_into();
            return Ok(Self(data));
        }
        let mut octets = vec![0; parser.remaining()];
        parser.parse_buf(&mut octets)?;
        let raw = UnknownRecordData::from_octets(rtype, octets);
        Ok(Self(Data::Unknown(
            raw.map_err(|_| ParseError::form_error("record data too long"))?,
        )))
    }
}
