//! Questions and answers as octets: what is sent, and whether what came back is believed.
//!
//! Works on the octets as they are, since a sweep asks and judges some hundred thousand times a second.

use domain::base::Message;
use domain::base::iana::OptRcode;

use super::Settings;

/// Octets of a header (RFC 1035 §4.1.1).
const HEADER: usize = 12;
/// Room for the longest question: header, name, type, class and an OPT record without options.
pub(crate) const QUESTION: usize = HEADER + 255 + 4 + 11;

/// Everything of a question but its name and id: the same for all questions of a sweep.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    header: [u8; HEADER],
    /// QTYPE and QCLASS.
    kind: [u8; 4],
    opt: Option<[u8; 11]>,
}

impl Form {
    pub fn new(settings: &Settings) -> Self {
        let mut header = [0; HEADER];
        (header[2], header[5]) = (u8::from(settings.recursion_desired), 1);
        let [high, low] = settings.rtype.to_int().to_be_bytes();
        // owner is the root, type 41, class the payload, TTL the flags, no options (RFC 6891 §6.1.2)
        let opt = settings.edns.as_ref().map(|edns| {
            let [size_high, size_low] = edns.payload.to_be_bytes();
            [
                0,
                0,
                41,
                size_high,
                size_low,
                0,
                0,
                u8::from(edns.dnssec_ok) << 7,
                0,
                0,
                0,
            ]
        });
        header[11] = u8::from(opt.is_some());
        Self {
            header,
            kind: [high, low, 0, 1],
            opt,
        }
    }

    /// Writes the question for `name` (wire format, any letter case) and returns its length.
    pub fn write(&self, id: u16, name: &[u8], room: &mut [u8; QUESTION]) -> usize {
        let mut end = 0;
        let mut put = |octets: &[u8]| {
            room[end..end + octets.len()].copy_from_slice(octets);
            end += octets.len();
        };
        put(&self.header);
        put(name);
        put(&self.kind);
        if let Some(opt) = &self.opt {
            put(opt);
        }
        room[..2].copy_from_slice(&id.to_be_bytes());
        end
    }
}

/// What octets are to a question with their id that went to where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The answer.
    Answer,
    /// The answer, but truncated, or the letters of its name are not those sent: to be asked again over TCP.
    AgainOverTcp,
    /// Not the answer to this question.
    Disbelieved,
}

/// The id of a message, if that much of it is there.
pub(crate) fn id_in(octets: &[u8]) -> Option<u16> {
    octets.first_chunk().map(|id| u16::from_be_bytes(*id))
}

/// The id of a response; `None` for octets that are no response to any question of ours: too short, QR unset, or of
/// another opcode than QUERY.
pub(crate) fn id_of(octets: &[u8]) -> Option<u16> {
    let header: &[u8; HEADER] = octets.first_chunk()?;
    let is_response = header[2] & 0x80 != 0 && header[2] >> 3 & 0x0f == 0;
    if is_response { id_in(octets) } else { None }
}

/// Whether a response, for which [`id_of`] gave an id, is that to the question for `name`, spelled as it was sent.
/// `exact` demands the very letters.
pub(crate) fn judge(octets: &[u8], form: &Form, name: &[u8], exact: bool) -> Judgement {
    let Some(header) = octets.first_chunk::<HEADER>() else {
        return Judgement::Disbelieved;
    };
    let (is_truncated, rcode) = (header[2] & 0x02 != 0, header[3] & 0x0f);
    let believed = if is_truncated {
        Judgement::AgainOverTcp
    } else {
        Judgement::Answer
    };
    match header[4..6] {
        // servers that cannot read a question may leave it out of their complaint
        [0, 0] if rcode != 0 => return believed,
        [0, 1] => {}
        _ => return Judgement::Disbelieved,
    }
    let Some((asked, rest)) = octets[HEADER..].split_at_checked(name.len()) else {
        return Judgement::Disbelieved;
    };
    if !rest.starts_with(&form.kind) {
        return Judgement::Disbelieved;
    }
    match asked == name {
        true => believed,
        // length octets are below 64 and so never letters
        false if !asked.eq_ignore_ascii_case(name) => Judgement::Disbelieved,
        false if exact => Judgement::AgainOverTcp,
        false => believed,
    }
}

/// The RCODE of a message with its EDNS part, for which the whole message must be gone through. `None` without one.
pub(crate) fn rcode_of(octets: &[u8], has_edns: bool) -> Option<OptRcode> {
    let plain = OptRcode::masked_from_int(u16::from(octets.get(3)? & 0x0f));
    match has_edns {
        true => Some(Message::from_octets(octets).map_or(plain, |message| message.opt_rcode())),
        false => Some(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Edns;
    use domain::base::iana::Rtype;
    use model::Name;
    use proptest::prelude::*;

    fn form(edns: Option<Edns>) -> Form {
        Form::new(&Settings {
            rtype: Rtype::MX,
            edns,
            ..Settings::default()
        })
    }

    const NAME: &[u8] = b"\x03wWw\x04TEst\x00";

    /// The answer without records to the question for [`NAME`].
    fn answer() -> Vec<u8> {
        let mut room = [0; QUESTION];
        let length = form(None).write(0x1234, NAME, &mut room);
        room[2] |= 0x80;
        room[..length].to_vec()
    }

    proptest! {
        #[test]
        fn a_question_is_read_by_others_as_it_was_meant(
            labels in proptest::collection::vec("[a-z0-9-]{1,60}", 0..4),
            id: u16,
            edns in proptest::option::of((any::<u16>(), any::<bool>())),
        ) {
            let name: Name = if labels.is_empty() { Name::root() } else { labels.join(".").parse().unwrap() };
            let edns = edns.map(|(payload, dnssec_ok)| Edns { payload, dnssec_ok });
            let mut room = [0; QUESTION];
            let length = form(edns).write(id, name.as_wire().as_slice(), &mut room);
            let message = Message::from_octets(&room[..length]).unwrap();
            prop_assert_eq!((message.header().id(), message.header().rd(), message.header().qr()), (id, true, false));
            let asked = message.sole_question().unwrap();
            prop_assert_eq!((Name::from_wire(asked.qname()), asked.qtype()), (name, Rtype::MX));
            let opt = message.opt().map(|opt| Edns { payload: opt.udp_payload_size(), dnssec_ok: opt.dnssec_ok() });
            prop_assert_eq!(opt, edns);
        }

        #[test]
        fn any_octets_are_judged(octets in proptest::collection::vec(any::<u8>(), 0..80), exact: bool) {
            if id_of(&octets).is_some() {
                judge(&octets, &form(None), NAME, exact);
            }
        }

        /// One octet of the header's opcode, of the counts or of the question that differs, and it is another answer.
        #[test]
        fn an_answer_to_another_question_is_not_believed(at in 4_usize..26, flip in 1_u8..=255) {
            let mut octets = answer();
            octets[at] ^= flip;
            let is_case_alone = flip == 0x20 && (at == 13 || at == 14 || at == 15 || (17..21).contains(&at));
            let is_other_count = (6..12).contains(&at);
            let judged = judge(&octets, &form(None), NAME, false);
            prop_assert_eq!(judged != Judgement::Disbelieved, is_case_alone || is_other_count, "{}", at);
        }
    }

    #[test]
    fn the_rcode_has_its_edns_part_where_edns_is_used() {
        let mut octets = answer();
        octets[3] |= 0x05;
        octets[11] = 1;
        octets.extend([0, 0, 41, 2, 0, 1, 0, 0, 0, 0, 0]);
        let number = |octets: &[u8], has_edns| rcode_of(octets, has_edns).map(OptRcode::to_int);
        assert_eq!((number(&octets, true), number(&octets, false)), (Some(0x15), Some(5)));
        assert_eq!((number(&octets[..20], true), number(&[], true)), (Some(5), None));
    }

    #[test]
    fn what_is_no_response_has_no_id() {
        let good = answer();
        assert_eq!(id_of(&good), Some(0x1234));
        let spoiled = |at: usize, octet: u8| {
            let mut octets = good.clone();
            octets[at] = octet;
            octets
        };
        for (what, octets) in [
            ("nothing", Vec::new()),
            ("shorter than a header", good[..11].to_vec()),
            ("a question", spoiled(2, 0x01)),
            ("a notification", spoiled(2, 0xa0)),
        ] {
            assert_eq!(id_of(&octets), None, "{what}");
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let good = answer();
        let with = |change: fn(&mut Vec<u8>)| {
            let mut octets = good.clone();
            change(&mut octets);
            octets
        };
        let other_letters = with(|octets| octets[13] ^= 0x20);
        for (what, octets, loose, exact) in [
            ("the answer", good.clone(), Judgement::Answer, Judgement::Answer),
            (
                "truncated",
                with(|octets| octets[2] |= 2),
                Judgement::AgainOverTcp,
                Judgement::AgainOverTcp,
            ),
            (
                "other letters",
                other_letters,
                Judgement::Answer,
                Judgement::AgainOverTcp,
            ),
            (
                "FORMERR without the question",
                with(|octets| {
                    (octets[3], octets[5]) = (1, 0);
                    octets.truncate(12);
                }),
                Judgement::Answer,
                Judgement::Answer,
            ),
            (
                "NOERROR without the question",
                with(|octets| {
                    octets[5] = 0;
                    octets.truncate(12);
                }),
                Judgement::Disbelieved,
                Judgement::Disbelieved,
            ),
            (
                "cut in the question",
                good[..good.len() - 1].to_vec(),
                Judgement::Disbelieved,
                Judgement::Disbelieved,
            ),
        ] {
            assert_eq!(judge(&octets, &form(None), NAME, false), loose, "{what}");
            assert_eq!(judge(&octets, &form(None), NAME, true), exact, "{what}, exact");
        }
    }
}
