//! DNS messages out of TCP (RFC 7766 §8: each after two octets of length), from what a capture has of the segments.
//!
//! Each direction stands for itself. Octets are put in order by sequence number; what came before is passed over (retransmission),
//! what comes early waits. A hole is given up when the receiver acknowledged what lies in it (it arrived there, so the capture
//! lost it), when too much waits behind it, or when the connection falls silent; then, and where the beginning of a connection
//! was not captured, the stream is taken up at the next segment that begins like a message.

use std::collections::VecDeque;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::layers::Segment;

/// Directions of connections followed at once; the one that began first goes. A flood of SYNs costs us old connections, which are
/// taken up again at their next message.
const MOST_DIRECTIONS: usize = 65_536;

/// Octets held for all of them.
const MOST_OCTETS: usize = 64 << 20;

/// Segments that wait behind one hole, and their octets: more than a window that name servers' clients open in practice.
const MOST_AHEAD: usize = 64;
const MOST_OCTETS_AHEAD: usize = 256 << 10;

/// A sequence number further ahead than the largest window (RFC 7323 §2.3: 1 GiB) is another connection; one beyond what is kept
/// behind a hole cannot be used, so that bound rules here.
const FURTHEST_AHEAD: i32 = 1 << 20;

/// A direction silent for so long is forgotten, in nanoseconds of capture time. RFC 7766 §6.2.3 has servers close idle connections
/// after seconds. Longer: memory. Shorter: slow connections lose their place and are taken up anew.
const IDLE: i64 = 60_000_000_000;

/// How often silent ones are looked for.
const SWEEP: i64 = 10_000_000_000;

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Direction {
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
}

impl Direction {
    fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
        }
    }
}

/// A message and the direction it travelled in.
pub(crate) struct Message {
    pub(crate) direction: Direction,
    pub(crate) octets: Vec<u8>,
}

#[derive(Default)]
struct Stream {
    birth: u64,
    last: i64,
    /// Sequence number of the SYN that began it.
    initial: Option<u32>,
    /// Sequence number of the octet that comes next.
    next: u32,
    /// Whether `pending` begins with the length of a message.
    is_aligned: bool,
    /// In order, not yet a whole message.
    pending: Vec<u8>,
    /// Segments behind a hole.
    ahead: Vec<(u32, Vec<u8>)>,
}

/// All directions that are followed.
#[derive(Default)]
pub(crate) struct Streams {
    streams: HashMap<Direction, Stream, RandomState>,
    order: VecDeque<(u64, Direction)>,
    births: u64,
    octets: usize,
    swept: i64,
    /// Streams with segments behind a hole; where there are none, acknowledgements say nothing new.
    with_hole: usize,
    /// Whole messages, in order, for the caller to take.
    pub(crate) ready: Vec<Message>,
    /// Holes given up.
    pub(crate) holes: u64,
    /// Octets that belong to no message that could be found.
    pub(crate) lost: u64,
}

impl Streams {
    /// Takes a segment captured at `now`. Whole messages are in [`Self::ready`] then.
    pub(crate) fn take(&mut self, direction: Direction, segment: &Segment<'_>, now: i64) {
        if now.saturating_sub(self.swept) > SWEEP || now < self.swept {
            self.swept = now;
            self.forget(|stream| now.saturating_sub(stream.last) > IDLE || stream.last.saturating_sub(now) > IDLE);
        }
        if self.with_hole > 0
            && let Some(acknowledged) = segment.acknowledged
        {
            self.change(direction.reversed(), |stream, out| {
                while !stream.ahead.is_empty() && (acknowledged.wrapping_sub(stream.next) as i32) > 0 {
                    stream.give_up_hole(out);
                }
            });
        }
        if segment.reset {
            self.end(direction);
            return;
        }
        if !segment.syn && segment.payload.is_empty() {
            return;
        }
        if !self.streams.contains_key(&direction) {
            self.births += 1;
            let stream = Stream {
                birth: self.births,
                next: segment.sequence,
                ..Stream::default()
            };
            self.streams.insert(direction, stream);
            self.order.push_back((self.births, direction));
        }
        self.change(direction, |stream, out| {
            stream.last = now;
            if segment.syn {
                if stream.initial != Some(segment.sequence) {
                    stream.give_up_all(out);
                    stream.initial = Some(segment.sequence);
                    stream.next = segment.sequence.wrapping_add(1);
                    stream.is_aligned = true;
                }
                // data on a SYN: TCP Fast Open (RFC 7413)
                stream.accept(segment.sequence.wrapping_add(1), segment.payload, out);
            } else {
                stream.accept(segment.sequence, segment.payload, out);
            }
        });
        while self.streams.len() > MOST_DIRECTIONS
            || self.octets > MOST_OCTETS
            || self.order.len() > 4 * MOST_DIRECTIONS
        {
            let Some((birth, oldest)) = self.order.pop_front() else {
                break;
            };
            if self.streams.get(&oldest).is_some_and(|stream| stream.birth == birth) {
                self.end(oldest);
            }
        }
    }

    /// Ends all: the input has ended.
    pub(crate) fn clear(&mut self) {
        self.forget(|_| true);
        self.order.clear();
    }

    fn forget(&mut self, is_over: impl Fn(&Stream) -> bool) {
        let over: Vec<Direction> = self
            .streams
            .iter()
            .filter(|(_, stream)| is_over(stream))
            .map(|(direction, _)| *direction)
            .collect();
        for direction in over {
            self.end(direction);
        }
    }

    fn end(&mut self, direction: Direction) {
        self.change(direction, |stream, out| stream.give_up_all(out));
        self.streams.remove(&direction);
    }

    /// Changes one stream, and keeps the sums right.
    fn change(&mut self, direction: Direction, change: impl FnOnce(&mut Stream, &mut Out<'_>)) {
        let Some(stream) = self.streams.get_mut(&direction) else {
            return;
        };
        let (held, had_hole) = (stream.held(), !stream.ahead.is_empty());
        let mut out = Out {
            direction,
            ready: &mut self.ready,
            holes: &mut self.holes,
            lost: &mut self.lost,
        };
        change(stream, &mut out);
        self.octets = self.octets + stream.held() - held;
        self.with_hole = self.with_hole + usize::from(!stream.ahead.is_empty()) - usize::from(had_hole);
    }
}

/// Where a stream puts what it finds.
struct Out<'a> {
    direction: Direction,
    ready: &'a mut Vec<Message>,
    holes: &'a mut u64,
    lost: &'a mut u64,
}

impl Out<'_> {
    fn message(&mut self, octets: &[u8]) {
        self.ready.push(Message {
            direction: self.direction,
            octets: octets.to_vec(),
        });
    }
}

impl Stream {
    fn held(&self) -> usize {
        self.pending.capacity() + self.ahead.iter().map(|(_, octets)| octets.capacity()).sum::<usize>()
    }

    fn accept(&mut self, sequence: u32, payload: &[u8], out: &mut Out<'_>) {
        if payload.is_empty() {
            return;
        }
        let ahead = sequence.wrapping_sub(self.next) as i32;
        if !(-FURTHEST_AHEAD..=FURTHEST_AHEAD).contains(&ahead) {
            self.give_up_all(out);
            self.restart(sequence, out);
            self.append(payload, out);
        } else if ahead > 0 {
            let is_known = self
                .ahead
                .iter()
                .any(|(at, octets)| *at == sequence && octets.len() >= payload.len());
            if !is_known {
                self.ahead.push((sequence, payload.to_vec()));
            }
            while self.ahead.len() > MOST_AHEAD
                || self.ahead.iter().map(|(_, octets)| octets.len()).sum::<usize>() > MOST_OCTETS_AHEAD
            {
                self.give_up_hole(out);
            }
        } else {
            if let Some(new) = payload.get(ahead.unsigned_abs() as usize..) {
                self.append(new, out);
            }
            self.catch_up(out);
        }
    }

    /// Appends what waited and is no longer ahead.
    fn catch_up(&mut self, out: &mut Out<'_>) {
        while let Some(at) = self
            .ahead
            .iter()
            .position(|(sequence, _)| sequence.wrapping_sub(self.next) as i32 <= 0)
        {
            let (sequence, octets) = self.ahead.swap_remove(at);
            let old = self.next.wrapping_sub(sequence) as usize;
            if let Some(new) = octets.get(old..) {
                self.append(new, out);
            }
        }
    }

    /// Goes on behind the first hole.
    fn give_up_hole(&mut self, out: &mut Out<'_>) {
        let nearest = self
            .ahead
            .iter()
            .map(|(sequence, _)| *sequence)
            .min_by_key(|sequence| sequence.wrapping_sub(self.next));
        if let Some(sequence) = nearest {
            self.restart(sequence, out);
            self.catch_up(out);
        }
    }

    fn give_up_all(&mut self, out: &mut Out<'_>) {
        while !self.ahead.is_empty() {
            self.give_up_hole(out);
        }
        *out.lost += self.pending.len() as u64;
        self.pending = Vec::new();
    }

    fn restart(&mut self, sequence: u32, out: &mut Out<'_>) {
        *out.holes += 1;
        *out.lost += self.pending.len() as u64;
        self.pending.clear();
        self.next = sequence;
        self.is_aligned = false;
    }

    fn append(&mut self, octets: &[u8], out: &mut Out<'_>) {
        self.next = self.next.wrapping_add(octets.len() as u32);
        self.pending.extend_from_slice(octets);
        if !self.is_aligned {
            match start_of(&self.pending) {
                Start::Length => self.is_aligned = true,
                Start::TooShort => return,
                Start::Message => {
                    out.message(&self.pending);
                    self.pending.clear();
                    return;
                }
                Start::Inside => {
                    *out.lost += self.pending.len() as u64;
                    self.pending.clear();
                    return;
                }
            }
        }
        let mut used = 0;
        while let Some(length) = self.pending[used..].first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length < 12 {
                // no message is so short: either a broken one, with others behind it, or the place is lost
                let end = used + 2 + length;
                match start_of(self.pending.get(end..).unwrap_or_default()) {
                    Start::Length => {
                        out.message(&self.pending[used + 2..end]);
                        used = end;
                        continue;
                    }
                    Start::TooShort => break,
                    Start::Message | Start::Inside => {}
                }
                self.is_aligned = false;
                *out.lost += (self.pending.len() - used) as u64;
                used = self.pending.len();
                break;
            }
            let Some(message) = self.pending.get(used + 2..used + 2 + length) else {
                break;
            };
            out.message(message);
            used += 2 + length;
        }
        self.pending.drain(..used);
        if self.pending.is_empty() {
            // idle connections hold no memory
            self.pending = Vec::new();
        }
    }
}

enum Start {
    /// With the two octets of length.
    Length,
    /// With a message whose length went in a segment of its own, which the capture lacks.
    Message,
    /// In the middle of something.
    Inside,
    TooShort,
}

/// How octets begin of which it is not known.
fn start_of(octets: &[u8]) -> Start {
    if octets.len() < 14 {
        return Start::TooShort;
    }
    let length = usize::from(u16::from_be_bytes([octets[0], octets[1]]));
    if length >= 12 && looks_like_a_header(&octets[2..14]) {
        Start::Length
    } else if looks_like_a_header(&octets[..12]) && crate::message::is_whole(octets) {
        Start::Message
    } else {
        Start::Inside
    }
}

/// An opcode that is assigned, one question (or none in what is no query), and no more records than fit into 64 KiB.
fn looks_like_a_header(octets: &[u8]) -> bool {
    let count = |at: usize| usize::from(u16::from_be_bytes([octets[at], octets[at + 1]]));
    let opcode = (octets[2] >> 3) & 0x0f;
    let is_response = octets[2] & 0x80 != 0;
    matches!(opcode, 0..=2 | 4..=6)
        && (count(4) == 1 || (count(4) == 0 && is_response))
        && (is_response || count(6) == 0 || opcode != 0)
        && count(6) + count(8) + count(10) <= 65_535 / 11
}
