//! Names as they come in: one a line, read in batches, whatever else the input holds.
//!
//! A line that is no name is handed to the caller with its number and passed over; it never ends a sweep. Memory is
//! bounded by one batch and one buffer, whatever comes.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::ops::Range;

use model::Name;

use super::state::State;

/// Longest line that is read as a name, in octets. A name has at most 255 octets (RFC 1035 §2.3.4), 1,020 when each is
/// written `\DDD`; U-labels take less. What is longer is cut, and is no name.
const LONGEST_LINE: usize = 4096;
/// Octets read at a time. Chosen by us: one pipe's worth on Linux.
const BUFFER: usize = 64 * 1024;
/// Names in one batch. Chosen by us: the cost of handing a batch over is spread over enough names, and the state file,
/// which lists the lines of a batch that is not used up, stays small.
const BATCH: usize = 1024;
/// Characters of a bad line that are shown.
const SHOWN: usize = 80;

/// Names that were read, and how far the input has been read with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Names in wire format and lower case, one after the other.
    octets: Vec<u8>,
    /// Of each name: where it ends, and its line.
    names: Vec<(usize, u64)>,
    /// Lines read so far, those of this batch included.
    pub lines: u64,
    /// Octets read so far.
    pub bytes: u64,
    /// Lines so far that were no names.
    pub skipped: u64,
    /// Digest of all lines so far.
    pub digest: u64,
}

impl Batch {
    /// How many names it has.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it has none: only blank and bad lines were read.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name at `at` in wire format and lower case, and the number of its line, from 1.
    pub fn get(&self, at: usize) -> Option<(&[u8], u64)> {
        let (end, line) = *self.names.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.names[before].0);
        Some((&self.octets[start..end], line))
    }
}

/// A line that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{text}`: {reason}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What it says, cut short, control characters escaped.
    pub text: String,
    /// Why it is no name.
    pub reason: String,
}

/// Why names could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input broke off.
    #[error("could not read the names after line {line}")]
    Input {
        /// The last line that was read.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The input is not that of the sweep that is to go on.
    #[error("the first {lines} lines of the names are not those that the earlier run read")]
    OtherNames {
        /// Lines that the earlier run had read.
        lines: u64,
    },
}

/// A reader of names.
pub struct Names<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer was read and not yet used.
    unused: Range<usize>,
    lines: u64,
    bytes: u64,
    skipped: u64,
    digest: Digest,
    earlier: Option<Earlier>,
}

/// What an earlier run of the sweep left.
struct Earlier {
    lines: u64,
    digest: u64,
    pending: HashSet<u64>,
    finished: HashMap<Vec<u8>, u64>,
}

impl<R: Read> Names<R> {
    /// Reads all names of `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER],
            unused: 0..0,
            lines: 0,
            bytes: 0,
            skipped: 0,
            digest: Digest::default(),
            earlier: None,
        }
    }

    /// Reads the names of `input` that an earlier run did not finish: the lines that are pending in `state`, and those
    /// after the last that it had read. `finished` counts the names, in wire format and lower case, that were finished
    /// after the state was saved; as many are left out.
    pub fn resume(input: R, state: &State, finished: HashMap<Vec<u8>, u64>) -> Self {
        let earlier = Earlier {
            lines: state.lines,
            digest: state.digest,
            pending: state.pending.iter().copied().collect(),
            finished,
        };
        Self {
            earlier: Some(earlier),
            ..Self::new(input)
        }
    }

    /// The next names; `None` at the end. Bad lines go to `bad`. A batch ends where reading on might mean waiting, so
    /// that no name is held back by those that come after it.
    pub fn next_batch(&mut self, bad: &mut dyn FnMut(BadLine)) -> Result<Option<Batch>, ReadError> {
        let mut batch = Batch::default();
        let before = self.lines;
        let mut is_end = false;
        while !is_end {
            let line = match self.take_line() {
                Some(line) => line,
                // of the earlier run's lines none is asked before it is certain that they are the same
                None if self.lines > before && !self.is_among_earlier() => break,
                None if self.fill()? => continue,
                None => {
                    is_end = true;
                    match std::mem::replace(&mut self.unused, 0..0) {
                        rest if rest.is_empty() => break,
                        rest => rest,
                    }
                }
            };
            self.read_line(line, &mut batch, bad);
            self.check_earlier()?;
            if batch.len() >= BATCH && !self.is_among_earlier() {
                break;
            }
        }
        if is_end && self.is_among_earlier() {
            return Err(self.other_names());
        }
        if self.lines == before {
            return Ok(None);
        }
        (batch.lines, batch.bytes) = (self.lines, self.bytes);
        (batch.skipped, batch.digest) = (self.skipped, self.digest.0);
        Ok(Some(batch))
    }

    /// A whole line that lies in the buffer, without its line feed.
    fn take_line(&mut self) -> Option<Range<usize>> {
        let length = self.buffer[self.unused.clone()]
            .iter()
            .position(|octet| *octet == b'\n')?;
        let line = self.unused.start..self.unused.start + length;
        self.unused.start += length + 1;
        Some(line)
    }

    /// Reads on into the buffer. Returns whether there was anything.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.buffer.copy_within(self.unused.clone(), 0);
        self.unused = 0..self.unused.len();
        if self.unused.end == self.buffer.len() {
            // a line that fills the buffer is no name; its beginning is enough to say so
            self.unused.end = LONGEST_LINE + 1;
        }
        loop {
            match self.input.read(&mut self.buffer[self.unused.end..]) {
                Ok(size) => {
                    self.unused.end += size;
                    self.bytes += size as u64;
                    return Ok(size > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ReadError::Input {
                        line: self.lines,
                        source,
                    });
                }
            }
        }
    }

    fn read_line(&mut self, line: Range<usize>, batch: &mut Batch, bad: &mut dyn FnMut(BadLine)) {
        let line = &self.buffer[line];
        self.lines += 1;
        self.digest.add(line);
        let is_wanted = match &self.earlier {
            Some(earlier) => self.lines > earlier.lines || earlier.pending.contains(&self.lines),
            None => true,
        };
        if line.trim_ascii().is_empty() {
            return;
        }
        let start = batch.octets.len();
        if let Err(reason) = parse(line, &mut batch.octets) {
            batch.octets.truncate(start);
            self.skipped += 1;
            if is_wanted {
                bad(BadLine {
                    line: self.lines,
                    text: shown(line.trim_ascii()),
                    reason,
                });
            }
            return;
        }
        if is_wanted && !self.was_finished(&batch.octets[start..]) {
            batch.names.push((batch.octets.len(), self.lines));
        } else {
            batch.octets.truncate(start);
        }
    }

    /// Whether the earlier run had finished this name after it saved its state. Each is found as often as it was
    /// finished.
    fn was_finished(&mut self, name: &[u8]) -> bool {
        let finished = self.earlier.as_mut().map(|earlier| &mut earlier.finished);
        let Some(count) = finished.and_then(|finished| finished.get_mut(name)) else {
            return false;
        };
        let was_finished = *count > 0;
        *count = count.saturating_sub(1);
        was_finished
    }

    fn is_among_earlier(&self) -> bool {
        self.earlier.as_ref().is_some_and(|earlier| self.lines < earlier.lines)
    }

    fn check_earlier(&self) -> Result<(), ReadError> {
        match &self.earlier {
            Some(earlier) if self.lines == earlier.lines && self.digest.0 != earlier.digest => Err(self.other_names()),
            _ => Ok(()),
        }
    }

    fn other_names(&self) -> ReadError {
        ReadError::OtherNames {
            lines: self.earlier.as_ref().map_or(0, |earlier| earlier.lines),
        }
    }
}

/// FNV-1a of 64 bits over all lines: it tells one list of names from another, and guards against mistakes alone.
struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    fn add(&mut self, line: &[u8]) {
        for octet in line.iter().chain(b"\n") {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Appends the name that `text` is to `octets`, in wire format and lower case, whatever blanks are around it. An error
/// says why it is none; `octets` may have grown then.
fn parse(text: &[u8], octets: &mut Vec<u8>) -> Result<(), String> {
    let start = octets.len();
    if parse_plain(text.trim_ascii(), octets).is_some() {
        return Ok(());
    }
    octets.truncate(start);
    if text.len() > LONGEST_LINE {
        return Err(format!("it is longer than {LONGEST_LINE} octets"));
    }
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let name: Name = text.parse().map_err(|error: model::NameError| error.reason)?;
    octets.extend(name.as_wire().as_slice());
    Ok(())
}

/// As [`parse`] for what nearly all names are: letters, digits, hyphens and underscores. `None` for all else.
fn parse_plain(text: &[u8], octets: &mut Vec<u8>) -> Option<()> {
    let text = text.strip_suffix(b".").unwrap_or(text);
    // each label takes one octet for its length instead of a dot, and the root one more (RFC 1035 §3.1)
    if text.len() + 2 > 255 {
        return None;
    }
    let mut length_at = octets.len();
    octets.push(0);
    for octet in text {
        match octet {
            b'.' => {
                octets[length_at] = label_length(octets, length_at)?;
                length_at = octets.len();
                octets.push(0);
            }
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'A'..=b'Z' => octets.push(octet.to_ascii_lowercase()),
            _ => return None,
        }
    }
    octets[length_at] = label_length(octets, length_at)?;
    octets.push(0);
    Some(())
}

fn label_length(octets: &[u8], length_at: usize) -> Option<u8> {
    let length = octets.len() - length_at - 1;
    (1..=63).contains(&length).then_some(length as u8)
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// Hands out its pieces one by one, however much is asked for: a pipe that is written to in pieces.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some(mut piece) = self.0.pop_front() else {
                return Ok(0);
            };
            let size = piece.len().min(room.len());
            room[..size].copy_from_slice(&piece[..size]);
            if size < piece.len() {
                self.0.push_front(piece.split_off(size));
            }
            Ok(size)
        }
    }

    fn batches(names: &mut Names<impl Read>) -> (Vec<Batch>, Vec<BadLine>) {
        let (mut batches, mut bad) = (Vec::new(), Vec::new());
        while let Some(batch) = names.next_batch(&mut |line| bad.push(line)).unwrap() {
            batches.push(batch);
        }
        (batches, bad)
    }

    fn lines(batches: &[Batch]) -> Vec<(String, u64)> {
        let of = |batch: &Batch| -> Vec<(String, u64)> {
            let name = |octets: &[u8]| Name::from_wire(&domain::base::Name::from_octets(octets).unwrap()).to_string();
            (0..batch.len())
                .map(|at| batch.get(at).unwrap())
                .map(|(octets, line)| (name(octets), line))
                .collect()
        };
        batches.iter().flat_map(of).collect()
    }

    #[test]
    fn each_line_is_a_name_or_is_reported_with_its_number() {
        let long = "a".repeat(200_000);
        let input = [
            b"Example.COM.\r\n\n  www.example.com \na..b\n\xff\xfe\n.\nbad\x1b[31m..name\n" as &[u8],
            "παράδειγμα.δοκιμή\n".as_bytes(),
            b"a\\.b.test\n",
            long.as_bytes(),
            b"\nlast.test",
        ]
        .concat();
        let (batches, bad) = batches(&mut Names::new(&input[..]));
        let expected = [
            ("example.com", 1),
            ("www.example.com", 3),
            (".", 6),
            ("xn--hxajbheg2az3al.xn--jxalpdlp", 8),
            ("a\\.b.test", 9),
            ("last.test", 11),
        ];
        assert_eq!(lines(&batches), expected.map(|(name, line)| (name.to_owned(), line)));
        let last = batches.last().unwrap();
        assert_eq!((last.lines, last.bytes, last.skipped), (11, input.len() as u64, 4));
        let numbers: Vec<u64> = bad.iter().map(|line| line.line).collect();
        assert_eq!(numbers, [4, 5, 7, 10]);
        assert_eq!(bad[1].to_string(), "line 5, `\u{fffd}\u{fffd}`: it is not UTF-8");
        assert_eq!(
            bad[2].text, "bad\\u{1b}[31m..name",
            "nothing reaches the terminal as it is"
        );
        assert_eq!(bad[3].reason, "it is longer than 4096 octets");
        assert!(bad[3].text.chars().count() <= SHOWN + 1);
    }

    #[test]
    fn names_are_handed_over_as_soon_as_no_more_lie_ready() {
        let pieces = ["a.test\nb.te", "st\nc.test\n", "d.test\n"].map(|piece| piece.as_bytes().to_vec());
        let (batches, _) = batches(&mut Names::new(Pieces(pieces.into())));
        let sizes: Vec<usize> = batches.iter().map(Batch::len).collect();
        assert_eq!(sizes, [1, 2, 1]);
    }

    #[test]
    fn a_sweep_goes_on_with_what_it_had_not_finished() {
        let input = "a.test\nb.test\nbad..\nc.test\nd.test\nb.test\ne.test\n";
        let mut whole = Names::new(&input.as_bytes()[..input.find("d.test").unwrap()]);
        let (first, _) = batches(&mut whole);
        let state = State {
            lines: first[0].lines,
            digest: first[0].digest,
            pending: vec![2, 4],
            ..State::default()
        };
        let finished = HashMap::from([(b"\x01b\x04test\x00".to_vec(), 1), (b"\x01d\x04test\x00".to_vec(), 1)]);
        let (rest, bad) = batches(&mut Names::resume(input.as_bytes(), &state, finished));
        assert_eq!(
            lines(&rest),
            [("c.test", 4), ("b.test", 6), ("e.test", 7)].map(|(n, l)| (n.to_owned(), l))
        );
        assert_eq!(bad, [], "it was reported before");
        assert_eq!(rest.last().unwrap().skipped, 1);
    }

    #[test]
    fn other_names_than_those_of_the_earlier_run_are_refused_before_any_is_asked() {
        let mut names = Names::new(&b"a.test\nb.test\n"[..]);
        let (read, _) = batches(&mut names);
        let state = State {
            lines: 2,
            digest: read[0].digest,
            pending: vec![1],
            ..State::default()
        };
        for other in ["a.test\nB.test\nc.test\n", "a.test\n", ""] {
            let mut resumed = Names::resume(other.as_bytes(), &state, HashMap::new());
            let error = resumed.next_batch(&mut |_| {}).unwrap_err();
            assert!(matches!(error, ReadError::OtherNames { lines: 2 }), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_as_the_name_that_it_is_everywhere_else(text in "[a-zA-Z0-9._\\\\ é-]{0,80}|[a-z]{60,70}|([a-z]{50}\\.){4,6}") {
            let mut octets = Vec::new();
            match text.parse::<Name>() {
                Ok(name) => {
                    prop_assert_eq!(parse(text.as_bytes(), &mut octets), Ok(()));
                    prop_assert_eq!(&octets[..], name.as_wire().as_slice());
                }
                Err(error) => prop_assert_eq!(parse(text.as_bytes(), &mut octets), Err(error.reason)),
            }
        }

        /// Whatever the octets and the pieces in which they come, each line is counted, and is a name, blank or bad.
        #[test]
        fn any_octets_in_any_pieces_are_read_to_the_end(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b'.'), any::<u8>()], 0..400),
            size in 1_usize..50,
        ) {
            let pieces: VecDeque<Vec<u8>> = input.chunks(size).map(<[u8]>::to_vec).collect();
            let mut in_pieces = Names::new(Pieces(pieces));
            let (parts, bad) = batches(&mut in_pieces);
            let (whole, bad_whole) = batches(&mut Names::new(&input[..]));
            prop_assert_eq!(lines(&parts), lines(&whole));
            prop_assert_eq!(&bad, &bad_whole);
            let given = input.split_inclusive(|octet| *octet == b'\n').count() as u64;
            let blank = input.split(|octet| *octet == b'\n').filter(|line| line.trim_ascii().is_empty()).count();
            let blank = blank as u64 - u64::from(input.is_empty() || input.ends_with(b"\n"));
            if let (Some(last), Some(last_whole)) = (parts.last(), whole.last()) {
                prop_assert_eq!((last.lines, last.digest), (given, last_whole.digest));
                prop_assert_eq!(last.skipped, bad.len() as u64);
            }
            prop_assert_eq!(lines(&parts).len() as u64 + bad.len() as u64 + blank, given);
        }
    }
}
