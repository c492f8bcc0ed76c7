//! From the octets of a zone file to its records, a chunk at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use domain::base::ToName as _;
use domain::base::iana::Class;
use domain::zonefile::inplace::{Entry, ScannedRecord, Zonefile};
use model::Name;

/// Memory that one xz stream may ask for, in octets: `xz -9` needs 65 MiB. Lower: some files do not open. Higher: a hostile
/// file takes that much.
const XZ_MEMORY: u64 = 256 << 20;

/// Octets that are scanned at once, if entries end as they should.
const CHUNK: usize = 256 << 10;

/// Longest entry. The longest RDATA, 65,535 octets, takes 262,140 when each is escaped (RFC 1035 §5.1), and there may be blanks and
/// comments; more is no zone file, and would be held in memory.
const LONGEST_ENTRY: usize = 4 << 20;

/// Opens a file that may be packed by gzip (RFC 1952), xz or Zstandard (RFC 8878), as its first octets say.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let unpacked: Box<dyn Read> = match file.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                .map_err(io::Error::other)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(file, stream))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        _ => return Ok(Box::new(file)),
    };
    Ok(Box::new(BufReader::with_capacity(CHUNK, unpacked)))
}

/// Where the reading of a file ended, if not at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The line, counted from 1.
    pub line: usize,
    pub reason: String,
}

/// How a file ends.
pub(crate) struct End {
    /// What cannot be read, and nothing behind it was.
    pub stop: Option<Stop>,
    /// Whether its last line is ended.
    pub has_final_newline: bool,
}

/// Gives the records of a file to `take`. Names without a final dot are below `origin`, or below `$ORIGIN`.
pub(crate) fn read<E>(
    source: &mut dyn BufRead,
    origin: Option<&Name>,
    mut take: impl FnMut(ScannedRecord) -> Result<(), E>,
) -> Result<End, E> {
    let mut scanner = Zonefile::new();
    scanner.set_default_class(Class::IN);
    if let Some(origin) = origin {
        scanner.set_origin(origin.as_wire().to_bytes());
    }
    let mut text = Text::default();
    let mut has_final_newline = true;
    // octets before the chunk; the scanner begins with one of its own
    let mut before = 1;
    loop {
        let filled = text.fill(source);
        if filled.is_err() {
            // of what came before, the whole lines are as good as ever
            let whole = text.chunk.iter().rposition(|octet| *octet == b'\n');
            text.chunk.truncate(whole.map_or(0, |at| at + 1));
        }
        if let Some(last) = text.chunk.last() {
            has_final_newline = *last == b'\n';
        }
        scanner.extend_from_slice(&text.chunk);
        if !has_final_newline {
            // a file that ends within a line is read as if it ended after it
            scanner.extend_from_slice(b"\n");
        }
        loop {
            let offset = scanner.current_offset();
            let line = || text.line_of(offset.saturating_sub(before));
            let here = |reason| Stop { line: line(), reason };
            let stop = match next_entry(&mut scanner, line) {
                Ok(None) => break,
                Ok(Some(Entry::Record(record))) if record.class() == Class::IN => {
                    take(record)?;
                    continue;
                }
                Ok(Some(Entry::Record(record))) => here(format!("class {} is not IN", record.class())),
                Ok(Some(Entry::Include { path, .. })) => here(format!(
                    "`$INCLUDE {path}` is not followed: give one file that holds all"
                )),
                Err(stop) => stop,
            };
            return Ok(End {
                stop: Some(stop),
                has_final_newline,
            });
        }
        let stop = match filled {
            Ok(false) => None,
            Ok(true) => Some(None),
            Err(reason) => Some(Some(Stop {
                line: text.line_of(text.chunk.len()),
                reason,
            })),
        };
        if let Some(stop) = stop {
            return Ok(End {
                stop,
                has_final_newline,
            });
        }
        before += text.chunk.len();
        text.clear();
    }
}

/// The scanner of `domain` 0.12.3 panics on some broken entries (`TXT #` at the end of a file); here they are errors. `line` is
/// where the entry begins.
fn next_entry(scanner: &mut Zonefile, line: impl Fn() -> usize) -> Result<Option<Entry>, Stop> {
    let Ok(scanned) = catch_unwind(AssertUnwindSafe(|| scanner.next_entry())) else {
        let reason = "an entry is broken beyond reading".to_owned();
        return Err(Stop { line: line(), reason });
    };
    scanned.map_err(|error| {
        // `line:column: reason`; in column 1 it may have just stepped over the end of the line meant
        let text = error.to_string();
        let mut parts = text.splitn(3, ':');
        let mut number = || {
            parts
                .next()
                .and_then(|number| number.parse::<usize>().ok())
                .unwrap_or(0)
        };
        let (found, column) = (number(), number());
        Stop {
            line: if column == 1 {
                line().max(found.saturating_sub(1))
            } else {
                found
            },
            reason: parts.next().unwrap_or(&text).trim().to_owned(),
        }
    })
}

/// Whole entries of a file, gathered line by line.
#[derive(Default)]
struct Text {
    chunk: Vec<u8>,
    /// Lines before the chunk.
    first_line: usize,
    /// Open parentheses (RFC 1035 §5.1).
    depth: usize,
}

impl Text {
    /// Goes on behind the chunk.
    fn clear(&mut self) {
        self.first_line += self.chunk.iter().filter(|octet| **octet == b'\n').count();
        self.chunk.clear();
    }

    /// The line, counted from 1, in which the entry behind these octets of the chunk begins.
    fn line_of(&self, octets: usize) -> usize {
        let mut at = octets.min(self.chunk.len());
        while let Some(octet) = self.chunk.get(at) {
            match octet {
                b';' => at += self.chunk[at..].iter().take_while(|octet| **octet != b'\n').count(),
                _ if octet.is_ascii_whitespace() => at += 1,
                _ => break,
            }
        }
        1 + self.first_line + self.chunk[..at].iter().filter(|octet| **octet == b'\n').count()
    }

    /// Gathers lines until they are enough and end with an entry; whether the file ends with them. The error says what cannot
    /// be read.
    fn fill(&mut self, source: &mut dyn BufRead) -> Result<bool, String> {
        loop {
            let start = self.chunk.len();
            let room = (LONGEST_ENTRY - start) as u64;
            let mut line = source.take(room);
            let read = line
                .read_until(b'\n', &mut self.chunk)
                .map_err(|error| error.to_string())?;
            if read == 0 && room > 0 {
                return Ok(true);
            }
            self.step_over(start);
            let is_whole = self.depth == 0 && self.chunk.ends_with(b"\n");
            if is_whole && self.chunk.len() >= CHUNK {
                return Ok(false);
            }
            if self.chunk.len() >= LONGEST_ENTRY {
                return Err(format!("an entry is longer than {LONGEST_ENTRY} octets"));
            }
        }
    }

    /// Follows parentheses over the line that begins at `start`. Quotes end with their line at the latest.
    fn step_over(&mut self, start: usize) {
        let mut octets = self.chunk[start..].iter();
        let (mut is_quoted, mut is_within_word) = (false, false);
        while let Some(octet) = octets.next() {
            match octet {
                b'\\' => {
                    octets.next();
                    is_within_word = true;
                }
                b'"' if is_quoted => is_quoted = false,
                _ if is_quoted => {}
                b'"' if !is_within_word => is_quoted = true,
                b';' => return,
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                octet => is_within_word = !octet.is_ascii_whitespace(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Owner and data of each record, and how the text ends.
    fn records(text: &[u8]) -> (Vec<String>, End) {
        let mut records = Vec::new();
        let origin = "example".parse().unwrap();
        let end = read(&mut &text[..], Some(&origin), |record| {
            records.push(format!("{} {}", record.owner(), record.data()));
            Ok::<(), ()>(())
        });
        (records, end.unwrap())
    }

    #[test]
    fn entries_are_whole_wherever_the_chunks_end() {
        let entry = |at: usize| format!("name{at} TXT ( \"a ; ( \\\" \" ; it goes ( on\n \"c\" )\n");
        let text: String = (0..20_000).map(entry).collect();
        assert!(text.len() > 3 * CHUNK);
        let (records, end) = records(text.as_bytes());
        assert_eq!((records.len(), end.stop), (20_000, None));
        assert!(
            records
                .iter()
                .all(|record| record.ends_with(&records[0][records[0].find(' ').unwrap()..]))
        );
    }

    #[test]
    fn what_cannot_be_read_has_its_line() {
        for (text, line, reason) in [
            ("a A 192.0.2.1\n\nb A 192.0.2\n", 3, ""),
            ("a A 192.0.2.1\n$INCLUDE other\n", 2, "`$INCLUDE other` is not followed"),
            ("a CH A 192.0.2.1\n", 1, "class"),
            ("a TXT (\n", 1, ""),
        ] {
            let (_, end) = records(text.as_bytes());
            let stop = end.stop.unwrap();
            assert!(stop.reason.contains(reason), "{text}: {stop:?}");
            assert!(stop.line.abs_diff(line) <= 1, "{text}: {stop:?}");
        }
        let endless = [b"a TXT (".as_slice(), &vec![b' '; LONGEST_ENTRY]].concat();
        assert!(records(&endless).1.stop.unwrap().reason.contains("longer than"));
    }

    proptest! {
        #[test]
        fn any_octets_are_records_or_a_reason(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = records(&octets);
        }

        #[test]
        fn any_words_are_records_or_a_reason(
            words in proptest::collection::vec("@|A|NS|SOA|TXT|[0-9]{1,5}|\"|[a-z]{1,4}\\.?|\n|\\(|\\)|;|\\$TTL|\\$ORIGIN|\\$INCLUDE|\\\\|#|127\\.0\\.0\\.1", 0..40)
        ) {
            let _ = records(words.join(" ").as_bytes());
        }
    }
}
