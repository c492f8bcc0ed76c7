//! Octets from the network: a response, the exchanges of a saved inquiry, root hints, an SPF record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use measure::mailbox::Mailbox;
use measure::spf::SpfRecord;
use measure::{Inquiry, Response, Rtype};

fuzz_target!(|octets: &[u8]| {
    for rtype in [Rtype::SOA, Rtype::NS, Rtype::DNSKEY, Rtype::A] {
        if let Some(response) = Response::read(octets, rtype) {
            // Whatever was read can be asked for everything that test cases ask for.
            let _ = (response.rcode_name(), response.referral(), response.nsid(), response.is_referral());
            let _ = response.answer_type(rtype).count();
            for soa in response.answer.iter().filter_map(measure::Record::soa) {
                let _ = Mailbox::from_rname(soa.rname());
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = measure::parse_hints(text);
        let _ = Inquiry::restore(text);
        let _ = text.parse::<SpfRecord>();
    }
});
