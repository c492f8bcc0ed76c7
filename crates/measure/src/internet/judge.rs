//! Whether octets that came back are believed.

use std::net::SocketAddr;

use domain::base::name::ToName;

use crate::question::{Letters, Question};
use crate::response::question_of;

/// What a datagram, or a message over TCP, is to the question that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The answer to the sending with this index.
    Answer(usize),
    /// The answer, but the letters of its name are not those sent: to be asked again over TCP.
    OtherLetters,
    /// From the right address and port, but no DNS message.
    Garbage,
    /// Wrong id, question, address or port.
    Disbelieved,
    /// Right id and question, but from another address or port.
    Elsewhere,
}

/// A question as it was sent: once or several times, each with its own id.
pub(crate) struct Sent<'a> {
    pub target: SocketAddr,
    pub question: &'a Question,
    /// The name in the letter case that was sent.
    pub spelling: &'a [u8],
    pub ids: &'a [u16],
}

impl Sent<'_> {
    /// Judges `octets` that came from `from`.
    pub fn judge(&self, octets: &[u8], from: SocketAddr) -> Judgement {
        let is_from_target = from.ip() == self.target.ip() && from.port() == self.target.port();
        let attempt = octets
            .first_chunk()
            .and_then(|id| self.ids.iter().position(|own| own.to_be_bytes() == *id));
        let matches = self.matches(octets);
        match (is_from_target, attempt, matches) {
            (true, Some(attempt), Match::Yes) => Judgement::Answer(attempt),
            (true, Some(_), Match::OtherLetters) => Judgement::OtherLetters,
            (true, _, Match::Unreadable) => Judgement::Garbage,
            (false, Some(_), Match::Yes) => Judgement::Elsewhere,
            _ => Judgement::Disbelieved,
        }
    }

    fn matches(&self, octets: &[u8]) -> Match {
        let Some(header) = octets.first_chunk::<12>() else {
            return Match::Unreadable;
        };
        let (is_response, opcode, rcode) = (header[2] & 0x80 != 0, header[2] >> 3 & 0x0f, header[3] & 0x0f);
        if !is_response || opcode != self.question.opcode {
            return Match::Unreadable;
        }
        // other opcodes are asked without a question section
        if opcode != 0 {
            return Match::Yes;
        }
        // servers that cannot read a question may leave it out of their complaint
        if header[4..6] == [0, 0] {
            return if rcode != 0 { Match::Yes } else { Match::No };
        }
        let Some((name, rtype, class)) = question_of(octets) else {
            return Match::Unreadable;
        };
        if !name.name_eq(self.question.name.as_wire()) || rtype != self.question.rtype || class != self.question.class {
            return Match::No;
        }
        // where the letters are what is measured, others are an answer like any
        if name.as_slice() == self.spelling || self.question.letters != Letters::Any {
            Match::Yes
        } else {
            Match::OtherLetters
        }
    }
}

enum Match {
    Yes,
    OtherLetters,
    No,
    Unreadable,
}
